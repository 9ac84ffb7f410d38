-- Arms or ends the failure modes of a session. It is an order: see `order`.
--
-- ARGV[5]  'count', 'duration' or 'reset'
-- ARGV[6]  how many requests fail, or for how many milliseconds
--
-- The result is how many of the following requests fail, and for how many milliseconds from now on.
local key = own .. 'failure'
local mode, number = ARGV[5], ARGV[6]
if mode ~= 'duration' then
  -- A new number, so that a failure that is given back late is not added to another count.
  redis.call('HSET', key, 'count', mode == 'count' and number or 0)
  redis.call('HSET', key, 'generation', next_number())
end
if mode ~= 'count' then
  redis.call('HSET', key, 'until', mode == 'duration' and whole(now + number) or 0)
end
local count = tonumber(redis.call('HGET', key, 'count')) or 0
local left = math.max((tonumber(redis.call('HGET', key, 'until')) or 0) - now, 0)
local failing = count > 0 or left > 0
redis.call('HSET', key, 'armed', failing and 1 or 0)
keep(key)
return order(announce('failure:' .. session, failing and '1' or nil), { count, left })
