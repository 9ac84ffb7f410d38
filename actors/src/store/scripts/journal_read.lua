-- Reads a part of the journal of a session.
--
-- ARGV[5]  the number behind which it begins
-- ARGV[6]  how many records it has at most
--
-- Returns the number of the last record of the journal, how many have been forgotten, and then records, each after its
-- number.
local list = own .. 'records'
local last = tonumber(redis.call('HGET', own .. 'journal', 'last')) or 0
local forgotten = last - redis.call('LLEN', list)
local answer = { last, forgotten }
local first = math.max(tonumber(ARGV[5]), forgotten)
local found = redis.call('LRANGE', list, whole(first - forgotten), whole(first - forgotten + ARGV[6] - 1))
for i, record in ipairs(found) do
  answer[#answer + 1] = whole(first + i)
  answer[#answer + 1] = string.match(record, '^%d+ %d+ (.*)$')
end
return answer
