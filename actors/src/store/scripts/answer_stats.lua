-- Reads how many answers are stored, and how many executions are in flight.
return { redis.call('HLEN', own .. 'answers'), redis.call('HLEN', own .. 'flights') }
