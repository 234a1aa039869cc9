#!lua name=loop_lock_1
--[[
Named locks and counted resources in Redis: each verb one function, so each is atomic. KEYS[1] is
"loop:l:{NAME}", a hash of the lock; every other key begins with it:

	(itself)	capacity token seq requests waits waited longest changed
	:h		holders, by the end of their leases	:w	waiters, by their turn
	:e		waiters, by when they must have asked again
	:o:ID		hash of who holds or waits: units shared label host pid command since got token slots priority
	:x:ID		why ID must not hold or wait any longer, for a while
	:wake		the channel that tells that something was given back

An ID is made by who asks, so that a question may come twice. The time is the server's, in ms. All checks
come before the first write.
]]

local TOLD = 60000 -- how long it is kept why somebody was put out

local function now_ms()
	local t = redis.call('TIME')
	return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function wake(q)
	redis.call('PUBLISH', q .. ':wake', '')
end

local function leave(q, id)
	redis.call('ZREM', q .. ':w', id)
	redis.call('ZREM', q .. ':e', id)
	redis.call('DEL', q .. ':o:' .. id)
	return redis.call('ZREM', q .. ':h', id)
end

-- Leases that ran out, and waiters that ask no more.
local function sweep(q, now)
	for _, set in ipairs({':h', ':e'}) do
		for _, id in ipairs(redis.call('ZRANGEBYSCORE', q .. set, '-inf', now)) do leave(q, id) end
	end
end

-- What is held: units, how many share, and which slots are taken.
local function held(q)
	local units, sharers, taken = 0, 0, {}
	for _, id in ipairs(redis.call('ZRANGE', q .. ':h', 0, -1)) do
		local o = redis.call('HMGET', q .. ':o:' .. id, 'units', 'shared', 'slots')
		if o[2] == '1' then
			sharers = sharers + 1
		else
			units = units + tonumber(o[1] or 0)
			for slot in string.gmatch(o[3] or '', '%d+') do taken[slot] = true end
		end
	end
	return units, sharers, taken
end

