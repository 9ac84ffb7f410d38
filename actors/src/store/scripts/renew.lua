-- Renews the lease of a server, and tells it what has changed since it last asked. It comes first on every connection.
--
-- ARGV[1]  the epoch that the server knows; empty at first
-- ARGV[2]  an epoch of its own, for a store that has none
-- ARGV[3]  the server
-- ARGV[4]  the version that the server knows
-- ARGV[5]  how long the lease lasts, in milliseconds
-- ARGV[6]  1 if the server has learnt that version since it last asked
--
-- Returns the epoch, the time, the version, 1 if the server has to forget what it knew, and then topics and values, one
-- after the other.
local epoch = redis.call('GET', base .. 'epoch')
if not epoch then
  -- Whatever is left of another epoch must not be taken for a part of this one.
  redis.call('DEL', base .. 'version', base .. 'changes', base .. 'values', base .. 'live', base .. 'floor', base .. 'sessions',
    base .. 'known')
  epoch = ARGV[2]
  redis.call('SET', base .. 'epoch', epoch)
  redis.call('SET', base .. 'version', 0)
end

redis.call('ZADD', base .. 'live', now + ARGV[5], ARGV[3])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', base .. 'live', '-inf', now - 60000)) do
  redis.call('ZREM', base .. 'live', gone)
  redis.call('HDEL', base .. 'known', gone)
end
-- Not at once: servers note the uses of sessions a few times a second.
sweep(now - 1000)

local version = tonumber(redis.call('GET', base .. 'version')) or 0
local seen = tonumber(ARGV[4])
local floor = tonumber(redis.call('GET', base .. 'floor')) or 0
local forgets = epoch ~= ARGV[1] or seen < floor
if forgets then
  seen = -1
end
if ARGV[6] == '1' and not forgets then
  redis.call('HSET', base .. 'known', ARGV[3], ARGV[4])
  redis.call('PUBLISH', base .. 'events', 'knows ' .. epoch .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
end

local answer = { epoch, now, version, forgets and 1 or 0 }
local topics = redis.call('ZRANGEBYSCORE', base .. 'changes', '(' .. seen, '+inf')
for _, topic in ipairs(topics) do
  answer[#answer + 1] = topic
  answer[#answer + 1] = redis.call('HGET', base .. 'values', topic)
end

-- Topics without a value are remembered for the servers that still know one. There are few; when they are many, all are
-- forgotten, and a server that has not asked since begins anew.
if redis.call('ZCARD', base .. 'changes') > redis.call('HLEN', base .. 'values') + 1000 then
  for _, topic in ipairs(redis.call('ZRANGE', base .. 'changes', 0, -1)) do
    if redis.call('HEXISTS', base .. 'values', topic) == 0 then
      redis.call('ZREM', base .. 'changes', topic)
    end
  end
  redis.call('SET', base .. 'floor', version)
end

for _, name in ipairs({ 'epoch', 'version', 'changes', 'values', 'live', 'floor', 'sessions', 'known' }) do
  redis.call('PEXPIRE', base .. name, DAY)
end
return answer
