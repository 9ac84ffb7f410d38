-- Lets all servers ask from now on, because a failure mode is about to be armed. It is an order: see `order`.
--
-- Armed at once, a failure would be seen on one server while another still passes requests on what it knows. So first
-- every server asks, and then all see the change at the same moment.
--
-- The result is the version after which all servers ask.
local key = own .. 'failure'
-- A request that finds nothing armed meanwhile must not end this.
redis.call('HSET', key, 'pending', whole(now + 3000))
if redis.call('HGET', key, 'armed') ~= '1' then
  redis.call('HSET', key, 'armed', 1, 'version', announce('failure:' .. session, '1'))
end
keep(key)
local version = redis.call('HGET', key, 'version')
return order(version, { version })
