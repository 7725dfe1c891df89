--[[
  Takes over entries that their consumer has left alone for too long, oldest first. Claiming counts as a
  delivery, so it takes only what will be worked on at once: an entry that was delivered often, which may
  be what crashed its workers, comes alone. Deleted entries leave the pending list here.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  consumer group
  ARGV[2] string  consumer that takes over
  ARGV[3] number  idle time from which an entry is stale, milliseconds
  ARGV[4] string  where to begin: '-' at first, then the returned cursor
  ARGV[5] number  entries to claim at most
  ARGV[6] number  deliveries after which an entry comes alone

  Returns { cursor, { id, deliveries, fields, ... } }; the cursor is '-' when the end was reached.
]]
local transactions, group, consumer, idle = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local limit, deliveries_together = tonumber(ARGV[5]), tonumber(ARGV[6])

local stale = redis.call('XPENDING', transactions, group, 'IDLE', idle, ARGV[4], '+', limit)
local ids, deliveries = {}, {}
for _, row in ipairs(stale) do
  local id, count = row[1], row[4]
  local alone = count >= deliveries_together
  if alone and #ids > 0 then break end
  ids[#ids + 1] = id
  deliveries[id] = count + 1
  if alone then break end
end
if #ids == 0 then return { '-', {} } end

local entries = {}
for _, entry in ipairs(redis.call('XCLAIM', transactions, group, consumer, idle, unpack(ids))) do
  if entry then
    entries[#entries + 1] = entry[1]
    entries[#entries + 1] = deliveries[entry[1]]
    entries[#entries + 1] = entry[2]
  end
end
local reached_end = #stale < limit and #ids == #stale
return { reached_end and '-' or '(' .. ids[#ids], entries }
