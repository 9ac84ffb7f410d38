-- Decides what a request gets whose matchers hold for some rules of a plan, and counts it.
--
-- ARGV[5]  the number of the plan
-- ARGV[6]  the idempotency key of the request; empty without one
-- ARGV[7]  its connection, as no other server names one of its own
-- ARGV[8…] the rules, from 0, in ascending order
--
-- A rule is a line of words: its kind, what counts together, how many milliseconds after the plan began it begins to hold
-- and for how many it does, how often it injects at most ('-' for no limit), and by its kind
--   script  what follows the last step, and a digit for each step: 0 injects nothing, 1 only delays, 2 has a fault
--   fault   its probability, and such a digit
--   rate    requests a second, requests at once
--
-- Returns the number of the plan and, for each rule that counted the request, its index, which match it is, and what it
-- gives: the step ('-' for none), or 'refuse' and how many microseconds later a request would be admitted.
-- The number alone, which is then another one, means that the plan has been replaced.
local key = own .. 'plan'
local plan = redis.call('HMGET', key, 'number', 'began', 'seed')
if plan[1] ~= ARGV[5] then
  return { plan[1] or '0' }
end
local age = now - plan[2]
local micros = clock[1] * 1000000 + clock[2]

-- How many groups a plan remembers. The one that was unused for the longest time is forgotten first.
local MOST = 100000

local function group_of(per)
  if per == 'key' then
    return ARGV[6] ~= '' and 'k' .. redis.sha1hex(ARGV[6]) or nil
  end
  return 'c' .. ARGV[7]
end

local function draw(rule, group, n)
  local high, low = sha256(plan[3] .. '/' .. rule .. '/' .. group .. '/' .. whole(n) .. '/fault')
  return (high * 2 ^ 21 + math.floor(low / 2 ^ 11)) / 2 ^ 53
end

-- The place of the step that the n-th match gets; nil for none.
local function step_of(follows, steps, n)
  if n <= steps then
    return n - 1
  elseif follows == 'last' then
    return steps - 1
  elseif follows == 'repeat' then
    return (n - 1) % steps
  end
end

-- What a rule gives: the step or '-', whether it injects, whether it is the last word, and for how long it refuses.
local function give(words, rule, n)
  if words[1] == 'script' then
    local step = step_of(words[6], #words[7], n)
    local digit = step and string.sub(words[7], step + 1, step + 1) or '0'
    return step and whole(step) or '-', digit ~= '0', digit == '2'
  elseif words[1] == 'fault' then
    local group = words[2] == 'key' and ARGV[6] or ''
    local hits = tonumber(words[6]) >= 1 or draw(rule, group, n) < tonumber(words[6])
    return hits and '0' or '-', hits and words[7] ~= '0', hits and words[7] == '2'
  end
  local interval = math.min(1000000 / words[6], 365 * 24 * 3600 * 1000000)
  local full = math.max(tonumber(redis.call('HGET', key, 'full:' .. rule)) or 0, micros)
  local ahead = full - micros - interval * (words[7] - 1)
  if ahead > 0 then
    return '-', true, true, math.max(math.floor(ahead), 1)
  end
  redis.call('HSET', key, 'full:' .. rule, whole(math.floor(full + interval)))
  return '-', false, false
end

local answer = { plan[1] }
for i = 8, #ARGV do
  local rule, words = ARGV[i], {}
  for word in string.gmatch(redis.call('HGET', key, 'rule:' .. ARGV[i]) or '', '%S+') do
    words[#words + 1] = word
  end
  local after, lasts, times = tonumber(words[3]), tonumber(words[4]), tonumber(words[5])
  local injected = tonumber(redis.call('HGET', key, 'injected:' .. rule)) or 0
  local holds = age >= after and not (lasts and age - after >= lasts) and not (times and injected >= times)
  local group = words[2] ~= 'session' and group_of(words[2])
  if holds and group ~= nil then
    local matched = redis.call('HINCRBY', key, 'matched:' .. rule, 1)
    local n = matched
    if group then
      local field = rule .. ':' .. group
      n = redis.call('HINCRBY', own .. 'groups', field, 1)
      redis.call('ZADD', own .. 'group-uses', redis.call('HINCRBY', key, 'uses', 1), field)
    end
    local step, injects, final, refused = give(words, rule, n)
    if injects then
      redis.call('HINCRBY', key, 'injected:' .. rule, 1)
    end
    for _, value in ipairs({ rule, whole(n), refused and 'refuse' or step, refused and whole(refused) or '0' }) do
      answer[#answer + 1] = value
    end
    if final then
      break
    end
  end
end

while redis.call('HLEN', own .. 'groups') > MOST do
  local gone = redis.call('ZRANGE', own .. 'group-uses', 0, 0)[1]
  redis.call('ZREM', own .. 'group-uses', gone)
  redis.call('HDEL', own .. 'groups', gone)
  redis.call('HINCRBY', key, 'forgotten', 1)
end
for _, name in ipairs({ 'plan', 'groups', 'group-uses' }) do
  keep(own .. name)
end
return answer
