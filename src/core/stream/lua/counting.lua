-- The content of a stream is counted in transactions: an entry holds as many as its field n says, and 1 without the field.
local function count_of(fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'n' and string.match(fields[i + 1], '^%d%d?%d?$') then
      local count = tonumber(fields[i + 1])
      return count >= 1 and count <= 128 and count or 1
    end
  end
  return 1
end

-- The count stands beside the stream. It is never less than the entries, which others than our scripts may add or remove.
local function total_of(transactions, counts)
  local entries = redis.call('XLEN', transactions)
  if entries == 0 then return 0 end
  return math.max(entries, tonumber(redis.call('HGET', counts, 'transactions')) or 0)
end
