--[[
  Puts a snapshot in front of each of some profiles' logs, in place of what the caller knew of it; what was appended
  behind that stays. Only where the known stamp still stands: else somebody else was first, or the log was lost or made
  invalid since, and the snapshot may lack what it had taken in or what made it invalid. A log that Redis has no room to
  write is dropped.

  KEYS[1..n] string  logs
  KEYS[n + 1] string the history of writes that they belong to

  ARGV[1] string     what the caller knows of each log, one after the other, numbers little-endian:
    digits           u8: how many digits follow
    unused           3 bytes
    from             decimal digits: where the known stamp begins
    stamp            8 bytes
  ARGV[2] number     time to live, seconds
  ARGV[3..] string   a snapshot for each log: apart, as Lua hashes each string that it makes, byte by byte

  Returns one digit a log, in one string: 0 refused, 1 installed, 2 dropped.
]]
--- @include server-history
--- @include of-history
local heads, ttl_seconds = ARGV[1], ARGV[2]
local outcomes = {}
local at = 1
local full = false
for i = 1, #KEYS - 1 do
  local key = KEYS[i]
  local stamp_at = at + 4 + string.byte(heads, at)
  local stamp = string.sub(heads, stamp_at, stamp_at + 7)
  local tail = redis.call('GETRANGE', key, string.sub(heads, at + 4, stamp_at - 1), '-1')
  at = stamp_at + 8
  outcomes[i] = '0'
  if string.sub(tail, 1, 8) == stamp then
    if not full then
      local log = ARGV[2 + i]
      -- APPEND would leave half of the log spare.
      if #tail > 8 then log = log .. string.sub(tail, 9) end
      -- After a deletion Redis would let the rest of the script write beyond its limit.
      full = redis.pcall('SET', key, log, 'EX', ttl_seconds).err ~= nil
    end
    outcomes[i] = '1'
    if full then
      redis.call('DEL', key)
      outcomes[i] = '2'
    end
  end
end
return table.concat(outcomes)