local function free_slots(taken, want)
	local out, slot = {}, 0
	while #out < want do
		if not taken[tostring(slot)] then out[#out + 1] = tostring(slot) end
		slot = slot + 1
	end
	return table.concat(out, ',')
end

-- It only grows; after the loss of all data it goes on from the time of day, in hundredths of a second.
local function next_token(q, now)
	local last = tonumber(redis.call('HGET', q, 'token') or '0')
	if last == 0 then last = math.floor(now / 10) end
	redis.call('HSET', q, 'token', last + 1)
	return last + 1
end

local function enter(q, now, a, boost)
	local seq = redis.call('HINCRBY', q, 'seq', 1)
	redis.call('HINCRBY', q, 'requests', 1)
	redis.call('HSET', q .. ':o:' .. a[1], 'units', a[2], 'shared', a[4], 'priority', a[5],
		'label', a[9], 'host', a[10], 'pid', a[11], 'command', a[12], 'since', now)
	redis.call('ZADD', q .. ':w', (now - boost) * 1000 + seq % 1000, a[1])
end

local function grant(q, now, a, taken)
	local id, o = a[1], q .. ':o:' .. a[1]
	local waited = now - tonumber(redis.call('HGET', o, 'since'))
	local token = next_token(q, now)
	local slots = a[4] == '1' and '0' or free_slots(taken, tonumber(a[2]))
	redis.call('ZREM', q .. ':w', id)
	redis.call('ZREM', q .. ':e', id)
	redis.call('ZADD', q .. ':h', now + tonumber(a[6]), id)
	redis.call('HSET', o, 'got', now, 'token', token, 'slots', slots)
	if redis.call('HGET', o, 'waited') then
		redis.call('HINCRBY', q, 'waits', 1)
		redis.call('HINCRBY', q, 'waited', waited)
		if waited > tonumber(redis.call('HGET', q, 'longest') or '0') then redis.call('HSET', q, 'longest', waited) end
	end
	redis.call('HSET', q, 'changed', now)
	return {1, token, slots, waited}
end

-- When the first of the leases ends, and who has it.
local function first_holder(q, now)
	local first = redis.call('ZRANGE', q .. ':h', 0, 0, 'WITHSCORES')
	if not first[1] then return 0, '' end
	local o = redis.call('HMGET', q .. ':o:' .. first[1], 'host', 'pid', 'label', 'got')
	return math.max(tonumber(first[2]) - now, 1), string.format('held by pid %s on %s (%s) for %ds',
		o[2] or '?', o[1] or '?', o[3] or '?', math.floor((now - tonumber(o[4] or now)) / 1000))
end

--[[
ARGV: id, units, capacity (0: as it is), shared, boost in ms, lease, whether to wait, how long a waiter
counts that does not ask again, label, host, pid, command. Answers {1, token, slots, waited}, or
{0, ms until the first lease ends, who holds it}, or {-1, why it was put out}.
]]
local function ask(keys, a)
	local q, id, now = keys[1], a[1], now_ms()
	local units, wanted, shared = tonumber(a[2]), tonumber(a[3]), a[4] == '1'
	local why = redis.call('GET', q .. ':x:' .. id)
	if why then return {-1, why} end
	sweep(q, now)
	if redis.call('ZSCORE', q .. ':h', id) then
		local o = redis.call('HMGET', q .. ':o:' .. id, 'token', 'slots')
		return {1, tonumber(o[1]), o[2], 0}
	end
	local used, sharers, taken = held(q)
	local capacity = tonumber(redis.call('HGET', q, 'capacity') or '1')
	if wanted > 0 and wanted ~= capacity then
		if used + sharers > 0 or redis.call('ZCARD', q .. ':w') > 0 then
			return redis.error_reply('-CAPACITY it is in use with a capacity of ' .. capacity)
		end
		capacity = wanted
	end
	if units > capacity or (shared and capacity > 1) then
		return redis.error_reply('-UNITS its capacity is ' .. capacity)
	end
	redis.call('HSET', q, 'capacity', capacity)
	if not redis.call('ZSCORE', q .. ':w', id) then enter(q, now, a, tonumber(a[5])) end
	local fits = shared and used == 0 or not shared and sharers == 0 and used + units <= capacity
	if fits and redis.call('ZRANGE', q .. ':w', 0, 0)[1] == id then return grant(q, now, a, taken) end
	local ms, holder = first_holder(q, now)
	if a[7] == '1' then
		redis.call('ZADD', q .. ':e', now + tonumber(a[8]), id)
		redis.call('HSET', q .. ':o:' .. id, 'waited', '1')
	else
		leave(q, id)
	end
	return {0, ms, holder}
end

-- ARGV: id, lease. 1, or 0 and why.
local function renew(keys, a)
	local q, now = keys[1], now_ms()
	sweep(q, now)
	local why = redis.call('GET', q .. ':x:' .. a[1])
	if why then return {0, why} end
	if not redis.call('ZSCORE', q .. ':h', a[1]) then return {0, 'its lease ran out'} end
	redis.call('ZADD', q .. ':h', now + tonumber(a[2]), a[1])
	return {1, ''}
end

-- ARGV: id. Whether it held.
local function free(keys, a)
	local q, now = keys[1], now_ms()
	sweep(q, now)
	local had = leave(q, a[1])
	redis.call('HSET', q, 'changed', now)
	wake(q)
	return had
end

local ROW = {'units', 'shared', 'priority', 'label', 'host', 'pid', 'command', 'since', 'got', 'token', 'slots'}

local function rows(q, set)
	local out = {}
	local ids = redis.call('ZRANGE', q .. set, 0, -1, 'WITHSCORES')
	for i = 1, #ids, 2 do
		local row = redis.call('HMGET', q .. ':o:' .. ids[i], unpack(ROW))
		for k = 1, #ROW do row[k] = row[k] or '' end
		row[#ROW + 1] = set == ':h' and ids[i + 1] or '0'
		out[#out + 1] = row
	end
	return out
end

-- All there is to see of a lock: the time, its figures, holders, waiters. Nothing where there is none.
local function show(keys)
	local q, now = keys[1], now_ms()
	sweep(q, now)
	if redis.call('EXISTS', q) == 0 then return {} end
	local figures = redis.call('HMGET', q, 'capacity', 'requests', 'waits', 'waited', 'longest', 'changed')
	for k = 1, 6 do figures[k] = figures[k] or '0' end
	return {now, figures, rows(q, ':h'), rows(q, ':w')}
end

--[[
ARGV: 'hold' or 'wait', pid (0: any), why. Who is to end it. A holder keeps the lock until it has learned
of it and its command has ended, or its lease has.
]]
local function put_out(keys, a)
	local q, set, out = keys[1], a[1] == 'hold' and ':h' or ':w', {}
	sweep(q, now_ms())
	for _, id in ipairs(redis.call('ZRANGE', q .. set, 0, -1)) do
		if a[2] == '0' or redis.call('HGET', q .. ':o:' .. id, 'pid') == a[2] then
			redis.call('SET', q .. ':x:' .. id, a[3], 'PX', TOLD)
			if set == ':w' then leave(q, id) end
			out[#out + 1] = id
		end
	end
	if #out > 0 then wake(q) end
	return out
end

-- ARGV: ids. How many of them hold.
local function holding(keys, a)
	local q, count = keys[1], 0
	sweep(q, now_ms())
	for _, id in ipairs(a) do
		if redis.call('ZSCORE', q .. ':h', id) then count = count + 1 end
	end
	return count
end

-- Where memory is full, nothing new is held, but what is can be kept, given back and looked at.
local function register(name, callback)
	redis.register_function{function_name = name, callback = callback, flags = {'allow-oom'}}
end

redis.register_function('ll1_ask', ask)
register('ll1_renew', renew)
register('ll1_free', free)
register('ll1_show', show)
register('ll1_put_out', put_out)
register('ll1_holding', holding)
