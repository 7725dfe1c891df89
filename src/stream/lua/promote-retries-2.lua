--[[
  Moves retries that are due back into their stream, oldest first. An entry leaves the set before it is
  appended, so the first write is one that a full Redis still allows; if the append fails it is put back.

  KEYS[1] sorted set  retries: packed value by due time, milliseconds
  KEYS[2] stream      the corridor's transactions

  ARGV[1] string      entry version (field v)
  ARGV[2] number      entries to move at most

  Returns how many were moved.
]]
local retries, transactions = KEYS[1], KEYS[2]
local version, limit = ARGV[1], tonumber(ARGV[2])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGE', retries, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
local moved = 0
for i = 1, #due, 2 do
  redis.call('ZREM', retries, due[i])
  local added = redis.pcall('XADD', transactions, '*', 'v', version, 'd', due[i])
  if type(added) == 'table' and added.err then
    redis.call('ZADD', retries, due[i + 1], due[i])
    return redis.error_reply(added.err)
  end
  moved = moved + 1
end
return moved
