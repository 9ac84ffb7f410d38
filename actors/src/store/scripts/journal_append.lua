-- Appends what has ended on one server to the journal of a session.
--
-- ARGV[5]  the server
-- ARGV[6]  the number of this batch; one that the journal has is not appended twice
-- ARGV[7]  how many records the journal keeps
-- ARGV[8]  how many bytes the journals of all sessions keep
-- ARGV[9]  what a reader waits for that has asked for this batch; empty for none
-- ARGV[10] how many records the server had to forget before these
-- ARGV[11…] records, each after how many bytes it counts for
--
-- Returns the number of the last record.
local key, list = own .. 'journal', own .. 'records'
local total = base .. 'journal-bytes'

-- Forgets the oldest record of a session.
local function forget(id)
  local records = base .. 's:' .. id .. ':records'
  local gone = redis.call('LPOP', records)
  if gone then
    local bytes = string.match(gone, '^%d+')
    redis.call('DECRBY', total, bytes)
    redis.call('HINCRBY', base .. 's:' .. id .. ':journal', 'bytes', -bytes)
  end
  local next = redis.call('LINDEX', records, 0)
  if next then
    redis.call('ZADD', base .. 'journals', string.match(next, '^%d+ (%d+)'), id)
  else
    redis.call('ZREM', base .. 'journals', id)
  end
end

if tonumber(redis.call('HGET', key, 'batch:' .. ARGV[5]) or 0) < tonumber(ARGV[6]) then
  redis.call('HSET', key, 'batch:' .. ARGV[5], ARGV[6])
  if tonumber(ARGV[10]) > 0 then
    -- The records that are kept have no gap.
    while redis.call('LLEN', list) > 0 do
      forget(session)
    end
    redis.call('HINCRBY', key, 'last', ARGV[10])
  end
  for i = 11, #ARGV, 2 do
    redis.call('HINCRBY', key, 'last', 1)
    redis.call('HINCRBY', key, 'bytes', ARGV[i])
    redis.call('INCRBY', total, ARGV[i])
    redis.call('RPUSH', list, ARGV[i] .. ' ' .. whole(now) .. ' ' .. ARGV[i + 1])
  end
  if #ARGV >= 11 then
    redis.call('ZADD', base .. 'journals', 'NX', whole(now), session)
  end
  while redis.call('LLEN', list) > tonumber(ARGV[7]) do
    forget(session)
  end
  -- The session with the oldest record forgets first.
  while tonumber(redis.call('GET', total) or 0) > tonumber(ARGV[8]) do
    local oldest = redis.call('ZRANGE', base .. 'journals', 0, 0)[1]
    if not oldest then
      -- Journals have expired while no server was there to end their sessions.
      redis.call('SET', total, 0)
      break
    end
    forget(oldest)
  end
  keep(key)
  keep(list)
  for _, name in ipairs({ 'journals', 'journal-bytes' }) do
    redis.call('PEXPIRE', base .. name, DAY)
  end
end
if ARGV[9] ~= '' then
  redis.call('PUBLISH', base .. 'events', 'flushed ' .. ARGV[9] .. ' ' .. ARGV[5])
end
return redis.call('HGET', key, 'last') or '0'
