-- Asks all servers to append what has ended in a session.
--
-- ARGV[5]  what the answers of the servers are known by
--
-- Returns the servers that may have something to append.
redis.call('PUBLISH', base .. 'events', 'flush ' .. session .. ' ' .. ARGV[5])
return redis.call('ZRANGEBYSCORE', base .. 'live', '(' .. now, '+inf')
