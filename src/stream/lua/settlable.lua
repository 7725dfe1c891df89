-- Nothing is begun where a key of the corridor is not what it should be: a batch would be left half settled.
for i, wanted in ipairs({ 'stream', 'hash', 'zset', 'stream', 'stream' }) do
  local found = redis.call('TYPE', KEYS[i]).ok
  if found ~= wanted and found ~= 'none' then
    return redis.error_reply('WRONGTYPE ' .. KEYS[i] .. ' is a ' .. found)
  end
end
