-- SHA-256 (FIPS 180-4): the first two words of the hash of a text. Redis itself offers SHA-1 alone, and what is random in
-- a plan must be the same number here, in the memory of a server and at a user's desk.
local ROUND = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}

local function sha256(text)
  local band, bxor, bnot, ror, shift = bit.band, bit.bxor, bit.bnot, bit.ror, bit.rshift
  local bits = #text * 8
  text = text .. '\128' .. string.rep('\0', (55 - #text) % 64) .. '\0\0\0\0'
    .. string.char(shift(bits, 24), band(shift(bits, 16), 255), band(shift(bits, 8), 255), band(bits, 255))
  local hash = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
  }
  for block = 1, #text, 64 do
    local words = {}
    for i = 1, 16 do
      local b1, b2, b3, b4 = string.byte(text, block + i * 4 - 4, block + i * 4 - 1)
      words[i] = ((b1 * 256 + b2) * 256 + b3) * 256 + b4
    end
    for i = 17, 64 do
      local x, y = words[i - 15], words[i - 2]
      local s0 = bxor(ror(x, 7), ror(x, 18), shift(x, 3))
      local s1 = bxor(ror(y, 17), ror(y, 19), shift(y, 10))
      words[i] = band(words[i - 16] + s0 + words[i - 7] + s1, 0xffffffff)
    end
    local a, b, c, d, e, f, g, h = unpack(hash)
    for i = 1, 64 do
      local s1 = bxor(ror(e, 6), ror(e, 11), ror(e, 25))
      local choice = bxor(band(e, f), band(bnot(e), g))
      local t1 = h + s1 + choice + ROUND[i] + words[i]
      local s0 = bxor(ror(a, 2), ror(a, 13), ror(a, 22))
      local majority = bxor(band(a, b), band(a, c), band(b, c))
      h, g, f, e = g, f, e, band(d + t1, 0xffffffff)
      d, c, b, a = c, b, a, band(t1 + s0 + majority, 0xffffffff)
    end
    for i, word in ipairs({ a, b, c, d, e, f, g, h }) do
      hash[i] = band(hash[i] + word, 0xffffffff)
    end
  end
  -- The operations on bits make signed numbers.
  return hash[1] % 2 ^ 32, hash[2] % 2 ^ 32
end
