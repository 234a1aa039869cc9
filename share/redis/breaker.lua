#!lua name=loop_breaker_1
--[[
Circuit breakers in Redis. A breaker is a hash, KEYS[1], "loop:b:{NAME}": text, which is what its file would
hold, and revision. Whoever changes it names the revision it has seen, and is refused where that is not the last:
it looks again. So no lock is held, and a process that dies in the middle has changed nothing.
]]

-- The time in us, the revision (0: there is none), the text.
local function get(keys)
	local t = redis.call('TIME')
	local b = redis.call('HMGET', keys[1], 'revision', 'text')
	return {t[1] * 1000000 + t[2], tonumber(b[1] or '0'), b[2] or ''}
end

-- ARGV: the revision that was seen, the new text. 1, or 0: it has changed since.
local function set(keys, a)
	if (redis.call('HGET', keys[1], 'revision') or '0') ~= a[1] then return 0 end
	redis.call('HSET', keys[1], 'revision', a[1] + 1, 'text', a[2])
	return 1
end

redis.register_function{function_name = 'lb1_get', callback = get, flags = {'no-writes'}}
redis.register_function('lb1_set', set)
