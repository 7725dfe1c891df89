--[[
  Ends the life of a batch's entries in one stream: acknowledged, waiting for another attempt, given up
  or released. Whatever must outlive the entry was committed to Postgres before.

  An acknowledgement needs no ownership: the score is stored, whoever holds the entry now. Everything
  else happens only while the entry still belongs to this consumer. The first write of each entry is
  its XACK, so a Redis at its memory limit still lets the whole script through.

  Acknowledged entries are deleted with it, so one that is gone from the stream was settled by another
  consumer, who has published its event. That is looked up only where fewer were pending than we held.

  KEYS[1] stream      the corridor's transactions
  KEYS[2] sorted set  retries: packed value by due time, milliseconds
  KEYS[3] stream      dead letters, a bounded copy of table dead_letters
  KEYS[4] stream      transaction.scored events

  ARGV[1] string      consumer group
  ARGV[2] string      this consumer
  ARGV[3] string      entry version (field v)
  ARGV[4] string      scored_at of all events
  ARGV[5] number      events to keep at most; 0 writes none
  ARGV[6] number      age up to which events are kept, milliseconds
  ARGV[7] number      dead letters to keep at most
  ARGV[8] string      acknowledgements, one after the other: entry id, transaction_id ('' writes no
                      event), account_id, score, verdict, each ended by a zero byte
  ARGV[9] number      how many retries, dead letters, releases and replies follow:
  ...     ARGV[12]    four counts
  then as many groups of strings:
    retry             entry id, wait in milliseconds, next packed value
    dead letter       entry id, transaction_id, account_id, attempts, error, failed_at
    release           entry id, next packed value
    reply             channel, score as JSON

  Returns the ids of acknowledged entries that were gone before.
]]
--- @include settlable
local transactions, retries, dead_letters, scored = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, version, scored_at = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local events_max, events_age, dead_letters_max = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local acknowledgements = ARGV[8]
local counts = { retry = tonumber(ARGV[9]), give_up = tonumber(ARGV[10]), release = tonumber(ARGV[11]),
  reply = tonumber(ARGV[12]) }
local ACKNOWLEDGEMENT = '([^%z]*)%z([^%z]*)%z([^%z]*)%z([^%z]*)%z([^%z]*)%z'
local AT_ONCE = 1000
local at = 13

local deleted = {}
local function delete(id)
  deleted[#deleted + 1] = id
  if #deleted == AT_ONCE then
    redis.call('XDEL', transactions, unpack(deleted))
    deleted = {}
  end
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local gone = {}

-- Acknowledges, and takes note of those that were gone before.
local function acknowledge(ids)
  if redis.call('XACK', transactions, group, unpack(ids)) == #ids then return end
  for _, id in ipairs(ids) do
    if #redis.call('XRANGE', transactions, id, id) == 0 then
      gone[#gone + 1] = id
      gone[id] = true
    end
  end
end

local ids, events = {}, {}
local function conclude()
  if #ids == 0 then return end
  acknowledge(ids)
  for i, id in ipairs(ids) do
    local event = events[i]
    if event and not gone[id] then
      redis.call('XADD', scored, '*', 'v', '1', 'transaction_id', event[1], 'account_id', event[2],
        'score', event[3], 'verdict', event[4], 'scored_at', scored_at)
    end
    delete(id)
  end
  ids, events = {}, {}
end

for id, transaction_id, account_id, score, verdict in string.gmatch(acknowledgements, ACKNOWLEDGEMENT) do
  ids[#ids + 1] = id
  events[#ids] = transaction_id ~= '' and events_max > 0 and { transaction_id, account_id, score, verdict }
  if #ids == AT_ONCE then conclude() end
end
conclude()

-- A group that is gone owns nothing: its entries come back when it is made again.
local function owned(id)
  local pending = redis.pcall('XPENDING', transactions, group, id, id, 1, consumer)
  return pending.err == nil and #pending == 1
end

for _ = 1, counts.retry do
  local id = ARGV[at]
  if owned(id) then
    redis.call('XACK', transactions, group, id)
    redis.call('ZADD', retries, now + ARGV[at + 1], ARGV[at + 2])
    delete(id)
  end
  at = at + 3
end

for _ = 1, counts.give_up do
  local id = ARGV[at]
  if owned(id) then
    redis.call('XACK', transactions, group, id)
    redis.call('XADD', dead_letters, 'MAXLEN', '~', dead_letters_max, '*', 'stream', transactions, 'message',
      cjson.encode({ transaction_id = ARGV[at + 1], account_id = ARGV[at + 2], retry_count = tonumber(ARGV[at + 3]) }),
      'error', ARGV[at + 4], 'failed_at', ARGV[at + 5])
    delete(id)
  end
  at = at + 6
end

for _ = 1, counts.release do
  local id = ARGV[at]
  if owned(id) then
    redis.call('XACK', transactions, group, id)
    redis.call('XADD', transactions, '*', 'v', version, 'd', ARGV[at + 1])
    delete(id)
  end
  at = at + 2
end

if #deleted > 0 then
  redis.call('XDEL', transactions, unpack(deleted))
end
for _ = 1, counts.reply do
  redis.call('PUBLISH', ARGV[at], ARGV[at + 1])
  at = at + 2
end
if acknowledgements ~= '' and events_max > 0 then
  redis.call('XTRIM', scored, 'MAXLEN', '~', events_max)
  redis.call('XTRIM', scored, 'MINID', '~', now - events_age)
end
return gone
