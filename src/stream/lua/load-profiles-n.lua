--[[
  Reads profiles of one hash slot, leaving out those that the caller already has.

  KEYS[1..n] string  packed profiles, header first

  ARGV[1] number     bytes of the header
  ARGV[2..n+1]       header that the caller knows; '' for none

  Returns one value a key: false when absent, 1 when the known header still stands, else the bytes.
]]
local last = tonumber(ARGV[1]) - 1

local loaded = {}
for i, key in ipairs(KEYS) do
  local known = ARGV[i + 1]
  if known ~= '' and redis.call('GETRANGE', key, 0, last) == known then
    loaded[i] = 1
  else
    loaded[i] = redis.call('GET', key)
  end
end
return loaded
