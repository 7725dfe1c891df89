--[[
  Says that a worker is alive, and tells which ones are.

  KEYS[1] sorted set  workers by when they last said so, milliseconds of the server's clock

  ARGV[1] string  name of this worker
  ARGV[2] number  for how long a worker counts as alive, milliseconds

  Returns the names of all that are alive, sorted by when they said so.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], 0, -1)
