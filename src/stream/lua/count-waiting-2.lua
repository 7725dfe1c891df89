--[[
  How much a stream holds, in whichever form.

  KEYS[1] stream      the corridor's transactions
  KEYS[2] sorted set  those that wait for their next attempt

  Returns the number of entries, retries included.
]]
-- A token among the retries is never due.
return redis.call('XLEN', KEYS[1]) + redis.call('ZCOUNT', KEYS[2], '-inf', '(+inf')
