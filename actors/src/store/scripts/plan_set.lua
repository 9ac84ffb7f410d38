-- Puts a fault plan in force that begins now, or ends the one that there is. It is an order: see `order`.
--
-- ARGV[5]  the seed; empty to end the plan
-- ARGV[6]  the plan as it was written
-- ARGV[7…] one line for each rule; see `plan_decide`
--
-- The result is the number of the plan.
redis.call('DEL', own .. 'plan', own .. 'groups', own .. 'group-uses')
local number = next_number()
if ARGV[5] == '' then
  return order(announce('plan:' .. session, nil), { number })
end
redis.call('HSET', own .. 'plan', 'number', number, 'began', whole(now), 'seed', ARGV[5])
for i = 7, #ARGV do
  redis.call('HSET', own .. 'plan', 'rule:' .. (i - 7), ARGV[i])
end
keep(own .. 'plan')
return order(announce('plan:' .. session, number .. ' ' .. ARGV[5] .. ' ' .. ARGV[6]), { number })
