--[[
  Takes units out of a limit: the generic cell rate algorithm by the time of Redis. The key holds when, at the rate, all that
  was taken will have been earned; it ends by itself when nothing is owed.

  KEYS[1] string   the limit

  ARGV[1] number   rate, units a second
  ARGV[2] number   burst, units
  ARGV[3] number   units without which nothing is taken
  ARGV[4] number   most units to take, at least ARGV[3]
  ARGV[5] number   units of an earlier call that were not used

  Returns the units taken, and those left, as a decimal string.
]]
--- @include debt
local gap = 1e6 / tonumber(ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]
local owed = math.max(0, owed_units(redis.call('GET', KEYS[1]), now, gap, tonumber(ARGV[2])) - ARGV[5])
-- Times of day in microseconds are exact to a quarter of one.
local free = ARGV[2] - owed + 1e-6
local taken = 0
if free >= tonumber(ARGV[3]) then taken = math.min(tonumber(ARGV[4]), math.floor(free)) end
owed = owed + taken
if owed > 0 then
  owe(KEYS[1], owed, now, gap)
else
  redis.call('DEL', KEYS[1])
end
return { taken, string.format('%.3f', free - taken) }
