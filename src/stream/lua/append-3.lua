--[[
  Appends a group of entries to one stream, unless the stream is left to the reconciler.

  KEYS[1] stream   the corridor's transactions
  KEYS[2] hash     counts
  KEYS[3] string   held: exists while older batches are owed to the stream; counts the groups refused since

  ARGV[1] number   transactions the stream may hold afterwards
  ARGV[2] string   entry version (field v)
  ARGV[3] string   mode:
                     direct  all of them or none; a refusal, for want of room too, holds the stream
                     leave   none: the caller knows of an older batch that is owed
                     owed    the reconciler: the first ones, as many as fit, held or not
  ARGV[4..]        for each entry: transactions (field n), head (field h), packed value (field d)

  Returns { entries appended, counted from the first; transactions that the stream has still room for }.
]]
--- @include counting
local transactions, counts, held = KEYS[1], KEYS[2], KEYS[3]
local version, mode = ARGV[2], ARGV[3]
local held_before = held_by(transactions, counts)
local room = math.max(0, tonumber(ARGV[1]) - held_before)

local group = 0
for i = 4, #ARGV, 3 do group = group + tonumber(ARGV[i]) end
if mode == 'leave' or (mode == 'direct' and (group > room or redis.call('EXISTS', held) == 1)) then
  redis.call('INCR', held)
  return { 0, 0 }
end

local entries, appended = 0, 0
for i = 4, #ARGV, 3 do
  local count = tonumber(ARGV[i])
  if appended + count > room then break end
  redis.call('XADD', transactions, '*', 'v', version, 'n', ARGV[i], 'h', ARGV[i + 1], 'd', ARGV[i + 2])
  entries, appended = entries + 1, appended + count
end
if appended > 0 then redis.call('HSET', counts, 'transactions', held_before + appended) end
return { entries, room - appended }
