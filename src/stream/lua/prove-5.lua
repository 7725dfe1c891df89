--[[
  Tells whether a corridor's entries could be settled now, before any is taken: an entry that is claimed
  and cannot be settled would have cost a delivery. Fails as settle-5 would.

  KEYS[1] to KEYS[5]  those of settle-5
]]
--- @include settlable
return 1
