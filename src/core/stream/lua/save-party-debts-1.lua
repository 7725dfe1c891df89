--[[
  Saves what parties owe, so that the log of parties may begin later: a process that comes new reads the debts and the log
  after them.

  KEYS[1] hash    `at`: the last entry that counts in `debts`

  ARGV[1] string  `at` as the caller knows it; nothing is saved where another process has saved since
  ARGV[2] string  the new `at`
  ARGV[3] string  the debts
  ARGV[4] number  milliseconds after which no party owes anything

  Adding comes first, so that a full Redis refuses all of it.
]]
if (redis.call('HGET', KEYS[1], 'at') or '0-0') ~= ARGV[1] then return end
redis.call('HSET', KEYS[1], 'at', ARGV[2], 'debts', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
