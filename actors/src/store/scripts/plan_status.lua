-- Reads how far a plan has come.
--
-- ARGV[5]  the number of rules
-- ARGV[6]  an idempotency key, and ARGV[7] a connection: whose counts are wanted
--
-- Returns the number of the plan ('0' without one), how many milliseconds ago it began, and how many groups it has
-- forgotten; then for each rule how often it has matched, and injected, how many microseconds it takes until its bucket is
-- full, and how often it has matched for this key, and for this connection.
local key = own .. 'plan'
local plan = redis.call('HMGET', key, 'number', 'began', 'forgotten')
if not plan[1] then
  return { '0' }
end
local micros = clock[1] * 1000000 + clock[2]
local answer = { plan[1], whole(now - plan[2]), plan[3] or '0' }
for rule = 0, tonumber(ARGV[5]) - 1 do
  local counts = redis.call('HMGET', key, 'matched:' .. rule, 'injected:' .. rule, 'full:' .. rule)
  local groups = redis.call(
    'HMGET', own .. 'groups', rule .. ':k' .. redis.sha1hex(ARGV[6]), rule .. ':c' .. ARGV[7]
  )
  answer[#answer + 1] = counts[1] or '0'
  answer[#answer + 1] = counts[2] or '0'
  answer[#answer + 1] = whole(math.max((tonumber(counts[3]) or 0) - micros, 0))
  answer[#answer + 1] = groups[1] or '0'
  answer[#answer + 1] = groups[2] or '0'
end
return answer
