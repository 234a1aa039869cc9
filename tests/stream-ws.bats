load helper
load stream

@test "a client subscribes, gets events as the journal has them, and unsubscribes" {
	serve
	talk /ws
	burst 1 early
	echo '{"op":"sub","types":["story.*"],"subject":"P/**"}' >&7
	heard '"op":"sub","ok":true'
	burst 2 story.started P/US-1
	burst 1 story.started Q/US-1
	heard '"n":1'
	echo '{"op":"unsub"}' >&7
	heard '"op":"unsub"'
	burst 1 story.completed P/US-1
	echo '{"op":"ping"}' >&7
	heard '"op":"pong"'
	[ "$(grep specversion got)" = "$(grep '"P/US-1"' "$LOOP_DIR/events.jsonl" | head -n 2)" ]
}

@test "a client resumes, from an id or the start, over rotations, none twice" {
	export LOOP_JOURNAL_SEGMENT=20000
	for _ in {1..10}; do burst 30 metric; done
	serve
	talk /ws
	echo '{"op":"sub","from":"start"}' >&7
	for _ in {1..10}; do burst 30 metric; done
	all() { [ "$(grep -c specversion got)" -ge 600 ]; }
	wait_for 40 all
	[ "$(grep specversion got | jq -r .id)" = "$(cat "$LOOP_DIR"/events.*jsonl | jq -r .id | sort -n)" ]
	last=$(grep specversion got | tail -n 1 | jq -r .id)
	exec 7>&-
	kill "$started"
	talk /ws
	echo "{\"op\":\"sub\",\"after\":$last}" >&7
	burst 1 next
	heard '"type":"next"'
	[ "$(grep -c specversion got)" -eq 1 ]
}

@test "history and errors are answered, and what is no text is told" {
	burst 3 a.b
	serve
	talk /ws
	echo '{"op":"history","limit":2,"types":"a.*"}' >&7
	heard '"op":"history"'
	[ "$(jq -c '[.events[].data.n]' got)" = '[1,2]' ]
	echo '{"op":"sub","types":["a..b"]}' >&7
	heard "'a..b' is no pattern"
	echo 'x' >&7
	heard 'a JSON object with \"op\" is expected'
	echo '!828100000000aa' >&7
	heard 'text messages are expected'
	echo '{"op":"sub","from":"7"}' >&7
	heard 'no event has the id 7'
}

@test "a broken frame, a wrong close code and bad UTF-8 end with their codes" {
	serve
	for frame in 'c18100000000aa 1002' '8301000000002a 1002' '810161 1002' \
		'88820000000003e7 1002' '88820000000003e8 1000' '818200000000c328 1007' \
		'89fe007e00000000 1002' '808000000000 1002'; do
		talk /ws/echo
		echo "!${frame% *}" >&7
		heard end
		exec 7>&-
		[ "$(head -n 1 got)" = "close ${frame#* }" ] || { echo "$frame: $(<got)" && false; }
	done
	[ "$(curl -s "http://127.0.0.1:$port/healthz")" = ok ]
}

@test "messages and fragments are bounded" {
	serve --max-message 100 --max-fragments 3
	talk /ws/echo
	printf '%0100d\n' 0 >&7
	heard "$(printf '%0100d' 0)"
	printf '%0101d\n' 0 >&7
	heard 'close 1009'
	exec 7>&-
	talk /ws/echo
	echo '!018000000000008000000000008000000000008000000000' >&7
	heard 'close 1008'
}

@test "messages of every length of header come back whole" {
	serve
	talk /ws/echo
	for n in 1 125 126 127 65535 65536 300000; do
		printf "%0${n}d\n" 0 >&7
		lengths() { [ "$(tail -n 1 got | wc -c)" -eq $((n + 1)) ]; }
		wait_for 40 lengths
	done
}

@test "a silent connection is pinged, and stopped with the server" {
	serve --keep-alive 100ms
	talk /ws
	heard ping
	loop-stream stop
	heard end
}

@test "frames of every kind are answered as the table says" {
	serve
	run wscases "$port" /ws/echo "$SOURCE_TREE/tests/cases/websocket"
	echo "$output"
	[ "$status" -eq 0 ]
	has "$output" ', 0 failed'
}

@test "messages of 16 MiB and of 65,536 fragments come back whole when told so" {
	serve --max-message 16M --max-fragments 0
	[ "${WS_LARGE-}" ] && cases=$SOURCE_TREE/tests/cases/websocket-large
	grep -e '-16777216' -e '-fragments-of-64	' "$SOURCE_TREE/tests/cases/websocket-large" >some
	run wscases "$port" /ws/echo "${cases:-some}"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "the runner of the table fails where an answer is another one" {
	serve
	printf 'wrong\t81:61\t81:62\n' >table
	status_is 1 wscases "$port" /ws/echo table
	has "$output" '0 passed, 1 failed'
}
