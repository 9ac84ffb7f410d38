-- The beginning of every script but `renew`: who may act, and what scripts have in common.
--
-- KEYS[1]  the prefix of all keys; the names below it are made here, so that they are written down in one place.
--          (Redis Cluster, which needs every key in KEYS, is not supported.)
-- ARGV[1]  the epoch of what the server knows. A store that has lost its data has another one.
-- ARGV[2]  the time of the store, in milliseconds, until which the server waits for the answer. A script that comes
--          late, because the store hung, must not take what nobody will get.
-- ARGV[3]  the session.
-- ARGV[4]  how long the keys of the session live without a use, in milliseconds.
local base = KEYS[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

if redis.call('GET', base .. 'epoch') ~= ARGV[1] then
  return redis.error_reply('LOST the store has lost the state that this server knows')
end
if now > tonumber(ARGV[2]) then
  return redis.error_reply('LATE nobody waits for this step any more')
end

local session = ARGV[3]
local own = base .. 's:' .. session .. ':'

-- A number as a whole one, whatever its size: Lua's own form rounds to 14 digits.
local function whole(number)
  return string.format('%.0f', number)
end

-- Lets a key of the session live on.
local function keep(key)
  redis.call('PEXPIRE', key, ARGV[4])
end

-- Publishes the value of a topic (nil: it has none), which every server has to know. Returns the version that this
-- makes; `renew` hands it out.
local function announce(topic, value)
  local version = redis.call('INCR', base .. 'version')
  redis.call('ZADD', base .. 'changes', version, topic)
  if value then
    redis.call('HSET', base .. 'values', topic, value)
  else
    redis.call('HDEL', base .. 'values', topic)
  end
  redis.call('PUBLISH', base .. 'events', 'changed')
  return version
end

-- The answer to an order: the version after which all servers know of it, how many values the result has, the result,
-- and the servers that may still act on what they knew before, each with how many milliseconds longer.
local function order(version, result)
  local answer = { version, #result }
  for _, value in ipairs(result) do
    answer[#answer + 1] = value
  end
  local live = redis.call('ZRANGEBYSCORE', base .. 'live', '(' .. now, '+inf', 'WITHSCORES')
  for i = 1, #live, 2 do
    answer[#answer + 1] = live[i]
    answer[#answer + 1] = live[i + 1] - now
  end
  return answer
end
