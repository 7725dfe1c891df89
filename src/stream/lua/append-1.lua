--[[
  Appends a group of entries to one stream, all of them or none.

  KEYS[1] stream   the corridor's transactions

  ARGV[1] number   entries the stream may hold afterwards
  ARGV[2] string   entry version (field v)
  ARGV[3..] string packed values (field d), one an entry

  Returns 1 when all were appended, 0 when the stream would hold too many.
]]
local transactions = KEYS[1]
local entries_max = tonumber(ARGV[1])
local version = ARGV[2]

if redis.call('XLEN', transactions) + #ARGV - 2 > entries_max then
  return 0
end
for i = 3, #ARGV do
  redis.call('XADD', transactions, '*', 'v', version, 'd', ARGV[i])
end
return 1
