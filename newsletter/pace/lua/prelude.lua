-- Stands before every script of pace: Redis' clock, the sender's state, and how it is written back.
-- KEYS[1] is the sender's key, ARGV[1] the question and ARGV[2] the constants, both in JSON.

local constants = cjson.decode(ARGV[2])
local HORIZON, FARTHEST = constants.horizon, constants.farthest
local STOP, LONGEST_STOP = constants.stop, constants.longest_stop
local SLOT_BUSY, SLOT_IDLE = constants.slot_busy, constants.slot_idle
local RESERVED, KEPT_SECONDS = constants.reserved, constants.kept_seconds

local time = redis.call('TIME')
local second = time[1]
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local key, ask = KEYS[1], cjson.decode(ARGV[1])
local state, changed, gone = {}, {}, {}
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do state[flat[i]] = tonumber(flat[i + 1]) end

local function put(field, value) state[field] = value; changed[field] = value; gone[field] = nil end
local function drop(field) state[field] = nil; changed[field] = nil; gone[field] = true end

-- Write what was put and dropped; every script that changes the state ends with it.
local function keep()
  local written, dropped = {}, {}
  for field, value in pairs(changed) do
    table.insert(written, field); table.insert(written, string.format('%.6f', value))
  end
  for field in pairs(gone) do table.insert(dropped, field) end
  if #dropped > 0 then redis.call('HDEL', key, unpack(dropped)) end
  if #written > 0 then
    redis.call('HSET', key, unpack(written)); redis.call('EXPIRE', key, 86400)
  end
end

-- Count in this second, for the snapshot.
local function count(field, by)
  local second_key = key .. ':' .. second
  redis.call('HINCRBY', second_key, field, by); redis.call('EXPIRE', second_key, KEPT_SECONDS)
end

-- The client's day by Redis' clock: when it began, its name, its ceiling (false: none).
local function today()
  local current
  for _, day in ipairs(ask.days) do if day[1] <= now then current = day end end
  return current
end

-- Seconds until a stop ends, negative since it ended; nil where there was none.
local function left_of(field)
  local until_at = state[field]
  return until_at and math.min(until_at - now, LONGEST_STOP)
end

