local function value_of(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then return fields[i + 1] end
  end
end

-- Whether an entry has another version than the caller reads. A text that is no version is malformed, which a worker finds.
local function is_unread(fields, own)
  local version = value_of(fields, 'v')
  return version ~= nil and version ~= own and string.match(version, '^[1-9]%d?%d?%d?$') ~= nil
end
