#!lua name=loop_job_1
--[[
What workers answer to the jobs of a queue, beside the queue itself (queue.lua): KEYS[1] is
"loop:q:{NAME}" as there.

	:i:ID		the queue's own: its token, state and due tell whether a lease still holds
	:a:JOB		the answer, and :t:JOB the token it was given under
	:n:JOB		how far the job is
	:answered	the channel that tells the names of jobs that have something new

The time is the server's, in ms. All checks come before the first write.
]]

local NOTE_KEPT = 600000

local function now_ms()
	local t = redis.call('TIME')
	return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- How long the item is still leased under this token; 0: it is not.
local function left(q, id, token)
	local item = redis.call('HMGET', q .. ':i:' .. id, 'state', 'token', 'due')
	if item[1] ~= 'claimed' or item[2] ~= token then return 0 end
	return math.max(tonumber(item[3]) - now_ms(), 0)
end

-- ARGV: id, token, job, answer, how long it is kept. 1, or 0: the lease is not the caller's (any more).
local function give(keys, a)
	local q, job = keys[1], a[3]
	if redis.call('GET', q .. ':t:' .. job) == a[2] then return 1 end
	if left(q, a[1], a[2]) == 0 then return 0 end
	redis.call('SET', q .. ':a:' .. job, a[4], 'PX', a[5])
	redis.call('SET', q .. ':t:' .. job, a[2], 'PX', a[5])
	redis.call('DEL', q .. ':n:' .. job)
	redis.call('PUBLISH', q .. ':answered', job)
	return 1
end

-- ARGV: id, token, job, text ('': as it was). How long the lease still holds.
local function note(keys, a)
	local q = keys[1]
	local ms = left(q, a[1], a[2])
	if ms > 0 and a[4] ~= '' then redis.call('SET', q .. ':n:' .. a[3], a[4], 'PX', NOTE_KEPT) end
	return ms
end

-- ARGV: job. Whether there is an answer, the answer, the note.
local function ask(keys, a)
	local q, job = keys[1], a[1]
	local answer = redis.call('GET', q .. ':a:' .. job)
	return {answer and 1 or 0, answer or '', redis.call('GET', q .. ':n:' .. job) or ''}
end

-- ARGV: job. Nobody asks any more.
local function drop(keys, a)
	local q, job = keys[1], a[1]
	return redis.call('DEL', q .. ':a:' .. job, q .. ':t:' .. job, q .. ':n:' .. job)
end

-- Where memory is full, no job is put, but what was done is still answered: that is what empties it.
local function register(name, callback)
	redis.register_function{function_name = name, callback = callback, flags = {'allow-oom'}}
end

register('lj1_give', give)
register('lj1_note', note)
register('lj1_ask', ask)
register('lj1_drop', drop)
