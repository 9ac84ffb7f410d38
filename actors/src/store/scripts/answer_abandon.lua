-- Ends an execution that has made no answer, if it is still the one in flight, and wakes those that wait.
--
-- ARGV[5]  the key
-- ARGV[6]  the token of the execution
--
-- Returns 1 if it was in flight, else 0.
local flight = redis.call('HGET', own .. 'flights', ARGV[5])
if not flight or string.match(flight, '^%S+') ~= ARGV[6] then
  return 0
end
redis.call('HDEL', own .. 'flights', ARGV[5])
redis.call('PUBLISH', base .. 'events', 'settled ' .. session .. ' ' .. ARGV[5])
return 1
