-- How a sender goes now: its fields, the last minute's counts, the warm-up of today.

local fields, counted = {}, {}
for field, value in pairs(state) do fields[field] = value end
for back = 0, 59 do
  local flat = redis.call('HGETALL', key .. ':' .. string.format('%d', tonumber(second) - 1 - back))
  for i = 1, #flat, 2 do
    local counts = counted[flat[i]] or {0, 0}
    if back < 10 then counts[1] = counts[1] + tonumber(flat[i + 1]) end
    counts[2] = counts[2] + tonumber(flat[i + 1])
    counted[flat[i]] = counts
  end
end
local day, so_far = today(), nil
if day and day[3] then so_far = tonumber(redis.call('GET', key .. ':day:' .. day[2])) end
return cjson.encode({now = now, state = fields, counted = counted, day = day, so_far = so_far})
