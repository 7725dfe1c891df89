-- Profiles of another history of writes may lack the last appends: they are neither read nor written.
if redis.call('GET', KEYS[#KEYS]) ~= history() then
  return redis.error_reply('OTHERHISTORY profiles belong to a server that was restarted or replaced')
end
