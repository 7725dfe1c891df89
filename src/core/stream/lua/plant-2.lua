--[[
  Plants a token in a stream's group, as a consumer that never reads, and in its retries, as a member that is never due:
  it is gone as soon as one of them is deleted or made anew. Former tokens are removed.

  KEYS[1] stream      the corridor's transactions
  KEYS[2] sorted set  retries

  ARGV[1] string  consumer group
  ARGV[2] string  what tokens begin with
  ARGV[3] string  token
  ARGV[4] number  1: a token is gone, and the group may be another one: it delivers all that stands in the stream once more

  Returns the history of writes that the server continues.
]]
--- @include server-history
--- @include typed-keys
local transactions, retries = KEYS[1], KEYS[2]
local group, prefix, token = ARGV[1], ARGV[2], ARGV[3]

local created = redis.pcall('XGROUP', 'CREATE', transactions, group, '0', 'MKSTREAM')
if created.err then
  if not string.find(created.err, '^BUSYGROUP') then return created end
  if ARGV[4] == '1' then redis.call('XGROUP', 'SETID', transactions, group, '0') end
end
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', transactions, group)) do
  local name = consumer[2]
  if string.sub(name, 1, #prefix) == prefix then redis.call('XGROUP', 'DELCONSUMER', transactions, group, name) end
end
redis.call('XGROUP', 'CREATECONSUMER', transactions, group, token)
redis.call('ZREMRANGEBYSCORE', retries, '+inf', '+inf')
redis.call('ZADD', retries, '+inf', token)
return history()
