-- Reads when sessions were made and used.
--
-- ARGV[5…] the sessions
--
-- Returns for each that there is its id, when it was made and last used (Unix milliseconds), how many requests its data
-- plane has had, and how many milliseconds later it ends ('-' for the permanent one).
local answer = {}
for i = 5, #ARGV do
  local found = redis.call('HMGET', base .. 's:' .. ARGV[i] .. ':session', 'created', 'used', 'requests')
  if found[1] then
    local over = tonumber(redis.call('ZSCORE', base .. 'sessions', ARGV[i]))
    local left = over and whole(math.max(over - now, 0)) or '-'
    for _, value in ipairs({ ARGV[i], found[1], found[2], found[3], left }) do
      answer[#answer + 1] = value
    end
  end
end
return answer
