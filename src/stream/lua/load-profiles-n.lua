--[[
  Reads profiles of one hash slot, leaving out those that the caller already has.

  KEYS[1..n] string  packed profiles, header last

  ARGV[1] number     bytes of a header
  ARGV[2] string     n headers that the caller knows, one after the other; all zero for none

  Returns one value a key: false when absent (or too short to have a header), 1 when the known header
  still stands, else the bytes.
]]
local header_bytes, known = tonumber(ARGV[1]), ARGV[2]
local none = string.rep('\0', header_bytes)

local loaded = {}
for i, key in ipairs(KEYS) do
  local header = string.sub(known, (i - 1) * header_bytes + 1, i * header_bytes)
  if header ~= none and redis.call('GETRANGE', key, -header_bytes, -1) == header then
    loaded[i] = 1
  else
    local value = redis.call('GET', key)
    loaded[i] = value and #value >= header_bytes and value
  end
end
return loaded
