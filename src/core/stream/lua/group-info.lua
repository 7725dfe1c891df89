-- Reads the server's facts of a group, by name; empty where the stream has no such group.
local function group_info(stream, group)
  local info = {}
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  for _, found in ipairs(groups.err and {} or groups) do
    if found[2] == group then
      for i = 1, #found, 2 do info[found[i]] = found[i + 1] end
    end
  end
  return info
end
