-- Reads the failure modes of a session: how many of the following requests fail, and for how many milliseconds.
local key = own .. 'failure'
local left = (tonumber(redis.call('HGET', key, 'until')) or 0) - now
return { tonumber(redis.call('HGET', key, 'count')) or 0, math.max(left, 0) }
