--[[
  Ends the life of a batch's entries in one stream: acknowledged, divided into what failed and what did not, or
  replaced by others. Whatever must outlive an entry was committed to Postgres before.

  An acknowledgement needs no ownership: the scores are stored, whoever holds the entry now. Everything
  else happens only while the entry still belongs to this consumer. The first write of each entry is
  its XACK, so a Redis at its memory limit still lets the whole script through.

  Acknowledged entries are deleted with it, so one that is gone from the stream was settled by another
  consumer, who has published its scores. They are looked at one by one only where fewer were pending than we held.

  KEYS[1] stream      the corridor's transactions
  KEYS[2] hash        counts
  KEYS[3] sorted set  retries: head, a line feed and packed value of one transaction by due time, milliseconds
  KEYS[4] stream      dead letters, a bounded copy of table dead_letters
  KEYS[5] stream      transaction.scored events

  ARGV[1] string      consumer group
  ARGV[2] string      this consumer
  ARGV[3] string      entry version (field v)
  ARGV[4] string      corridor
  ARGV[5] number      scores to keep in events; 0 writes none
  ARGV[6] number      age up to which events are kept, milliseconds
  ARGV[7] number      dead letters to keep at most
  ARGV[8] string      acknowledgements, a line each: entry id, its transactions, scored_at, how many scores, and the
                      scores as rows of JSON; separated by spaces
  ARGV[9] number      how many divided entries, replaced entries and replies follow:
  ...     ARGV[11]    three counts
  then as many groups of strings:
    divided           its line as of an acknowledgement, how many retries and dead letters it has, and of each
      retry           wait in milliseconds, member
      dead letter     transaction_id, account_id, attempts, error, failed_at
    replaced          entry id, its transactions, how many entries replace it, and of each
      entry           transactions, head, packed value
    reply             channel, score as JSON

  Returns the ids of acknowledged entries that were gone before.
]]
--- @include settlable
--- @include counting
local transactions, counts, retries, dead_letters, scored = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local group, consumer, version, corridor = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local scores_max, events_age, dead_letters_max = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local divided, replaced, replies = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local LINE = '(%S+) (%d+) (%S*) (%d+) ([^\n]*)\n'
local AT_ONCE = 1000
local SCORES_AN_EVENT = 128
local at = 12
local function following()
  at = at + 1
  return ARGV[at - 1]
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held, is_changed = held_by(transactions, counts), false

-- Scores that are published together: of entries that follow each other and were scored at the same time.
local rows, event_scores, event_at, published, events = {}, 0, '', 0, 0
local function publish()
  if event_scores == 0 then return end
  redis.call('XADD', scored, '*', 'v', '2', 'n', event_scores, 'corridor', corridor, 'scored_at', event_at,
    'scores', '[' .. table.concat(rows, ',') .. ']')
  published, events = published + event_scores, events + 1
  rows, event_scores = {}, 0
end
local function announce(scored_at, count, scores)
  if count == 0 or scores_max == 0 then return end
  if scored_at ~= event_at or event_scores + count > SCORES_AN_EVENT then publish() end
  rows[#rows + 1], event_scores, event_at = scores, event_scores + count, scored_at
end

local function remove(id, count)
  if redis.call('XDEL', transactions, id) == 0 then return false end
  held, is_changed = held - count, true
  return true
end

local gone = {}
local ids, entries = {}, {}
local function conclude()
  if #ids == 0 then return end
  local is_whole = redis.call('XACK', transactions, group, unpack(ids)) == #ids
  if is_whole then redis.call('XDEL', transactions, unpack(ids)) end
  for i, id in ipairs(ids) do
    local count, scored_at, scores, json = unpack(entries[i])
    if is_whole then held, is_changed = held - count, true end
    if is_whole or remove(id, count) then
      announce(scored_at, scores, json)
    else
      gone[#gone + 1] = id
    end
  end
  ids, entries = {}, {}
end
for id, count, scored_at, scores, json in string.gmatch(ARGV[8], LINE) do
  ids[#ids + 1] = id
  entries[#ids] = { tonumber(count), scored_at, tonumber(scores), json }
  if #ids == AT_ONCE then conclude() end
end
conclude()

-- A group that is gone owns nothing: its entries come back when it is made again.
local function owned(id)
  local pending = redis.pcall('XPENDING', transactions, group, id, id, 1, consumer)
  return pending.err == nil and #pending == 1
end

for _ = 1, divided do
  local id, count, scored_at, scores, json = string.match(following(), LINE)
  local is_owned = owned(id)
  if is_owned then
    redis.call('XACK', transactions, group, id)
    announce(scored_at, tonumber(scores), json)
  end
  local retried, given_up = tonumber(following()), tonumber(following())
  for _ = 1, retried do
    local due, member = now + following(), following()
    if is_owned then redis.call('ZADD', retries, due, member) end
  end
  for _ = 1, given_up do
    local transaction_id, account_id, attempts = following(), following(), tonumber(following())
    local failure, failed_at = following(), following()
    local letter = { transaction_id = transaction_id, account_id = account_id, retry_count = attempts }
    if is_owned then
      redis.call('XADD', dead_letters, 'MAXLEN', '~', dead_letters_max, '*', 'stream', transactions, 'message',
        cjson.encode(letter), 'error', failure, 'failed_at', failed_at)
    end
  end
  if is_owned then remove(id, tonumber(count)) end
end

for _ = 1, replaced do
  local id, count, others = following(), tonumber(following()), tonumber(following())
  local is_owned = owned(id)
  if is_owned then redis.call('XACK', transactions, group, id) end
  for _ = 1, others do
    local other, head, packed = following(), following(), following()
    if is_owned then
      redis.call('XADD', transactions, '*', 'v', version, 'n', other, 'h', head, 'd', packed)
      held = held + other
    end
  end
  if is_owned then remove(id, count) end
end
publish()

for _ = 1, replies do
  redis.call('PUBLISH', following(), following())
end

if is_changed and redis.call('XLEN', transactions) == 0 then
  redis.call('HDEL', counts, 'transactions')
elseif is_changed then
  redis.call('HSET', counts, 'transactions', math.max(0, held))
end

-- Events go oldest first, whole ones, as long as enough scores are left, and when they are too old.
if events > 0 then
  local kept = redis.call('HINCRBY', counts, 'scores', published)
  for _ = 1, events + 2 do
    local oldest = redis.call('XRANGE', scored, '-', '+', 'COUNT', 1)[1]
    if not oldest then
      redis.call('HDEL', counts, 'scores')
      break
    end
    local count = count_of(oldest[2])
    local age = now - tonumber(string.match(oldest[1], '^%d+'))
    if kept - count < scores_max and age <= events_age then break end
    redis.call('XDEL', scored, oldest[1])
    kept = redis.call('HINCRBY', counts, 'scores', -count)
  end
end
return gone
