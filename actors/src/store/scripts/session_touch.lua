-- Notes that sessions are used.
--
-- ARGV[5…] sessions, each with how many requests to its data plane have come since it was last noted
--
-- Returns 1.
for i = 5, #ARGV, 2 do
  local id = ARGV[i]
  local key = base .. 's:' .. id .. ':session'
  local lives = tonumber(redis.call('HGET', key, 'lives'))
  if lives then
    redis.call('HSET', key, 'used', whole(now))
    redis.call('HINCRBY', key, 'requests', ARGV[i + 1])
    if redis.call('ZADD', base .. 'sessions', 'XX', 'CH', whole(now + lives), id) == 1 then
      redis.call('PEXPIRE', base .. 'sessions', DAY)
    end
    redis.call('PEXPIRE', key, lives + 10000)
    for _, part in ipairs(PARTS) do
      redis.call('PEXPIRE', base .. 's:' .. id .. ':' .. part, lives + 10000)
    end
  end
end
return 1
