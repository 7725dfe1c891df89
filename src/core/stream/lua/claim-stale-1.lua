--[[
  Takes over entries that their consumer has left alone for too long, oldest first. Claiming counts as a
  delivery, so it takes only what will be worked on at once: an entry that was delivered often, which may
  be what crashed its workers, comes alone. One of several transactions that was delivered often is taken over
  without counting a delivery, to be divided rather than worked on. Deleted entries leave the pending list here. An entry of
  a version that the caller does not read stays as it is, so that workers which do not read it never take it in turns.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  consumer group
  ARGV[2] string  consumer that takes over
  ARGV[3] number  idle time from which an entry is stale, milliseconds
  ARGV[4] string  where to begin: '-' at first, then the returned cursor
  ARGV[5] number  transactions to claim at most; the first entry may exceed it
  ARGV[6] number  deliveries after which an entry comes alone
  ARGV[7] number  deliveries after which an entry of several is to be divided
  ARGV[8] string  entry version that the caller reads

  Returns { cursor, { id, deliveries, fields, 1 when to be divided, ... } }; the cursor is '-' when the end was reached.
]]
--- @include counting
--- @include entry-version
local transactions, group, consumer, idle = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local limit, together, whole = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local ROWS = 100

-- Deliveries of the entries that an entry was before stand in its head.
local function carried(fields)
  return tonumber(string.match(' ' .. (value_of(fields, 'h') or ''), ' deliveries=(%d+)')) or 0
end

local stale = redis.call('XPENDING', transactions, group, 'IDLE', idle, ARGV[4], '+', ROWS)
local entries, sum, seen = {}, 0, 0
local function take(id, deliveries, fields, divide)
  local count = count_of(fields)
  entries[#entries + 1] = id
  entries[#entries + 1] = deliveries
  entries[#entries + 1] = fields
  entries[#entries + 1] = divide
  sum = sum + count
end

for _, row in ipairs(stale) do
  local id, delivered = row[1], row[4]
  local found = redis.call('XRANGE', transactions, id, id)[1]
  if not found then
    redis.call('XACK', transactions, group, id)
  elseif not is_unread(found[2], ARGV[8]) then
    local fields = found[2]
    local deliveries, count = delivered + carried(fields), count_of(fields)
    if sum > 0 and sum + count > limit then break end
    if count > 1 and deliveries >= whole then
      redis.call('XCLAIM', transactions, group, consumer, idle, id, 'JUSTID')
      take(id, delivered, fields, 1)
    else
      local alone = deliveries >= together
      if alone and sum > 0 then break end
      redis.call('XCLAIM', transactions, group, consumer, idle, id)
      take(id, delivered + 1, fields, 0)
      if alone then
        seen = seen + 1
        break
      end
    end
  end
  seen = seen + 1
end
local reached_end = #stale < ROWS and seen == #stale
return { (reached_end or seen == 0) and '-' or '(' .. stale[seen][1], entries }
