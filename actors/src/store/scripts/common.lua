-- The beginning of every script of a session: whether it may be run, and what such scripts have in common.
--
-- ARGV[1]  the epoch of what the server knows. A store that has lost its data has another one.
-- ARGV[2]  the time of the store, in milliseconds, until which the server waits for the answer. A script that comes
--          late, because the store hung, must not take what nobody will get.
-- ARGV[3]  the session, a space, and the number of its state, which every reset replaces ('-': whichever it is)
-- ARGV[4]  how long the keys of the session live without a use, in milliseconds.
if redis.call('GET', base .. 'epoch') ~= ARGV[1] then
  return redis.error_reply('LOST the store has lost the state that this server knows')
end
if now > tonumber(ARGV[2]) then
  return redis.error_reply('LATE nobody waits for this step any more')
end

local session, state = string.match(ARGV[3], '^(%S+) (%S+)$')
local own = base .. 's:' .. session .. ':'
if state ~= '-' and redis.call('HGET', own .. 'session', 'state') ~= state then
  return redis.error_reply('ENDED the session has ended or was reset')
end

-- Lets a key of the session live on. The session itself ends before its keys.
local function keep(key)
  redis.call('PEXPIRE', key, ARGV[4] + 10000)
end

-- The answer to an order: the version after which all servers know of it, how many values the result has, the result,
-- and the servers that may still act on what they knew before, each with how many milliseconds longer.
local function order(version, result)
  local answer = { version, #result }
  for _, value in ipairs(result) do
    answer[#answer + 1] = value
  end
  local live = redis.call('ZRANGEBYSCORE', base .. 'live', '(' .. now, '+inf', 'WITHSCORES')
  for i = 1, #live, 2 do
    local known = tonumber(redis.call('HGET', base .. 'known', live[i])) or -1
    if known < tonumber(version) then
      answer[#answer + 1] = live[i]
      answer[#answer + 1] = live[i + 1] - now
    end
  end
  return answer
end

-- The answer to an order that has changed nothing.
local function refusal(result)
  return { 0, #result, unpack(result) }
end
