#!lua name=loop_queue_2
--[[
The queue in Redis: each verb one function, so each is atomic. KEYS[1] is "loop:q:{NAME}"; every
other key begins with it, so all of a queue lies in one slot of a cluster:

	:seq		the last id; ids are padded, so that of equal priorities the first put comes first
	:i:ID		hash: body priority tries max lease created due state token key why
	:ready		by priority		:age		the same, by the time they became so
	:delayed	by the time they are due	:claimed	by the end of the lease
	:buried		by the time they were buried
	:k:KEY		the id of the item that has this key	:kt:KEY	the same, for its time
	:meta		hash: paused, draining, age, turns
	:o:NONCE	what a call answered, so that it can be sent again
	:wake		the channel that tells of something to claim

The time is the server's, in ms. All checks come before the first write.
]]

local KEEP_ANSWER = 30000
local SWEEP_MAX = 200

local function now_ms()
	local t = redis.call('TIME')
	return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function wake(q)
	redis.call('PUBLISH', q .. ':wake', '')
end

local function make_ready(q, id, since)
	local priority = redis.call('HGET', q .. ':i:' .. id, 'priority')
	redis.call('HSET', q .. ':i:' .. id, 'state', 'ready', 'token', '', 'due', 0)
	redis.call('ZADD', q .. ':ready', priority, id)
	redis.call('ZADD', q .. ':age', since, id)
end

local function make_delayed(q, id, due)
	redis.call('HSET', q .. ':i:' .. id, 'state', 'delayed', 'token', '', 'due', due)
	redis.call('ZADD', q .. ':delayed', due, id)
end

local function make_buried(q, id, now)
	redis.call('HSET', q .. ':i:' .. id, 'state', 'buried', 'token', '', 'due', 0)
	redis.call('ZADD', q .. ':buried', now, id)
end

local function leave(q, id, state)
	redis.call('ZREM', q .. ':' .. state, id)
	if state == 'ready' then redis.call('ZREM', q .. ':age', id) end
end

-- A try that failed: buried after the last, else ready, or delayed.
local function fail(q, id, now, delay)
	local item = redis.call('HMGET', q .. ':i:' .. id, 'tries', 'max')
	leave(q, id, 'claimed')
	if tonumber(item[2]) > 0 and tonumber(item[1]) >= tonumber(item[2]) then
		make_buried(q, id, now)
		return true
	end
	if delay > 0 then make_delayed(q, id, now + delay) else make_ready(q, id, now) end
	return false
end

local function remove(q, id, state)
	local key = redis.call('HGET', q .. ':i:' .. id, 'key')
	leave(q, id, state)
	redis.call('DEL', q .. ':i:' .. id)
	if key and key ~= '' and redis.call('GET', q .. ':k:' .. key) == id then
		redis.call('DEL', q .. ':k:' .. key)
	end
end

