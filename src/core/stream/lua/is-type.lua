-- A key that is absent has every type.
local function is_type(wanted, key)
  local found = redis.call('TYPE', key).ok
  return found == wanted or found == 'none'
end
