--[[
  What a stream holds, and the memory of its node. A key of another type holds nothing to count.

  KEYS[1] stream   the corridor's transactions
  KEYS[2] hash     counts

  ARGV[1] number   nodes of the stream that are looked at for its size

  Returns { transactions; bytes, estimated from the oldest nodes of the stream; 1 when the stream can be appended to; name
  of the server; its maxmemory, 0 without one; bytes that count against it }.
]]
--- @include counting
--- @include is-type
local memory = redis.call('INFO', 'memory')
local function bytes_of(name)
  return tonumber(string.match(memory, '\n' .. name .. ':(%d+)')) or 0
end

local appendable = is_type('stream', KEYS[1]) and is_type('hash', KEYS[2])
local held = appendable and held_by(KEYS[1], KEYS[2]) or 0
local bytes = redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', ARGV[1]) or 0
local used = bytes_of('used_memory') - bytes_of('mem_not_counted_for_evict')
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
return { held, bytes, appendable and 1 or 0, server, bytes_of('maxmemory'), used }
