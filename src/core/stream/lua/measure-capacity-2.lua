--[[
  What a stream holds, and where it is. A key of another type holds nothing to count.

  KEYS[1] stream   the corridor's transactions
  KEYS[2] hash     counts

  ARGV[1] number   nodes of the stream that are looked at for its size

  Returns { transactions; bytes, estimated from the oldest nodes of the stream; 1 when the stream can be appended to; run id
  of the server }.
]]
--- @include counting
--- @include is-type
local appendable = is_type('stream', KEYS[1]) and is_type('hash', KEYS[2])
local total = appendable and total_of(KEYS[1], KEYS[2]) or 0
local bytes = redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', ARGV[1]) or 0
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
return { total, bytes, appendable and 1 or 0, server }
