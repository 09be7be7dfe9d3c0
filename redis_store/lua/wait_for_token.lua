-- Take one token from a bucket; return the seconds until there is one, '0' where it was taken.
-- KEYS[1] is the bucket; ARGV: tokens a second, tokens at most, the caller's clock in seconds,
-- tokens in a bucket nobody has taken from yet.

local level = redis.call('HMGET', KEYS[1], 'level', 'at')
local rate, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(level[1]) or tonumber(ARGV[4])
local last = tonumber(level[2]) or now
now = math.max(now, last)
full = math.min(burst, full + (now - last) * rate)
local wait = 0
if full >= 1 then full = full - 1 else wait = (1 - full) / rate end
redis.call('HSET', KEYS[1], 'level', full, 'at', now)
redis.call('EXPIRE', KEYS[1], math.ceil(burst / rate) + 60)
return tostring(wait)
