-- Takes back a failure that no client has seen, unless the count has been set since.
--
-- ARGV[5]  the generation of the count that it was taken from
--
-- Returns 1 if it was taken back, else 0.
local key = own .. 'failure'
if redis.call('HGET', key, 'generation') ~= ARGV[5] then
  return 0
end
redis.call('HINCRBY', key, 'count', 1)
keep(key)
if redis.call('HGET', key, 'armed') ~= '1' then
  redis.call('HSET', key, 'armed', 1, 'version', announce('failure:' .. session, '1'))
end
return 1
