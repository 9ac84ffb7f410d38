-- Stores the answer of an execution, if it is still the one in flight, and wakes those that wait.
--
-- ARGV[5]  the key
-- ARGV[6]  the fingerprint
-- ARGV[7]  the token of the execution
-- ARGV[8]  the answer
-- ARGV[9]  how long it is kept, in milliseconds
-- ARGV[10] how many answers are kept
--
-- Returns {'stored', the keys that were evicted}, {'replay', the answer that another execution has stored} or {'void'}.
local key, fingerprint, token = ARGV[5], ARGV[6], ARGV[7]
local answers, uses, expiries = own .. 'answers', own .. 'uses', own .. 'expiries'

local flight = redis.call('HGET', own .. 'flights', key)
if not flight or string.match(flight, '^%S+') ~= token then
  local stored = redis.call('HGET', answers, key)
  if stored then
    local whose, expires, answer = string.match(stored, '^(%S+) (%S+) (.*)$')
    if whose == fingerprint and tonumber(expires) > now then
      return { 'replay', answer }
    end
  end
  return { 'void' }
end

redis.call('HDEL', own .. 'flights', key)
redis.call('HSET', answers, key, fingerprint .. ' ' .. whole(now + ARGV[9]) .. ' ' .. ARGV[8])
redis.call('ZADD', uses, redis.call('HINCRBY', own .. 'numbers', 'use', 1), key)
redis.call('ZADD', expiries, whole(now + ARGV[9]), key)

local function remove(gone)
  redis.call('HDEL', answers, gone)
  redis.call('ZREM', uses, gone)
  redis.call('ZREM', expiries, gone)
end

-- What has expired goes first and a part at a time, so that no step takes long.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', expiries, '-inf', now, 'LIMIT', 0, 256)) do
  remove(gone)
end
local result = { 'stored' }
while redis.call('ZCARD', uses) > tonumber(ARGV[10]) do
  local gone = redis.call('ZRANGE', uses, 0, 0)[1]
  remove(gone)
  result[#result + 1] = gone
end
for _, name in ipairs({ 'answers', 'uses', 'expiries', 'numbers', 'flights' }) do
  keep(own .. name)
end
redis.call('PUBLISH', base .. 'events', 'settled ' .. session .. ' ' .. key)
return result
