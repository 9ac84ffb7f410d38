-- The beginning of every script.
--
-- KEYS[1]  the prefix of all keys; the names below it are made here, so that they are written down in one place.
--          (Redis Cluster, which needs every key in KEYS, is not supported.)
local base = KEYS[1]
local DAY = 24 * 3600 * 1000
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- A number as a whole one, whatever its size: Lua's own form rounds to 14 digits.
local function whole(number)
  return string.format('%.0f', number)
end

-- A number that this store has not given out before in this epoch.
local function next_number()
  local number = redis.call('INCR', base .. 'generations')
  redis.call('PEXPIRE', base .. 'generations', DAY)
  return number
end

-- Publishes the value of a topic (nil: it has none), which every server has to know. Returns the version that this
-- makes; `renew` hands it out.
local function announce(topic, value)
  local version = redis.call('INCR', base .. 'version')
  redis.call('ZADD', base .. 'changes', version, topic)
  if value then
    redis.call('HSET', base .. 'values', topic, value)
  else
    redis.call('HDEL', base .. 'values', topic)
  end
  redis.call('PUBLISH', base .. 'events', 'changed')
  return version
end

-- The names of the keys in which a session has its state.
local PARTS = {
  'failure', 'plan', 'groups', 'group-uses', 'answers', 'uses', 'expiries', 'numbers', 'flights', 'journal',
  'records',
}

-- Removes the state of a session.
local function clear(id)
  local bytes = redis.call('HGET', base .. 's:' .. id .. ':journal', 'bytes')
  if bytes then
    redis.call('DECRBY', base .. 'journal-bytes', bytes)
    redis.call('ZREM', base .. 'journals', id)
  end
  for _, part in ipairs(PARTS) do
    redis.call('UNLINK', base .. 's:' .. id .. ':' .. part)
  end
  for _, concept in ipairs({ 'failure:', 'plan:' }) do
    if redis.call('HEXISTS', base .. 'values', concept .. id) == 1 then
      announce(concept .. id, nil)
    end
  end
end

-- Ends a session. Returns the version after which all servers know of it.
local function remove(id)
  clear(id)
  redis.call('UNLINK', base .. 's:' .. id .. ':session')
  redis.call('ZREM', base .. 'sessions', id)
  return announce('session:' .. id, nil)
end

-- Ends sessions that were over before a time, some of them at once.
local function sweep(before)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', base .. 'sessions', '-inf', before, 'LIMIT', 0, 100)) do
    remove(id)
  end
end
