-- After a window: count what left, note who asked for a stop, give back what did not leave.

for receiver, many in pairs(ask.sent) do count('s' .. receiver, many) end
for name, left in pairs(ask.stops) do
  put('stop' .. name, math.max(state['stop' .. name] or 0, now + math.min(left, LONGEST_STOP)))
  local prefix = 'slot:' .. name .. ':'
  for field in pairs(state) do
    if string.sub(field, 1, #prefix) == prefix then gone[field] = true end
  end
end
for _, receiver in ipairs(ask.idle) do
  local mine = 'slot:' .. receiver .. ':' .. ask.process
  local value = state[mine]
  if value and not gone[mine] then
    put(mine, math.floor(value / 100000000000) * 100000000000 + math.floor(now + SLOT_IDLE))
  end
end
for name, many in pairs(ask.back) do
  if state['level' .. name] then put('level' .. name, state['level' .. name] + many) end
end
local day = today()
if ask.uncount > 0 and day and day[3] then
  local day_key = key .. ':day:' .. day[2]
  local so_far = tonumber(redis.call('GET', day_key))
  if so_far then redis.call('DECRBY', day_key, math.min(so_far, ask.uncount)) end
end
keep()
