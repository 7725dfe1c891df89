--[[
  Takes units of many parties by the generic cell rate algorithm and the time of Redis, in one call. A key holds when, at the
  rate, all that was taken will have been earned; it ends by itself when nothing is owed.

  KEYS[i] string   a party

  ARGV[1] number   1: nothing is taken where one party has fewer units than needed; 0: each party gives what it has
  ARGV[3i - 1]     rate of party i, units a second
  ARGV[3i] number  burst, units
  ARGV[3i + 1]     units needed

  Returns for each party with fewer units than needed: its i, the units it has, as a decimal string.
]]
local time = redis.call('TIME')
local now = time[1] * 1e6 + time[2]
local debts = {}
local short = {}
for i, key in ipairs(KEYS) do
  local gap = 1e6 / tonumber(ARGV[3 * i - 1])
  local owed = math.max(0, tonumber(redis.call('GET', key) or now) - now)
  -- Times of day in microseconds are exact to a quarter of one.
  local free = ARGV[3 * i] - owed / gap + 1e-6
  local needed = tonumber(ARGV[3 * i + 1])
  if free < needed then
    short[#short + 1] = i
    short[#short + 1] = string.format('%.3f', free)
    needed = math.max(0, math.floor(free))
  end
  debts[i] = needed > 0 and owed + needed * gap or 0
end
if #short > 0 and ARGV[1] == '1' then return short end
for i, key in ipairs(KEYS) do
  if debts[i] > 0 then
    redis.call('SET', key, string.format('%.0f', now + debts[i]), 'PX', math.ceil(debts[i] / 1000))
  end
end
return short
