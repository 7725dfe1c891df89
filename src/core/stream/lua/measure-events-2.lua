--[[
  Ends events of an age, and tells what the events and the copies of dead letters of a stream take. A key of another type
  holds none of them.

  KEYS[1] stream  transaction.scored events
  KEYS[2] stream  dead letters, a bounded copy

  ARGV[1] number  age up to which events are kept, milliseconds

  Returns { events, their bytes; copies, their bytes }.
]]
local scored, dead_letters, age = KEYS[1], KEYS[2], tonumber(ARGV[1])

local function size_of(key)
  if redis.call('TYPE', key).ok ~= 'stream' then return 0, 0 end
  return redis.call('XLEN', key), redis.call('MEMORY', 'USAGE', key)
end

if redis.call('TYPE', scored).ok == 'stream' then
  local time = redis.call('TIME')
  redis.call('XTRIM', scored, 'MINID', time[1] * 1000 + math.floor(time[2] / 1000) - age)
  -- Events of a stream that no worker looks after any more end by themselves; a renewal a day suffices.
  if redis.call('PTTL', scored) < age then redis.call('PEXPIRE', scored, age + 86400000) end
end
local events, event_bytes = size_of(scored)
local copies, copy_bytes = size_of(dead_letters)
return { events, event_bytes, copies, copy_bytes }
