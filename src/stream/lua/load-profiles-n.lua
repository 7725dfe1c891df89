--[[
  Reads profiles of one hash slot, leaving out those that the caller already has.

  KEYS[1]      string  generation of the slot: made here when it is missing, so it ends with the data
  KEYS[2..n+1] string  packed profiles, header last

  ARGV[1] number     bytes of a header
  ARGV[2] string     n headers that the caller knows, one after the other; all zero for none
  ARGV[3] string     the generation to make

  Returns the generation ('' when Redis is too full to make one) and one value a profile: false when absent
  (or too short to have a header), 1 when the known header still stands, else the bytes.
]]
local header_bytes, known = tonumber(ARGV[1]), ARGV[2]
local generation = redis.call('GET', KEYS[1])
if not generation then
  local made = redis.pcall('SET', KEYS[1], ARGV[3])
  generation = made.ok and ARGV[3] or ''
end
local none = string.rep('\0', header_bytes)
-- As text: Redis formats each number that a script passes as a double, at the cost of a command.
local from = '-' .. ARGV[1]

local loaded = { generation }
for i = 2, #KEYS do
  local key = KEYS[i]
  local header = string.sub(known, (i - 2) * header_bytes + 1, (i - 1) * header_bytes)
  if header ~= none and redis.call('GETRANGE', key, from, '-1') == header then
    loaded[i] = 1
  else
    local value = redis.call('GET', key)
    loaded[i] = value and #value >= header_bytes and value
  end
end
return loaded
