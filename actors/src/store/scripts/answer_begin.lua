-- Decides whether a request with a key takes the stored answer, executes, or waits.
--
-- ARGV[5]  the key
-- ARGV[6]  the fingerprint of what the request asks for
-- ARGV[7]  the token of the execution that begins, if one does; no other has it. It begins with its server and a slash
-- ARGV[8]  how long the execution takes at most, in milliseconds
--
-- Returns {'replay', the answer}, {'lead', 1 if a stored answer had expired, else 0}, {'conflict'}, or
-- {'follow', how many milliseconds the lease of the leader lasts unless it is renewed}.
local key, fingerprint, token = ARGV[5], ARGV[6], ARGV[7]
local expired = 0

local stored = redis.call('HGET', own .. 'answers', key)
if stored then
  local whose, expires, answer = string.match(stored, '^(%S+) (%S+) (.*)$')
  if tonumber(expires) > now then
    if whose ~= fingerprint then
      return { 'conflict' }
    end
    redis.call('ZADD', own .. 'uses', redis.call('HINCRBY', own .. 'numbers', 'use', 1), key)
    return { 'replay', answer }
  end
  redis.call('HDEL', own .. 'answers', key)
  redis.call('ZREM', own .. 'uses', key)
  redis.call('ZREM', own .. 'expiries', key)
  expired = 1
end

local flight = redis.call('HGET', own .. 'flights', key)
if flight then
  local holder, whose, deadline = string.match(flight, '^(%S+) (%S+) (%S+)$')
  local server = string.match(holder, '^[^/]+')
  -- The lease of an execution is that of its server. A server that is stopped or gone does not renew it.
  local lease = tonumber(redis.call('ZSCORE', base .. 'live', server)) or 0
  local left = math.min(lease, tonumber(deadline)) - now
  if left > 0 then
    if whose ~= fingerprint then
      return { 'conflict' }
    end
    return { 'follow', left }
  end
end

redis.call('HSET', own .. 'flights', key, token .. ' ' .. fingerprint .. ' ' .. whole(now + ARGV[8]))
keep(own .. 'flights')
return { 'lead', expired }
