--[[
  Appends a group of entries to one stream: the first ones, as many as fit.

  KEYS[1] stream   the corridor's transactions
  KEYS[2] hash     counts

  ARGV[1] number   transactions the stream may hold afterwards
  ARGV[2] string   entry version (field v)
  ARGV[3..]        for each entry: transactions (field n), head (field h), packed value (field d)

  Returns { entries appended, counted from the first; transactions that the stream has still room for }.
]]
--- @include counting
local transactions, counts = KEYS[1], KEYS[2]
local version = ARGV[2]
local total_before = total_of(transactions, counts)
local room = math.max(0, tonumber(ARGV[1]) - total_before)

local entries, appended = 0, 0
for i = 3, #ARGV, 3 do
  local count = tonumber(ARGV[i])
  if appended + count > room then break end
  redis.call('XADD', transactions, '*', 'v', version, 'n', ARGV[i], 'h', ARGV[i + 1], 'd', ARGV[i + 2])
  entries, appended = entries + 1, appended + count
end
if appended > 0 then redis.call('HSET', counts, 'transactions', total_before + appended) end
return { entries, room - appended }
