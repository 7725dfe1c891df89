-- Nothing is begun where a key of a stream is not what it should be: a batch would be left half settled, and nothing can be
-- said of a key that is no stream.
for i, wanted in ipairs({ 'stream', 'zset', 'hash', 'stream', 'stream' }) do
  local found = KEYS[i] and redis.call('TYPE', KEYS[i]).ok or 'none'
  if found ~= wanted and found ~= 'none' then
    return redis.error_reply('WRONGTYPE ' .. KEYS[i] .. ' is a ' .. found)
  end
end
