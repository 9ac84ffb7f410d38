-- Makes a session. It is an order: see `order`.
--
-- ARGV[4]  how long it lives without a use, in milliseconds
-- ARGV[5]  its settings, as the servers write them
-- ARGV[6]  how many sessions there may be, besides the permanent one; '-' for that one itself
--
-- The result is {'created', the number of its state}, {'taken', its settings}, or {'full', how many milliseconds later the
-- next session ends}.
local key = own .. 'session'
if redis.call('EXISTS', key) == 1 then
  local over = tonumber(redis.call('ZSCORE', base .. 'sessions', session))
  if not over or over > now then
    return refusal({ 'taken', redis.call('HGET', key, 'settings') })
  end
  remove(session)
end
if ARGV[6] ~= '-' then
  if redis.call('ZCARD', base .. 'sessions') >= tonumber(ARGV[6]) then
    sweep(now)
  end
  if redis.call('ZCARD', base .. 'sessions') >= tonumber(ARGV[6]) then
    local next_end = redis.call('ZRANGE', base .. 'sessions', 0, 0, 'WITHSCORES')[2]
    return refusal({ 'full', whole(math.max(next_end - now, 0)) })
  end
  redis.call('ZADD', base .. 'sessions', whole(now + ARGV[4]), session)
  redis.call('PEXPIRE', base .. 'sessions', DAY)
end
local number = next_number()
redis.call('HSET', key, 'state', number, 'settings', ARGV[5], 'lives', ARGV[4])
redis.call('HSET', key, 'created', whole(now), 'used', whole(now), 'requests', 0)
keep(key)
return order(announce('session:' .. session, number .. ' ' .. ARGV[5]), { 'created', number })
