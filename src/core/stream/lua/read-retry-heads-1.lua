--[[
  Reads which open rows the retries of a page carry.

  KEYS[1] sorted set  retries (promote-retries-3.lua has the layout of a member)

  ARGV[1] string  cursor, '0' at first
  ARGV[2] number  members of a page, about

  Returns { the next cursor, '0' at the end; members of version 2; row ids }.
]]
--- @include is-type
if not is_type('zset', KEYS[1]) then return { '0', 0, {} } end
local reply = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local rows, old = {}, 0
for i = 1, #reply[2], 2 do
  local member = reply[2][i]
  local head = string.sub(member, 1, (string.find(member, '\n', 1, true) or 1) - 1)
  if string.sub(head, 1, 2) == '2 ' then old = old + 1 end
  local row = string.match(' ' .. head, ' row=([%x-]+)')
  if row then rows[#rows + 1] = row end
end
return { reply[1], old, rows }
