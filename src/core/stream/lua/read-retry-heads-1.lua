--[[
  Reads which open rows the retries of a page carry.

  KEYS[1] sorted set  retries (promote-retries-3.lua has the layout of a member)

  ARGV[1] string  cursor, '0' at first
  ARGV[2] number  members of a page, about

  Returns { the next cursor, '0' at the end; row ids }.
]]
--- @include is-type
if not is_type('zset', KEYS[1]) then return { '0', {} } end
local reply = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local rows = {}
for i = 1, #reply[2], 2 do
  local member = reply[2][i]
  local head = string.sub(member, 1, (string.find(member, '\n', 1, true) or 1) - 1)
  local row = string.match(' ' .. head, ' row=([%x-]+)')
  if row then rows[#rows + 1] = row end
end
return { reply[1], rows }
