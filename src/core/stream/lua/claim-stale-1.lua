--[[
  Takes over entries that their consumer has left alone for too long, oldest first. Claiming counts as a
  delivery, so it takes only what will be worked on at once: an entry that was delivered often, which may
  be what crashed its workers, comes alone. One of several transactions that was delivered often is taken over
  without counting a delivery, to be divided rather than worked on. Deleted entries leave the pending list here. An entry of
  a version that the caller does not read is left to those that do.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  consumer group
  ARGV[2] string  consumer that takes over
  ARGV[3] number  idle time from which an entry is stale, milliseconds
  ARGV[4] string  where to begin: '-' at first, then the returned cursor
  ARGV[5] number  transactions to claim at most; the first entry may exceed it
  ARGV[6] number  deliveries after which an entry comes alone
  ARGV[7] number  deliveries after which an entry of several is to be divided
  ARGV[8] string  '' for entries of any consumer; else of this one alone
  ARGV[9..] strings versions that the caller reads

  Returns { cursor, { id, deliveries, fields, 1 when to be divided, ... } }; the cursor is '-' when the end was reached.
]]
--- @include counting
local transactions, group, consumer, idle = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local limit, together, whole = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local from = ARGV[8]
local ROWS = 100

local reads = {}
for i = 9, #ARGV do reads[ARGV[i]] = true end
-- A text that is no version is claimed, and found malformed.
local function is_unread(version)
  return version ~= nil and string.match(version, '^[1-9]%d?%d?%d?$') ~= nil and not reads[version]
end

local function value_of(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
end

-- Deliveries of the entries that an entry was before stand in its head; in version 2 by their place.
local function carried(fields)
  local head = value_of(fields, 'h') or ''
  return tonumber(string.match(' ' .. head, ' deliveries=(%d+)') or string.match(head, '^%d %l+ (%d+) ')) or 0
end

local list = { 'XPENDING', transactions, group, 'IDLE', idle, ARGV[4], '+', ROWS }
if from ~= '' then list[#list + 1] = from end
local stale = redis.call(unpack(list))
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
  elseif not is_unread(value_of(found[2], 'v')) then
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
