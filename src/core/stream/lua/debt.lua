-- A debt of a limit is a decimal number: before the point stands the microsecond at which all will have been earned, and behind the
-- point stand the picoseconds in which a unit is earned.

local function price(gap)
  return string.format('%.0f', gap * 1e6)
end

-- Units that are owed now, by the rate that wrote the debt: never more than the burst in force, whatever the clock has done.
-- The second result says that the debt must be written anew, as otherwise the old rate or the old clock earns it.
local function owed_units(debt, now, gap, burst)
  local ends, old = string.match(debt or '', '^(%d+)%.?(%d*)$')
  if not ends then return 0, false end
  -- Without a price the debt is one at the rate in force.
  local units = (tonumber(ends) - now) / (old == '' and gap or old / 1e6)
  return math.max(0, math.min(burst, units)), old ~= price(gap) or units > burst
end

-- Writes a debt of more than nothing.
local function owe(key, units, now, gap)
  local owed = units * gap
  redis.call('SET', key, string.format('%.0f.', now + owed) .. price(gap), 'PX', math.ceil(owed / 1000))
end
