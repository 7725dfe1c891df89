--[[
  Puts a name, of a model that is out or a worker with its figures, on a list that forgets.

  KEYS[1] sorted set  names by when they were last announced, milliseconds of the server's clock

  ARGV[1] string  the name
  ARGV[2] number  for how long a name stays after it was announced, milliseconds

  Adding comes first, so that a full Redis refuses all of it.
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
