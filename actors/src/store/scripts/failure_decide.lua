-- Decides whether one request fails, and takes one off a count above zero.
--
-- Returns {'count', how many are left, the generation}, {'duration', how many milliseconds are left} or {'pass'}.
local key = own .. 'failure'
local count = tonumber(redis.call('HGET', key, 'count')) or 0
local left = (tonumber(redis.call('HGET', key, 'until')) or 0) - now
local answer = { 'pass' }
if count > 0 then
  count = redis.call('HINCRBY', key, 'count', -1)
  answer = { 'count', count, redis.call('HGET', key, 'generation') }
elseif left > 0 then
  answer = { 'duration', left }
end
-- Servers that learn late that nothing is armed any more ask in vain, and do no harm.
if count == 0 and left <= 0 then
  local state = redis.call('HMGET', key, 'armed', 'pending')
  if state[1] == '1' and (tonumber(state[2]) or 0) <= now then
    redis.call('HSET', key, 'armed', 0)
    announce('failure:' .. session, nil)
  end
end
return answer
