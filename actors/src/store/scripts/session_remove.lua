-- Ends a session. It is an order: see `order`. The result is 1, or 0 if there is no such session.
if redis.call('EXISTS', own .. 'session') == 0 then
  return refusal({ 0 })
end
return order(remove(session), { 1 })
