--[[
  Ends the life of a batch's entries in one stream: acknowledged, divided into what failed and what did not, or
  replaced by others. Whatever must outlive an entry was committed to Postgres before.

  An acknowledgement needs no ownership: the scores are stored, even if another consumer holds the entry now. Everything
  else happens only while the entry still belongs to this consumer.

  A Redis at its memory limit refuses the first command, and the script learns of it; what comes after the first XACK
  it lets through. Then no events and no copies of dead letters are written: they would take the room of the work.

  Acknowledged entries are deleted with it, so one that is gone from the stream was settled by another
  consumer, who has published its scores. They are looked at one by one only where fewer were pending than are acknowledged.

  KEYS[1] stream      the corridor's transactions
  KEYS[2] sorted set  retries by due time, milliseconds (promote-retries-3.lua)
  KEYS[3] hash        counts
  KEYS[4] stream      dead letters, a bounded copy of table dead_letters (bound-events.ts)
  KEYS[5] stream      transaction.scored events

  ARGV[1] string      consumer group
  ARGV[2] string      this consumer
  ARGV[3] string      entry version (field v)
  ARGV[4] string      corridor
  ARGV[5] string      acknowledgements, a line each: entry id, its transactions, the number of its event (0 for none),
                      how many scores it has in it, and how many bytes; separated by spaces
  ARGV[6..9] numbers  how many events, divided entries, replaced entries and replies follow
  ARGV[10] flag       1: the corridor is frozen, and events say that no value may be released
  then as many groups of strings:
    event             scored_at, how many scores, and the scores as a JSON array of the rows of its entries, in their order
    divided           entry id, its transactions, its event (no scores: not published), how many retries and dead letters it has, and of each
      retry           wait in milliseconds, member
      dead letter     transaction_id, account_id, attempts, error, failed_at
    replaced          entry id, its transactions, how many entries replace it, and of each
      entry           transactions, head, packed value
    reply             channel, score as JSON

  Returns how many scores were not published because Redis is full.
]]
--- @include typed-keys
--- @include counting
local transactions, retries, counts, dead_letters, scored = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local group, consumer, version, corridor = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local published, divided, replaced, replies = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local is_frozen = ARGV[10] == '1'
local LINE = '(%S+) (%d+) (%d+) (%d+) (%d+)\n'
local AT_ONCE = 1000
local at = 11
local function following()
  at = at + 1
  return ARGV[at - 1]
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local total, is_changed = total_of(transactions, counts), false

-- Where the stream has entries their number stands here already: nothing is changed, but a full Redis says so.
local is_full = total > 0 and type(redis.pcall('HSETNX', counts, 'transactions', total)) == 'table'
local unpublished = 0
local function publish(scored_at, scores, rows)
  if is_full then
    unpublished = unpublished + tonumber(scores)
  else
    local fields = { 'v', '2', 'n', scores, 'corridor', corridor, 'scored_at', scored_at, 'scores', rows }
    if is_frozen then fields[11], fields[12] = 'releases_held', 'true' end
    redis.call('XADD', scored, '*', unpack(fields))
  end
end

local function remove(id, count)
  if redis.call('XDEL', transactions, id) == 0 then return false end
  total, is_changed = total - count, true
  return true
end

local is_gone, any_gone = {}, false
local ids, entries = {}, {}
local function conclude()
  if #ids == 0 then return end
  local first = #entries - #ids
  local is_whole = redis.call('XACK', transactions, group, unpack(ids)) == #ids
  if is_whole then redis.call('XDEL', transactions, unpack(ids)) end
  for i, id in ipairs(ids) do
    local count = entries[first + i].count
    if is_whole then
      total, is_changed = total - count, true
    elseif not remove(id, count) then
      is_gone[first + i], any_gone = true, true
    end
  end
  ids = {}
end
for id, count, event, scores, bytes in string.gmatch(ARGV[5], LINE) do
  ids[#ids + 1] = id
  entries[#entries + 1] = { count = tonumber(count), event = event, scores = tonumber(scores), bytes = tonumber(bytes) }
  if #ids == AT_ONCE then conclude() end
end
conclude()

-- An event without the rows of entries that were gone.
local function publish_rest(event, scored_at, rows)
  local rest, scores, row_at = {}, 0, 2
  for i, entry in ipairs(entries) do
    if entry.event == event then
      if not is_gone[i] then
        rest[#rest + 1], scores = string.sub(rows, row_at, row_at + entry.bytes - 1), scores + entry.scores
      end
      row_at = row_at + entry.bytes + 1
    end
  end
  if scores > 0 then publish(scored_at, scores, '[' .. table.concat(rest, ',') .. ']') end
end
for event = 1, published do
  local scored_at, scores, rows = following(), following(), following()
  if any_gone then
    publish_rest(tostring(event), scored_at, rows)
  else
    publish(scored_at, scores, rows)
  end
end

-- A group that is gone owns nothing: its entries come back when it is made again.
local function owned(id)
  local pending = redis.pcall('XPENDING', transactions, group, id, id, 1, consumer)
  return pending.err == nil and #pending == 1
end

for _ = 1, divided do
  local id, count = following(), tonumber(following())
  local scored_at, scores, rows = following(), following(), following()
  local is_owned = owned(id)
  if is_owned then
    redis.call('XACK', transactions, group, id)
    if scores ~= '0' then publish(scored_at, scores, rows) end
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
    if is_owned and not is_full then
      redis.call('XADD', dead_letters, '*', 'stream', transactions, 'message', cjson.encode(letter), 'error', failure,
        'failed_at', failed_at)
    end
  end
  if is_owned then remove(id, count) end
end

for _ = 1, replaced do
  local id, count, others = following(), tonumber(following()), tonumber(following())
  local is_owned = owned(id)
  if is_owned then redis.call('XACK', transactions, group, id) end
  for _ = 1, others do
    local other, head, packed = following(), following(), following()
    if is_owned then
      redis.call('XADD', transactions, '*', 'v', version, 'n', other, 'h', head, 'd', packed)
      total = total + other
    end
  end
  if is_owned then remove(id, count) end
end

for _ = 1, replies do
  redis.call('PUBLISH', following(), following())
end

if is_changed and redis.call('XLEN', transactions) == 0 then
  redis.call('HDEL', counts, 'transactions')
elseif is_changed then
  redis.call('HSET', counts, 'transactions', math.max(0, total))
end
return unpublished
