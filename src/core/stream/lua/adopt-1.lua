--[[
  Makes entries pending again that were delivered and are in no pending list: nobody would deliver them any more, as after
  XGROUP CREATE $ or XGROUP DELCONSUMER by hand. They are pending for a consumer that never reads, and idle for so long that a
  worker claims them at once. One delivery is counted, as a worker may have stored their scores.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  consumer group
  ARGV[2] string  where to begin, as XRANGE takes it
  ARGV[3] number  entries to look at
  ARGV[4] string  consumer that adopts
  ARGV[5] number  how long an adopted entry is idle, milliseconds

  Returns { adopted entries; where to go on, or '' at the end }.
]]
--- @include group-info
--- @include is-type
local stream, group, from, limit = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
if not is_type('stream', stream) then return { 0, '' } end
local held = redis.call('XLEN', stream)
if held == 0 then return { 0, '' } end

-- Without the group, everything is delivered once it is made.
local info = group_info(stream, group)
if not info.name then return { 0, '' } end
-- The lag is unknown after entries were deleted that nobody had read.
if from == '-' and info.lag and held <= info.lag + info.pending then return { 0, '' } end

local last = info['last-delivered-id']
local page = redis.call('XRANGE', stream, from, last, 'COUNT', limit)
if #page == 0 then return { 0, '' } end
local pending = {}
for _, row in ipairs(redis.call('XPENDING', stream, group, page[1][1], page[#page][1], 10 * limit)) do
  pending[row[1]] = true
end
local adopted = 0
for _, entry in ipairs(page) do
  local id = entry[1]
  if not pending[id] then
    redis.call('XCLAIM', stream, group, ARGV[4], 0, id, 'IDLE', ARGV[5], 'RETRYCOUNT', 1, 'FORCE', 'JUSTID')
    adopted = adopted + 1
  end
end
return { adopted, #page < limit and '' or '(' .. page[#page][1] }
