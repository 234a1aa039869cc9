#!lua name=loop_bridge_1
--[[
Events of several hosts, in one stream. KEYS[1] is "loop:bus:{NAME}", the stream; beside it

	:hosts		hash: host -> the id of its last event here; "#" -> how many there have been
	:wake		the channel that tells of something new

An entry: n (its number, without gaps), origin (the host), id (of the event there), event.
]]

-- HOST KEEP, then ID EVENT of each: those that are not here yet; how many. May be sent again.
local function put(keys, args)
	local stream, hosts = keys[1], keys[1] .. ':hosts'
	local host, keep = args[1], args[2]
	local last = tonumber(redis.call('HGET', hosts, host) or '-1')
	local added = 0
	for i = 3, #args, 2 do
		local id = tonumber(args[i])
		if id > last then
			local n = redis.call('HINCRBY', hosts, '#', 1)
			redis.call('XADD', stream, 'MAXLEN', '~', keep, '*',
				'n', n, 'origin', host, 'id', args[i], 'event', args[i + 1])
			last = id
			added = added + 1
		end
	end
	if added > 0 then
		redis.call('HSET', hosts, host, last)
		redis.call('PUBLISH', stream .. ':wake', '')
	end
	return added
end

redis.register_function('lb1_put', put)
