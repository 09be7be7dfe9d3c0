-- Before a window: who may go now, and when the others come back.

local campaign, letter = ask.kind == 'campaign', ask.kind == 'letter'

local function bucket(name, rate)
  if not rate then return nil end
  local depth = math.max(rate, 1)
  local it = {name = name, rate = rate, reserve = depth * RESERVED}
  local full, at = depth + it.reserve, state['at' .. name] or now
  local since = math.max(0, now - at)
  it.level = math.min(full, (state['level' .. name] or full) + since * rate)
  it.next, it.late = now, 0
  if it.level < full then
    it.next = math.max(now, state['next' .. name] or now)
    it.late = (state['late' .. name] or 0) * math.max(0, 1 - since / HORIZON)
  end
  return it
end
local function room(it)
  if not it or letter then return math.huge end
  local level = campaign and it.level - it.reserve or it.level + HORIZON * it.rate
  return math.max(0, math.floor(level + 0.000001))
end
local function take(it, many)
  if it then it.level = math.max(it.level - many, -HORIZON * it.rate) end
end
local function write(it)
  if not it then return end
  put('at' .. it.name, now); put('level' .. it.name, it.level)
  put('next' .. it.name, it.next); put('late' .. it.name, it.late)
end

-- The warm-up of today, counted by the client's days; asked of the ledger where Redis lost it.
local day, day_key, day_room, day_ends = today(), nil, math.huge, nil
if day and day[3] then
  day_key = key .. ':day:' .. day[2]
  local so_far = tonumber(redis.call('GET', day_key))
  if not so_far then
    if not ask.counted or ask.counted[1] ~= day[2] then
      return cjson.encode({need = day[2], start = day[1]})
    end
    so_far = ask.counted[2]
    redis.call('SET', day_key, so_far, 'EX', 259200)
  end
  if campaign then day_room = math.max(0, day[3] - so_far) end
  for _, other in ipairs(ask.days) do
    if other[1] > day[1] then day_ends = day_ends or other[1] end
  end
end

-- Who takes part, once somebody asked to be sent to more slowly.
for _, one in ipairs(ask.receivers) do
  if one.stop > 0 then
    put('stop' .. one.r, math.max(state['stop' .. one.r] or 0, now + one.stop))
  end
end
local stopped, processes, lately = false, 1, 1
for field in pairs(state) do if string.sub(field, 1, 4) == 'stop' then stopped = true end end
if stopped then
  for field, at in pairs(state) do
    if string.sub(field, 1, 5) == 'seen:' and field ~= 'seen:' .. ask.process then
      if at > now - 60 then lately = lately + 1 end
      if at > now - LONGEST_STOP then processes = processes + 1 else gone[field] = true end
    end
  end
  put('seen:' .. ask.process, now)
end
local function share(one, allowed)
  local mine, others = 'slot:' .. one.r .. ':' .. ask.process, 0
  local prefix = 'slot:' .. one.r .. ':'
  for field, value in pairs(state) do
    if string.sub(field, 1, #prefix) == prefix and field ~= mine then
      -- connections and the second they end at, in one number: 3.1795400000
      local many = math.floor(value / 100000000000)
      if value - many * 100000000000 < now then gone[field] = true else others = others + many end
    end
  end
  local many = math.min(allowed - others, math.ceil(allowed / lately), one.connections)
  if many < 1 then drop(mine); return 0 end
  put(mine, many * 100000000000 + math.floor(now + SLOT_BUSY))
  return many
end

local server_left = left_of('stop*') or 0
if server_left <= 0 and state['stop*'] then drop('stop*') end
local all, buckets, total = {}, {}, 0
for i, one in ipairs(ask.receivers) do
  local it = {r = one.r, go = one.n, why = '', wait = 0, spread = 0, connections = one.cap or -1}
  local left = left_of('stop' .. one.r)
  if left and left <= 0 then
    local allowed = 1 + math.floor(-left / STOP)
    if allowed >= one.connections * processes then
      drop('stop' .. one.r)
    elseif letter then
      it.connections = 1
    else
      it.connections = share(one, allowed)
      if it.connections == 0 then it.go, it.why = 0, 'turn' end
    end
  elseif left then
    it.connections = 1
    if campaign or (not letter and share(one, 1) == 0) then
      it.go, it.why, it.wait = 0, 'stop', left
    end
  end
  if server_left > 0 and not letter then it.go, it.why, it.wait = 0, 'server', server_left end
  buckets[i] = bucket(one.r, one.rate)
  if it.go > room(buckets[i]) then it.go, it.why, it.slow = room(buckets[i]), 'receiver', true end
  total = total + it.go
  all[i] = it
end

-- What the sender as a whole may send is shared out in proportion.
local whole = bucket('', ask.rate)
local most = math.min(room(whole), day_room)
if total > most then
  local why, shared = (day_room <= room(whole)) and 'day' or 'sender', 0
  for _, it in ipairs(all) do
    it.wanted = it.go
    it.go = math.floor(it.wanted * most / total)
    shared = shared + it.go
  end
  for _, it in ipairs(all) do
    if it.go < it.wanted then
      if shared < most then it.go = it.go + 1; shared = shared + 1 end
      if it.go < it.wanted then it.why, it.shared = why, true end
    end
  end
  total = most
end
take(whole, total)

-- When those that must wait come back: at slots of their own, as far ahead as slots are promised.
local function promise(it, held_back, limits)
  local wait, step, late, slow = 0, 0, 0, math.huge
  for _, one in ipairs(limits) do
    local missing = 1 - (one.level - one.reserve)
    wait = math.max(wait, one.next - now, missing / one.rate)
    step = math.max(step, 1 / one.rate)
    one.late = one.late + held_back
    late, slow = math.max(late, one.late), math.min(slow, one.rate)
  end
  if wait + held_back * step <= HORIZON then
    it.wait, it.spread = wait, step
    for _, one in ipairs(limits) do one.next = now + wait + held_back * step end
  else
    it.wait = math.min(wait, HORIZON)
    local farthest = math.max(2 * HORIZON, math.min(late / slow, FARTHEST))
    it.spread = (farthest - it.wait) / held_back
    for _, one in ipairs(limits) do one.next = math.max(one.next, now + HORIZON) end
  end
end
for i, it in ipairs(all) do
  take(buckets[i], it.go)
  local held_back = ask.receivers[i].n - it.go
  if held_back > 0 then
    if it.why == 'receiver' or it.why == 'sender' then
      local limits = {}
      if it.slow then table.insert(limits, buckets[i]) end
      if it.shared then table.insert(limits, whole) end
      promise(it, held_back, limits)
    elseif it.why == 'day' then
      it.wait, it.spread = (day_ends or now + 86400) - now, FARTHEST / held_back
    elseif it.why == 'turn' then
      it.wait, it.spread = HORIZON, HORIZON / held_back
    else
      it.spread = HORIZON / held_back
    end
    count('h' .. it.r, held_back)
  end
  write(buckets[i])
end
write(whole)
if day_key and total > 0 then redis.call('INCRBY', day_key, total) end
keep()
return cjson.encode({now = now, receivers = all})
