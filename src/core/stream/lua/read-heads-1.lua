--[[
  Reads which open rows the entries of a page of a stream carry, without their transactions.

  KEYS[1] stream  the corridor's transactions

  ARGV[1] string  where the page begins, as XRANGE takes it
  ARGV[2] number  entries of a page

  Returns { id of the last entry, or '' where there is none; entries; row ids }.
]]
--- @include is-type
if not is_type('stream', KEYS[1]) then return { '', 0, {} } end
local page = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])
local rows, last = {}, ''
for _, entry in ipairs(page) do
  local fields = entry[2]
  last = entry[1]
  for i = 1, #fields, 2 do
    if fields[i] == 'h' then
      local row = string.match(' ' .. fields[i + 1], ' row=([%x-]+)')
      if row then rows[#rows + 1] = row end
    end
  end
end
return { last, #page, rows }
