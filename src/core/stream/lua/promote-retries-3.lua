--[[
  Moves retries that are due back into their stream, oldest first. An entry leaves the set before it is
  appended, so the first write is one that a full Redis still allows; if the append fails it is put back.

  KEYS[1] sorted set  retries by due time, milliseconds: entry version, a space, head, a line feed and packed value of one transaction
  KEYS[2] stream      the corridor's transactions
  KEYS[3] hash        counts

  ARGV[1] number      entries to move at most

  Returns how many were moved.
]]
--- @include counting
local retries, transactions, counts = KEYS[1], KEYS[2], KEYS[3]
local limit = tonumber(ARGV[1])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local due = redis.call('ZRANGE', retries, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
if #due == 0 then return 0 end
local total = total_of(transactions, counts)
local moved = 0
local failure
for i = 1, #due, 2 do
  local head_end = string.find(due[i], '\n', 1, true) or 1
  local version, head = string.match(string.sub(due[i], 1, head_end - 1), '^(%S*) ?(.*)$')
  local packed = string.sub(due[i], head_end + 1)
  redis.call('ZREM', retries, due[i])
  local added = redis.pcall('XADD', transactions, '*', 'v', version, 'n', '1', 'h', head, 'd', packed)
  if type(added) == 'table' and added.err then
    redis.call('ZADD', retries, due[i + 1], due[i])
    failure = added.err
    break
  end
  moved = moved + 1
end
if moved > 0 then redis.call('HSET', counts, 'transactions', total + moved) end
return failure and redis.error_reply(failure) or moved
