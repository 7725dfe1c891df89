--[[
  Runs a script for each stream, with a reply for each stream: a failure of one stream fails no other. A server that takes no
  writes fails the whole call, so that the client leaves the server.

  KEYS             for each stream the keys of the script

  ARGV[1] number   keys of a stream
  ARGV[2..]        arguments of the script

  Returns the replies in the order of the streams.
]]
local function run(KEYS, ARGV)
--- @body
end

local keys_each, args, replies = tonumber(ARGV[1]), { unpack(ARGV, 2) }, {}
for first = 1, #KEYS, keys_each do
  local ok, reply = pcall(run, { unpack(KEYS, first, first + keys_each - 1) }, args)
  if not ok then
    local failure = type(reply) == 'table' and reply.err or tostring(reply)
    reply = redis.error_reply(failure)
    if string.find(failure, '^READONLY ') or string.find(failure, '^NOREPLICAS ') then return reply end
  end
  replies[#replies + 1] = reply
end
return replies
