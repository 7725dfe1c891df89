--[[
  Reads profiles of some hash slots (of one on a cluster), leaving out those that the caller already has.

  KEYS, for each slot:
    string  generation of the slot: made here when it is missing, so it ends with the data
    string  packed profiles, header last

  ARGV[1] number     bytes of a header
  ARGV[2] string     headers of all profiles that the caller knows, one after the other; all zero for none
  ARGV[3] string     the generation to make
  ARGV[4] string     how many profiles each slot has, separated by spaces

  Returns one value a key. Of a generation: its text ('' when Redis is too full to make one). Of a profile: false
  when absent (or too short to have a header), 1 when the known header still stands, else the bytes.
]]
local header_bytes, known = tonumber(ARGV[1]), ARGV[2]
local none = string.rep('\0', header_bytes)
-- As text: Redis formats each number that a script passes as a double, at the cost of a command.
local from = '-' .. ARGV[1]

local loaded = {}
local at, header_at = 0, 1
for profiles in string.gmatch(ARGV[4], '%d+') do
  at = at + 1
  local generation = redis.call('GET', KEYS[at])
  if not generation then
    local made = redis.pcall('SET', KEYS[at], ARGV[3])
    generation = made.ok and ARGV[3] or ''
  end
  loaded[at] = generation
  for _ = 1, tonumber(profiles) do
    at = at + 1
    local key = KEYS[at]
    local header = string.sub(known, header_at, header_at + header_bytes - 1)
    header_at = header_at + header_bytes
    if header ~= none and redis.call('GETRANGE', key, from, '-1') == header then
      loaded[at] = 1
    else
      local value = redis.call('GET', key)
      loaded[at] = value and #value >= header_bytes and value
    end
  end
end
return loaded
