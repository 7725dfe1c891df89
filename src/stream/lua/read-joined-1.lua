--[[
  Reads entries that nobody has read yet, without blocking, and joins them into one string: the client
  spends more on taking a nested reply apart than on all else it does with an entry before scoring it.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  consumer group
  ARGV[2] string  this consumer
  ARGV[3] number  entries at most

  Returns nil when there are none; else how many entries the stream holds, and a string of id, version and
  packed value, one after the other and each ended by a zero byte, when all entries have just these fields,
  or what XREADGROUP returned when not.
]]
local reply = redis.call('XREADGROUP', 'GROUP', ARGV[1], ARGV[2], 'COUNT', ARGV[3], 'STREAMS', KEYS[1], '>')
if not reply then return nil end

local parts = {}
for i, entry in ipairs(reply[1][2]) do
  local fields = entry[2]
  if #fields ~= 4 or fields[1] ~= 'v' or fields[3] ~= 'd' or string.find(fields[2], '\0', 1, true)
    or string.find(fields[4], '\0', 1, true) then
    return { redis.call('XLEN', KEYS[1]), reply }
  end
  parts[3 * i - 2] = entry[1]
  parts[3 * i - 1] = fields[2]
  parts[3 * i] = fields[4]
end
parts[#parts + 1] = ''
return { redis.call('XLEN', KEYS[1]), table.concat(parts, '\0') }
