"""What runs inside Redis: the buckets, stops and counts of one sender, on Redis' own clock.

All of a sender stands in one hash, `pace:<sender>`, in seconds of Redis' TIME, so that workers
whose clocks differ agree (AT-C8). `at`, `level`, `next`, `late` with a receiver's number (none: of
the whole sender) are a bucket: when it was last looked at, the tokens in it, the first slot not yet
promised, how many were sent away without one. `stop` with a number is when a receiver's stop ends
or ended. `slot:<receiver>:<process>` is that process's share of a receiver's few connections,
`seen:<process>` when it last asked. Beside it stand `pace:<sender>:<second>`, what was sent and
held then, and `pace:<sender>:day:<day>`, what the warm-up counted.
"""

from redis_store.connection import Script

HORIZON = 60
"""Seconds ahead for which held deliveries are promised slots."""
FARTHEST = 600
"""Seconds after which what was sent away without a slot asks again at the latest."""
STOP = 600
"""Seconds a receiver that asked for it is left alone, and until each further connection (P-5)."""
LONGEST_STOP = 3600
SLOT_BUSY, SLOT_IDLE = 240, 15
"""Seconds a share of connections outlives its last use: longer than a server may take to answer
(newsletter.senders.routing), and short once nothing is on the wire."""
RESERVED = 0.1
"""Share of a limited rate that campaigns leave to letters and notices."""
KEPT_SECONDS = 90

BEGIN = f"""
local HORIZON, FARTHEST, STOP, LONGEST = {HORIZON}, {FARTHEST}, {STOP}, {LONGEST_STOP}
local BUSY, IDLE, RESERVED, KEPT = {SLOT_BUSY}, {SLOT_IDLE}, {RESERVED}, {KEPT_SECONDS}
local time = redis.call('TIME')
local second = time[1]
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local key, ask = KEYS[1], cjson.decode(ARGV[1])
local state, changed, gone = {{}}, {{}}, {{}}
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do state[flat[i]] = tonumber(flat[i + 1]) end
local function put(field, value) state[field] = value; changed[field] = value; gone[field] = nil end
local function drop(field) state[field] = nil; changed[field] = nil; gone[field] = true end
local function keep()
  local written, dropped = {{}}, {{}}
  for field, value in pairs(changed) do
    table.insert(written, field); table.insert(written, string.format('%.6f', value))
  end
  for field in pairs(gone) do table.insert(dropped, field) end
  if #dropped > 0 then redis.call('HDEL', key, unpack(dropped)) end
  if #written > 0 then
    redis.call('HSET', key, unpack(written)); redis.call('EXPIRE', key, 86400)
  end
end
local function count(field, by)
  local each = key .. ':' .. second
  redis.call('HINCRBY', each, field, by); redis.call('EXPIRE', each, KEPT)
end
local function today()
  local found
  for _, day in ipairs(ask.days) do if day[1] <= now then found = day end end
  return found
end
local function left_of(field)
  local until_at = state[field]
  return until_at and math.min(until_at - now, LONGEST)
end
"""

RECORD = Script(
    BEGIN
    + """
for receiver, many in pairs(ask.sent) do count('s' .. receiver, many) end
for name, left in pairs(ask.stops) do
  put('stop' .. name, math.max(state['stop' .. name] or 0, now + math.min(left, LONGEST)))
  local prefix = 'slot:' .. name .. ':'
  for field in pairs(state) do
    if string.sub(field, 1, #prefix) == prefix then gone[field] = true end
  end
end
for _, receiver in ipairs(ask.idle) do
  local mine = 'slot:' .. receiver .. ':' .. ask.process
  local value = state[mine]
  if value and not gone[mine] then
    put(mine, math.floor(value / 100000000000) * 100000000000 + math.floor(now + IDLE))
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
return now
"""
)

LIFT = Script(
    BEGIN
    + """
for field in pairs(state) do
  if string.sub(field, 1, 4) == 'stop' or string.sub(field, 1, 5) == 'slot:' then drop(field) end
end
keep()
return now
"""
)

READ = Script(
    BEGIN
    + """
local told, counted = {}, {}
for field, value in pairs(state) do told[field] = value end
for back = 0, 59 do
  local flat = redis.call('HGETALL', key .. ':' .. string.format('%d', tonumber(second) - 1 - back))
  for i = 1, #flat, 2 do
    local it = counted[flat[i]] or {0, 0}
    if back < 10 then it[1] = it[1] + tonumber(flat[i + 1]) end
    it[2] = it[2] + tonumber(flat[i + 1])
    counted[flat[i]] = it
  end
end
local day, so_far = today(), nil
if day and day[3] then so_far = tonumber(redis.call('GET', key .. ':day:' .. day[2])) end
return cjson.encode({now = now, state = told, counted = counted, day = day, so_far = so_far})
"""
)
