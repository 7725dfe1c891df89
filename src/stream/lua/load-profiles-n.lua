--[[
  Reads profiles of one hash slot, leaving out those that the caller already has.

  KEYS[1..n] string  packed profiles, header first

  ARGV[1] number     bytes of the header
  ARGV[2..n+1]       header that the caller knows; '' for none

  Returns one value a key: false when absent (or too short to have a header), 1 when the known header still stands, else the bytes.
]]
local header_bytes = tonumber(ARGV[1])

local loaded = {}
for i, key in ipairs(KEYS) do
  local known = ARGV[i + 1]
  if known ~= '' and redis.call('GETRANGE', key, 0, header_bytes - 1) == known then
    loaded[i] = 1
  else
    local value = redis.call('GET', key)
    loaded[i] = value and #value >= header_bytes and value
  end
end
return loaded
