--[[
  Takes a unit of each party of each input: the generic cell rate algorithm by the time of Redis. A key holds when, at the rate, all
  that its party took will have been earned; it ends by itself when nothing is owed.

  KEYS[i] string   a party, the parties of the first limit first

  ARGV[1] number   1: each input is taken or refused alone; 0: nothing is taken where one is refused
  ARGV[2] json     a list of [rate a second, burst, number of its keys] for each limit
  ARGV[3] json     a list of [the numbers of its keys] for each input

  Returns for each refused input its number, the number of the key that lacks most, and the units missing as a decimal string.
]]
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]
local gaps, bursts, ends = {}, {}, redis.call('MGET', unpack(KEYS))
local key = 0
for _, limit in ipairs(cjson.decode(ARGV[2])) do
  for _ = 1, limit[3] do
    key = key + 1
    gaps[key] = 1e6 / limit[1]
    bursts[key] = limit[2] * gaps[key]
    ends[key] = math.max(now, tonumber(ends[key] or now))
  end
end
-- Sums of rounded times may be off by less.
local rounding = 0.01
local refused, taken = {}, {}
for input, parties in ipairs(cjson.decode(ARGV[3])) do
  local most, lacking = rounding, nil
  for _, party in ipairs(parties) do
    local missing = (ends[party] + gaps[party] - now - bursts[party]) / gaps[party]
    if missing > most then most, lacking = missing, party end
  end
  if lacking then
    table.insert(refused, { input, lacking, string.format('%.3f', most) })
  else
    for _, party in ipairs(parties) do
      ends[party] = ends[party] + gaps[party]
      taken[party] = true
    end
  end
end
if ARGV[1] == '0' and #refused > 0 then return refused end
for party in pairs(taken) do
  local owed = math.ceil((ends[party] - now) / 1000)
  redis.call('SET', KEYS[party], string.format('%.0f', ends[party]), 'PX', owed)
end
return refused
