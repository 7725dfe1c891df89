--[[
  Whether a stream has entries that their consumer has left alone for too long, or the stream cannot be asked.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  consumer group
  ARGV[2] string  idle time from which an entry is stale, milliseconds

  Returns 1 or 0.
]]
local stale = redis.pcall('XPENDING', KEYS[1], ARGV[1], 'IDLE', ARGV[2], '-', '+', 1)
return (stale.err or #stale > 0) and 1 or 0
