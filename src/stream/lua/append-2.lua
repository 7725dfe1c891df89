--[[
  Appends a group of entries to one stream, unless the stream is left to the reconciler.

  KEYS[1] stream   the corridor's transactions
  KEYS[2] string   held: exists while older batches are owed to the stream; counts the groups refused since

  ARGV[1] number   entries the stream may hold afterwards
  ARGV[2] string   entry version (field v)
  ARGV[3] string   mode:
                     direct  all of them or none; a refusal, for want of room too, holds the stream
                     leave   none: the caller knows of an older batch that is owed
                     owed    the reconciler: the first ones, as many as fit, held or not
  ARGV[4..] string packed values (field d), one an entry

  Returns how many were appended, counted from the first.
]]
local transactions, held = KEYS[1], KEYS[2]
local entries_max = tonumber(ARGV[1])
local version, mode = ARGV[2], ARGV[3]
local count = #ARGV - 3
local room = math.max(0, entries_max - redis.call('XLEN', transactions))

if mode == 'owed' then
  count = math.min(count, room)
elseif mode == 'leave' or count > room or redis.call('EXISTS', held) == 1 then
  redis.call('INCR', held)
  return 0
end
for i = 4, count + 3 do
  redis.call('XADD', transactions, '*', 'v', version, 'd', ARGV[i])
end
return count
