--[[
  Tells whether a stream, its group and its retries are those that a token was planted in (plant-2.lua).

  KEYS[1] stream      the corridor's transactions
  KEYS[2] sorted set  retries

  ARGV[1] string  consumer group
  ARGV[2] string  token

  Returns { 1 where the token stands in both, else 0; the history of writes that the server continues }.
]]
--- @include server-history
--- @include typed-keys
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
local found = 0
-- An error says that there is no stream or no group.
for _, consumer in ipairs(consumers.err and {} or consumers) do
  if consumer[2] == ARGV[2] and redis.call('ZSCORE', KEYS[2], ARGV[2]) then found = 1 end
end
return { found, history() }
