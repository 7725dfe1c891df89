-- Names the history of writes that this server continues. It is another one after a restart, a promotion, and once a
-- server has taken over the data of another: then the last writes may be missing, which nothing in the data itself can tell.
local function history()
  return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or ''
end
