-- Arms or ends the failure modes of a session.
--
-- ARGV[5]  'count', 'duration' or 'reset'
-- ARGV[6]  how many requests fail, or for how many milliseconds; 0 ends the mode
-- ARGV[7]  the version after which all servers ask, as `failure_prepare` has returned it. It is not needed to end a mode
--
-- Returns 'done', or 'again' if servers may not ask any more because all was ended meanwhile.
local key = own .. 'failure'
local mode, number = ARGV[5], ARGV[6]
if number ~= '0' then
  local armed = redis.call('HMGET', key, 'armed', 'version')
  if armed[1] ~= '1' or armed[2] ~= ARGV[7] then
    return 'again'
  end
end
if mode ~= 'duration' then
  -- A new number, so that a failure that is given back late is not added to another count.
  redis.call('HSET', key, 'count', mode == 'count' and number or 0)
  redis.call('HSET', key, 'generation', next_number())
end
if mode ~= 'count' then
  redis.call('HSET', key, 'until', mode == 'duration' and whole(now + number) or 0)
end
redis.call('HDEL', key, 'pending')
keep(key)
local count = tonumber(redis.call('HGET', key, 'count')) or 0
local left = (tonumber(redis.call('HGET', key, 'until')) or 0) - now
-- Servers that learn late that nothing is armed any more ask in vain, and do no harm.
if count == 0 and left <= 0 and redis.call('HGET', key, 'armed') == '1' then
  redis.call('HSET', key, 'armed', 0)
  announce('failure:' .. session, nil)
end
return 'done'
