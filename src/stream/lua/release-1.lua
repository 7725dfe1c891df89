--[[
  Opens a held stream to direct appends, unless a group was refused since its refusals were read: that
  group's batch may not have been seen.

  KEYS[1] string   held

  ARGV[1] string   refusals as read

  Returns 1 when the stream is open, 0 when it stays held.
]]
local refusals = redis.call('GET', KEYS[1])
if refusals and refusals ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
return 1
