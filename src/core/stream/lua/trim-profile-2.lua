--[[
  Gives back what a profile's log has allocated and does not use: an append that needs room takes twice as much as it
  needs, so that half of a log may be spare. A copy has none.

  KEYS[1] string   log
  KEYS[2] string   name of the copy, of the same slot

  ARGV[1] number   share of a log that may be spare

  Returns { bytes of the log; those of them that were given back }.
]]
local bytes = redis.call('MEMORY', 'USAGE', KEYS[1]) or 0
local spare = bytes - redis.call('STRLEN', KEYS[1])
if spare <= bytes * tonumber(ARGV[1]) then return { bytes, 0 } end
-- Redis may have no memory for a copy.
local copied = redis.pcall('COPY', KEYS[1], KEYS[2], 'REPLACE')
if copied ~= 1 then return { bytes, 0 } end
redis.call('RENAME', KEYS[2], KEYS[1])
return { bytes, bytes - redis.call('MEMORY', 'USAGE', KEYS[1]) }
