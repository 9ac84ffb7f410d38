-- Replaces the state of a session by a new one in which nothing has happened. It is an order: see `order`.
--
-- The result is the number of the new state, or 0 if there is no such session.
local key = own .. 'session'
if redis.call('EXISTS', key) == 0 then
  return refusal({ 0 })
end
clear(session)
local number = next_number()
redis.call('HSET', key, 'state', number, 'requests', 0)
keep(key)
return order(announce('session:' .. session, number .. ' ' .. redis.call('HGET', key, 'settings')), { number })
