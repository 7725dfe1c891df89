--[[
  Appends events of final decisions, unless the stream is another one than its writer read.

  KEYS[1] stream  events of final decisions

  ARGV[1] string  id of the newest event as the writer read it; 0 where there was none
  ARGV[2] number  events to keep, at least
  ARGV[3] string  version of the events
  ARGV[4…] of each event: its decision's id, the corridor, the decision as JSON

  A stream that has lost events meanwhile ends with an older one. An append would hide the gap, as its writer goes on after the
  newest event.

  Returns the id of the newest event before the append; 0 where there was none.
]]
local stream = redis.pcall('XINFO', 'STREAM', KEYS[1])
local newest = '0'
-- An error says that there is no stream.
for at = 1, stream.err and 0 or #stream, 2 do
  if stream[at] == 'last-generated-id' then newest = stream[at + 1]:match('^%d+') end
end
if newest ~= ARGV[1] then return newest end
for at = 4, #ARGV, 3 do
  local fields = { 'v', ARGV[3], 'corridor', ARGV[at + 1], 'decision', ARGV[at + 2] }
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], ARGV[at] .. '-0', unpack(fields))
end
return newest