-- Makes ready what is due, takes back leases that ran out: a bounded number, the rest next time.
local function sweep(q, now)
	local told = {}
	for _, id in ipairs(redis.call('ZRANGEBYSCORE', q .. ':delayed', '-inf', now, 'LIMIT', 0, SWEEP_MAX)) do
		leave(q, id, 'delayed')
		make_ready(q, id, redis.call('HGET', q .. ':i:' .. id, 'due'))
	end
	for _, id in ipairs(redis.call('ZRANGEBYSCORE', q .. ':claimed', '-inf', now, 'LIMIT', 0, SWEEP_MAX)) do
		local why = 'its lease ran out'
		if fail(q, id, now, 0) then
			redis.call('HSET', q .. ':i:' .. id, 'why', why)
			told[#told + 1] = id
			told[#told + 1] = redis.call('HGET', q .. ':i:' .. id, 'tries')
			told[#told + 1] = why
		end
	end
	return told
end

-- The answer of a call that was sent before, or nil.
local function again(q, nonce)
	local answer = redis.call('GET', q .. ':o:' .. nonce)
	return answer and cmsgpack.unpack(answer)
end

local function answer(q, nonce, value)
	redis.call('SET', q .. ':o:' .. nonce, cmsgpack.pack(value), 'PX', KEEP_ANSWER)
	return value
end

local function put_one(q, now, a, i)
	local body, key = a[i], a[i + 1]
	local priority, delay, lease = a[i + 2], tonumber(a[i + 3]), a[i + 4]
	local max, ttl, tries, buried = a[i + 5], tonumber(a[i + 6]), a[i + 7], a[i + 8]
	if key ~= '' then
		local there = redis.call('GET', q .. ':kt:' .. key) or redis.call('GET', q .. ':k:' .. key)
		if there then return there, '1' end
	end
	local id = string.format('%015d', redis.call('INCR', q .. ':seq'))
	redis.call('HSET', q .. ':i:' .. id, 'body', body, 'priority', priority, 'tries', tries,
		'max', max, 'lease', lease, 'created', now, 'token', '', 'key', key, 'why', '')
	if buried == '1' then
		make_buried(q, id, now)
	elseif delay > 0 then
		make_delayed(q, id, now + delay)
	else
		make_ready(q, id, now)
	end
	if key ~= '' then
		redis.call('SET', q .. ':k:' .. key, id)
		if ttl > 0 then redis.call('SET', q .. ':kt:' .. key, id, 'PX', ttl) end
	end
	return id, '0'
end

-- ARGV: nonce, then nine for each item. An id and whether it was there, for each.
local function put(keys, a)
	local q, now, out = keys[1], now_ms(), {}
	local before = again(q, a[1])
	if before then return before end
	if redis.call('HEXISTS', q .. ':meta', 'draining') == 1 then
		return redis.error_reply('-DRAINING nothing is put')
	end
	for i = 2, #a, 9 do
		local id, there = put_one(q, now, a, i)
		out[#out + 1] = id
		out[#out + 1] = there
	end
	wake(q)
	return answer(q, a[1], out)
end

local FIELDS = {'body', 'priority', 'tries', 'max', 'lease', 'created', 'due', 'state', 'token', 'key', 'why'}

local function item_of(q, id)
	local item = redis.call('HMGET', q .. ':i:' .. id, unpack(FIELDS))
	return item[1] and {id, unpack(item)}
end

local function paused(q, now)
	local till = redis.call('HGET', q .. ':meta', 'paused')
	return till and (till == '0' or tonumber(till) > now)
end

local function token_of(nonce, id)
	return string.sub(redis.sha1hex(nonce .. ':' .. id), 1, 16)
end

-- Those that this very call has claimed before and that are still its.
local function claimed_before(q, nonce, ids)
	local out = {}
	for _, id in ipairs(ids) do
		if redis.call('HGET', q .. ':i:' .. id, 'token') == token_of(nonce, id) then
			out[#out + 1] = item_of(q, id)
		end
	end
	return out
end

-- The item that has been ready longest, if that is for too long.
local function aged(q, now, age)
	age = tonumber(redis.call('HGET', q .. ':meta', 'age') or age)
	local first = redis.call('ZRANGE', q .. ':age', 0, 0, 'WITHSCORES')
	if age > 0 and first[1] and tonumber(first[2]) <= now - age then return first[1] end
end

-- What is claimed next: an aged one where it has its turn, and then by priority.
local function next_ids(q, count, first)
	local ids = {first}
	for _, id in ipairs(redis.call('ZRANGE', q .. ':ready', 0, count - 1)) do
		if id ~= first and #ids < count then ids[#ids + 1] = id end
	end
	return ids
end

--[[
ARGV: how many, lease (0: its own), id ('': the next), bytes that are enough, nonce, after how long an item has
aged where the queue was not told, every how many claims such a one has its turn.
]]
local function claim(keys, a)
	local q, now, out, taken = keys[1], now_ms(), {}, {}
	local told, size = sweep(q, now), 0
	local before = again(q, a[5])
	if before then return {told, claimed_before(q, a[5], before)} end
	if paused(q, now) then return {told, out} end
	local ids = {}
	if a[3] == '' then
		local first = aged(q, now, a[6])
		if first and redis.call('HINCRBY', q .. ':meta', 'turns', 1) % a[7] ~= 0 then first = nil end
		ids = next_ids(q, tonumber(a[1]), first)
	elseif redis.call('ZSCORE', q .. ':ready', a[3]) then
		ids = {a[3]}
	end
	for n, id in ipairs(ids) do
		local item = q .. ':i:' .. id
		local lease = tonumber(a[2])
		if lease == 0 then lease = tonumber(redis.call('HGET', item, 'lease')) end
		leave(q, id, 'ready')
		redis.call('HINCRBY', item, 'tries', 1)
		redis.call('HSET', item, 'state', 'claimed', 'due', now + lease, 'lease', lease,
			'token', token_of(a[5], id))
		redis.call('ZADD', q .. ':claimed', now + lease, id)
		out[n], taken[n] = item_of(q, id), id
		size = size + #out[n][2]
		if size >= tonumber(a[4]) then break end
	end
	if #taken > 0 then answer(q, a[5], taken) end
	return {told, out}
end

-- How long an item waits after its n-th try, where nobody says: 5 s, doubled, at most 5 min, half of it
-- at random (by the call's nonce: math.random begins anew with each call).
local function retry_delay(tries, nonce, id)
	local delay = math.min(300000, 5000 * 2 ^ math.min(tries - 1, 30))
	local random = tonumber(string.sub(redis.sha1hex(nonce .. id), 1, 6), 16) / 0xffffff
	return math.floor(delay / 2 + delay / 2 * random)
end

local function settle_one(q, now, how, a, i)
	local id, item = a[i], q .. ':i:' .. a[i]
	local found = redis.call('HMGET', item, 'state', 'token', 'tries', 'lease', 'due')
	if not found[1] then return 'missing', '0', 0 end
	if found[1] ~= 'claimed' or found[2] ~= a[i + 1] or tonumber(found[5]) <= now then
		return 'stale', '0', 0
	end
	local tries, buried = tonumber(found[3]), false
	if how == 'ack' then
		remove(q, id, 'claimed')
	elseif how == 'nack' then
		if tonumber(a[i + 3]) >= 0 then redis.call('HSET', item, 'priority', a[i + 3]) end
		if a[i + 5] == '1' then redis.call('HINCRBY', item, 'tries', -1) end
		local delay = tonumber(a[i + 2])
		if delay < 0 then delay = retry_delay(tries, a[1], id) end
		buried = fail(q, id, now, delay)
	elseif how == 'bury' then
		leave(q, id, 'claimed')
		make_buried(q, id, now)
		buried = true
	else
		local lease = tonumber(a[i + 4])
		if lease == 0 then lease = tonumber(found[4]) end
		redis.call('HSET', item, 'lease', lease, 'due', now + lease)
		redis.call('ZADD', q .. ':claimed', now + lease, id)
	end
	if a[i + 7] == '1' and how ~= 'ack' then redis.call('HSET', item, 'why', a[i + 6]) end
	return 'ok', buried and '1' or '0', tries
end

-- ARGV: nonce, how, then eight for each: id token delay priority lease uncounted why whether-why.
local function settle(keys, a)
	local q, now, out = keys[1], now_ms(), {}
	local before = again(q, a[1])
	if before then return before end
	for i = 3, #a, 8 do
		local result, buried, tries = settle_one(q, now, a[2], a, i)
		out[#out + 1] = result
		out[#out + 1] = buried
		out[#out + 1] = tries
	end
	if a[2] == 'nack' then wake(q) end
	return answer(q, a[1], out)
end

-- ARGV: how items age, as for claim, and an id (none: the next to be claimed).
local function get(keys, a)
	local q, now, id = keys[1], now_ms(), a[3]
	local told = sweep(q, now)
	if not id then
		local turns = redis.call('HGET', q .. ':meta', 'turns') or 0
		id = next_ids(q, 1, (turns + 1) % a[2] == 0 and aged(q, now, a[1]) or nil)[1]
	end
	return {told, id and item_of(q, id) or {}}
end

-- ARGV: state, the id to go on behind, how many. Items by id; the set is walked by ranks, so that it
-- is what it was at the beginning as far as it still is.
local function list(keys, a)
	local q, out = keys[1], {}
	for _, id in ipairs(redis.call('ZRANGE', q .. ':' .. a[1], a[2], a[2] + a[3] - 1)) do
		out[#out + 1] = id
	end
	return out
end

local function head_score(key)
	return redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
end

local function stats(keys)
	local q, now = keys[1], now_ms()
	local told = sweep(q, now)
	local out = {now}
	for _, state in ipairs({'ready', 'delayed', 'claimed', 'buried'}) do
		out[#out + 1] = redis.call('ZCARD', q .. ':' .. state)
	end
	out[#out + 1] = head_score(q .. ':age') or '0'
	local due, lease = head_score(q .. ':delayed'), head_score(q .. ':claimed')
	out[#out + 1] = tostring(math.min(tonumber(due or 'inf') or math.huge, tonumber(lease or 'inf') or math.huge))
	out[#out + 1] = redis.call('HGET', q .. ':meta', 'paused') or '-'
	out[#out + 1] = redis.call('HEXISTS', q .. ':meta', 'draining')
	out[#out + 1] = redis.call('HGET', q .. ':meta', 'age') or '-'
	return {told, out}
end

local function kick_one(q, id, state, reset, now)
	local item = q .. ':i:' .. id
	local found = redis.call('HMGET', item, 'tries', 'max')
	if state == 'buried' and tonumber(found[2]) > 0 and tonumber(found[1]) >= tonumber(found[2]) then
		redis.call('HSET', item, 'tries', found[2] - 1)
	end
	if reset == '1' then redis.call('HSET', item, 'tries', 0) end
	leave(q, id, state)
	make_ready(q, id, now)
end

-- ARGV: id ('': any), how many, reset, state. How many were kicked.
local function kick(keys, a)
	local q, ids, state, now = keys[1], {}, a[4], now_ms()
	sweep(q, now)
	if a[1] ~= '' then
		state = redis.call('HGET', q .. ':i:' .. a[1], 'state')
		if state == 'buried' or state == 'delayed' then ids = {a[1]} end
	else
		ids = redis.call('ZRANGE', q .. ':' .. state, 0, a[2] - 1)
	end
	for _, id in ipairs(ids) do kick_one(q, id, state, a[3], now) end
	if #ids > 0 then wake(q) end
	return #ids
end

-- ARGV: id ('': any), state, how many at most.
local function purge(keys, a)
	local q, ids, state = keys[1], {}, a[2]
	if a[1] ~= '' then
		state = redis.call('HGET', q .. ':i:' .. a[1], 'state')
		if state then ids = {a[1]} end
	else
		ids = redis.call('ZRANGE', q .. ':' .. state, 0, a[3] - 1)
	end
	for _, id in ipairs(ids) do remove(q, id, state) end
	return #ids
end

-- ARGV: 'pause' MS (0: for good, -1: ends it), 'drain' 1 or 0, 'age' MS (0: never).
local function control(keys, a)
	local q, meta, ms = keys[1], keys[1] .. ':meta', tonumber(a[2])
	if a[1] == 'drain' then
		if ms == 1 then redis.call('HSET', meta, 'draining', 1) else redis.call('HDEL', meta, 'draining') end
	elseif a[1] == 'age' then
		redis.call('HSET', meta, 'age', ms)
	elseif ms < 0 then
		redis.call('HDEL', meta, 'paused')
		wake(q)
	else
		redis.call('HSET', meta, 'paused', ms == 0 and 0 or now_ms() + ms)
	end
	return 'OK'
end

-- Every id of the set has its item, of that state. ARGV: repair, state, the rank to begin with, how
-- many. How many were looked at and are still there, and what is wrong, in words.
local function check(keys, a)
	local q, state, out, left = keys[1], a[2], {}, 0
	for _, id in ipairs(redis.call('ZRANGE', q .. ':' .. state, a[3], a[3] + a[4] - 1)) do
		local is = redis.call('HGET', q .. ':i:' .. id, 'state')
		if is ~= state then
			out[#out + 1] = 'item ' .. id .. ': in ' .. state .. ', but ' .. (is or 'not there')
			if a[1] == '1' then leave(q, id, state) end
		end
		if is == state or a[1] ~= '1' then left = left + 1 end
	end
	return {left, out}
end

-- Where the memory is full nothing is put, but what is there is worked off.
local function register(name, callback)
	redis.register_function{function_name = name, callback = callback, flags = {'allow-oom'}}
end

redis.register_function('lq2_put', put)
register('lq2_claim', claim)
register('lq2_settle', settle)
register('lq2_get', get)
register('lq2_list', list)
register('lq2_stats', stats)
register('lq2_kick', kick)
register('lq2_purge', purge)
register('lq2_control', control)
register('lq2_check', check)
