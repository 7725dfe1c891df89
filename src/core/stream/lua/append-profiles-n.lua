--[[
  Appends a block to each of some profiles' logs and answers with what the caller does not know of it.

  A caller that knows a log names its length and the stamp in front of that: where this stamp still stands, the log
  begins with what the caller has. An empty block only reads.

  A log that is absent is begun with the block alone: a placeholder, short-lived, until somebody who has rebuilt the
  profile puts a snapshot in front (install-profiles-n.lua). A log that Redis has no room to append to would lack the
  block from then on, so it is dropped.

  APPEND leaves half of a log spare when the log has to grow. Where memory is crowded the log is copied, which leaves nothing
  spare, and the copy takes its name.

  KEYS[1..n] string  logs
  KEYS[n + 1] string the name of a log's copy while the script runs
  KEYS[n + 2] string the history of writes that they belong to

  ARGV[1] string     a request for each log, one after the other, numbers little-endian:
    digits           u8: how many digits follow, 0 when the log is unknown; plus 128: renew the time to live of a log that the caller knows;
                     plus 64: begin no log, there is no room for it; plus 32: leave the log no spare memory
    length           u24: of the block
    from             decimal digits: where the known stamp begins
    stamp            8 bytes, where there are digits
    block            bytes
  ARGV[2] number     bytes of one reply, at most, but for the first log in it
  ARGV[3] number     time to live, seconds
  ARGV[4] number     time to live of a placeholder, seconds

  Returns one character a log in one string, which a client takes apart at a tenth of the cost of an array, and then the
  bytes for those that have some, in their order. A character is 0 nothing was appended since, 1 bytes since, 2 bytes of
  the whole log, 3 the log is absent; plus 4 where the block was not appended for want of room, so that the log is absent
  now; 8 the reply is full: ask again, nothing has happened.
]]
--- @include server-history
--- @include of-history
local requests, reply_max = ARGV[1], tonumber(ARGV[2])
local ttl_seconds, placeholder_seconds = ARGV[3], ARGV[4]
local SAME, SINCE, WHOLE, ABSENT, DROPPED, LATER = 0, 1, 2, 3, 4, 8

local codes, reply = {}, { '' }
local at, replied = 1, 0
local full = false

local copy = KEYS[#KEYS - 1]
for i = 1, #KEYS - 2 do
  local key = KEYS[i]
  local digits, low, middle, high = string.byte(requests, at, at + 3)
  local length = low + 256 * middle + 65536 * high
  local renew = digits >= 128
  if renew then digits = digits - 128 end
  local begins = digits < 64
  if not begins then digits = digits - 64 end
  local trims = digits >= 32
  if trims then digits = digits - 32 end
  local first = at + 4
  local code, bytes
  if digits > 0 then
    local stamp = string.sub(requests, first + digits, first + digits + 7)
    local tail = redis.call('GETRANGE', key, string.sub(requests, first, first + digits - 1), -1)
    if tail == stamp then
      code = SAME
    elseif string.sub(tail, 1, 8) == stamp then
      code, bytes = SINCE, string.sub(tail, 9)
    end
    first = first + digits + 8
  end
  if not code then
    bytes = redis.call('GET', key)
    code = bytes and WHOLE or ABSENT
  end
  at = first + length
  if bytes and replied > 0 and replied + #bytes > reply_max then
    code, bytes = LATER, nil
  elseif length > 0 then
    local refused = full or (code == ABSENT and not begins)
    if not refused then
      local block, written = string.sub(requests, first, at - 1), nil
      if code == ABSENT then
        written = redis.pcall('SET', key, block, 'EX', placeholder_seconds)
      else
        written = redis.pcall('APPEND', key, block)
      end
      refused = type(written) == 'table' and written.err ~= nil
      -- After a deletion Redis would let the rest of the script write beyond its limit.
      full = refused
    end
    if refused then
      if code ~= ABSENT or full then redis.call('DEL', key) end
      code = code + DROPPED
    elseif code ~= ABSENT then
      if renew and code ~= WHOLE then redis.call('EXPIRE', key, ttl_seconds) end
      if trims and redis.pcall('COPY', key, copy, 'REPLACE') == 1 then redis.call('RENAME', copy, key) end
    end
  end
  if bytes then
    replied = replied + #bytes
    reply[#reply + 1] = bytes
  end
  codes[i] = code
end
for i = 1, #codes do codes[i] = string.char(48 + codes[i]) end
reply[1] = table.concat(codes)
return reply
