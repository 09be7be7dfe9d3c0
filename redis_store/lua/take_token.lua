-- Take one token from a bucket; return 1 where there was one.
-- KEYS[1] is the bucket; ARGV: tokens a second, tokens at most, the caller's clock in seconds.

local level = redis.call('HMGET', KEYS[1], 'level', 'at')
local rate, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(level[1]) or burst
local last = tonumber(level[2]) or now
now = math.max(now, last)
full = math.min(burst, full + (now - last) * rate)
local allowed = 0
if full >= 1 then full = full - 1; allowed = 1 end
redis.call('HSET', KEYS[1], 'level', full, 'at', now)
redis.call('EXPIRE', KEYS[1], math.ceil(burst / rate) + 60)
return allowed
