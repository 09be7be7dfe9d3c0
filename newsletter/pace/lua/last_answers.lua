-- Add a window's marks to the last answers of a mailing and of its sender; return both with what
-- is new still in full, and how often a person had the mailing go on.
-- KEYS: the mailing's marks, the sender's marks, the times it went on.
-- ARGV: the new marks, seconds they are kept, marks kept of the mailing and of the sender.

local function keep(key, at_most)
  local all = (redis.call('GET', key) or '') .. ARGV[1]
  redis.call('SET', key, string.sub(all, -at_most), 'EX', ARGV[2])
  return all
end
return {
  keep(KEYS[1], tonumber(ARGV[3])),
  keep(KEYS[2], tonumber(ARGV[4])),
  redis.call('GET', KEYS[3]) or '0',
}
