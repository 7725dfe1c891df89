--[[
  Makes profiles of one hash slot invalid: each becomes a header alone that nobody has seen before, as for want of
  room (store-profiles-n.lua). So a copy in memory no longer stands, a write of what was folded before loses, also
  where no profile stood, and whoever needs it next rebuilds it from Postgres.

  KEYS[1..n] string  packed profiles

  ARGV[1] string     the header
  ARGV[2] number     time to live, seconds

  Returns OK.
]]
local header, ttl_seconds = ARGV[1], ARGV[2]
for i = 1, #KEYS do
  -- After a deletion, which is always allowed, a full Redis takes the few bytes of a header.
  redis.call('DEL', KEYS[i])
  redis.call('SET', KEYS[i], header, 'EX', ttl_seconds)
end
return 'OK'
