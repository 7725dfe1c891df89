--[[
  Appends the units that requests ask for to the log of parties, and returns what the caller has not read of the log. Every
  process decides by the entries in their order, so that a request costs the server the same however many parties it has.

  KEYS[1] stream  the log
  KEYS[2] hash    `at`: the entry up to which `debts` were saved; the log begins with that entry

  ARGV[1] string  id of the last entry that the caller knows; 0-0: none
  ARGV[2] number  entries to return at most
  ARGV[3] number  milliseconds without entries after which no party owes anything
  ARGV[3 + i] string  units of a request

  Returns { at; 1 where entries after ARGV[1] are gone; entries after ARGV[1]; ids of the appended }. Nothing is appended where
  entries are gone, or where there are more than ARGV[2]. Adding comes first, so that a full Redis refuses all of it.
]]
local at = redis.call('HGET', KEYS[2], 'at') or '0-0'
local missed = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2] + 1)
local is_page = #missed > tonumber(ARGV[2])
if missed[1] and missed[1][1] == ARGV[1] then
  table.remove(missed, 1)
elseif ARGV[1] ~= at then
  return { at, 1, {}, {} }
end
if is_page then return { at, 0, missed, {} } end
local ids = {}
for i = 4, #ARGV do
  ids[i - 3] = redis.call('XADD', KEYS[1], 'MINID', '~', at, '*', '1', ARGV[i])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return { at, 0, missed, ids }
