-- Keys of another type are no stream and no retries: nothing can be said of them.
for i, wanted in ipairs({ 'stream', 'zset' }) do
  local found = redis.call('TYPE', KEYS[i]).ok
  if found ~= wanted and found ~= 'none' then
    return redis.error_reply('WRONGTYPE ' .. KEYS[i] .. ' is a ' .. found)
  end
end
