--[[
  Takes a unit of each party of each input: the generic cell rate algorithm by the time of Redis. A key holds when, at the rate, all
  that its party took will have been earned; it ends by itself when nothing is owed.

  KEYS[i] string   a party, the parties of the first limit first

  ARGV[1] number   1: each input is taken or refused alone; 0: nothing is taken where one is refused
  ARGV[2] json     a list of [rate a second, burst, number of its keys] for each limit
  ARGV[3] json     a list of [the numbers of its keys] for each input

  Returns for each refused input its number, the number of the key that lacks most, and the units missing as a decimal string.
]]
--- @include debt
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]
local gaps, bursts, owed, debts = {}, {}, {}, redis.call('MGET', unpack(KEYS))
local key = 0
for _, limit in ipairs(cjson.decode(ARGV[2])) do
  for _ = 1, limit[3] do
    key = key + 1
    gaps[key], bursts[key] = 1e6 / limit[1], limit[2]
    local is_old
    owed[key], is_old = owed_units(debts[key], now, gaps[key], bursts[key])
    -- At once, as nothing else is written of a party that is refused.
    if is_old and owed[key] > 0 then owe(KEYS[key], owed[key], now, gaps[key]) end
  end
end
-- Sums of rounded times may be off by less.
local rounding = 0.01
local refused, taken = {}, {}
for input, parties in ipairs(cjson.decode(ARGV[3])) do
  local most, lacking = rounding, nil
  for _, party in ipairs(parties) do
    local missing = owed[party] + 1 - bursts[party]
    if missing > most then most, lacking = missing, party end
  end
  if lacking then
    table.insert(refused, { input, lacking, string.format('%.3f', most) })
  else
    for _, party in ipairs(parties) do
      owed[party] = owed[party] + 1
      taken[party] = true
    end
  end
end
if ARGV[1] == '0' and #refused > 0 then return refused end
for party in pairs(taken) do
  owe(KEYS[party], owed[party], now, gaps[party])
end
return refused
