load helper
load stream

eio='engine.io/?EIO=4&transport=polling' sio='socket.io/?EIO=4&transport=polling'

code() {
	get --output answer --write-out '%{http_code}' "$@"
}

# open URL: a session by polling; its address is in $session.
open() {
	session="$1&sid=$(get "$1" | cut -c 2- | jq -r .sid)"
}

post() { # TEXT
	printf '%b' "$1" | get --data-binary @- "$session"
}

# waiting: a GET that waits is there.
waiting() {
	[ "$(get "$url/status" | jq .clients.open)" -ge 2 ]
}

# A heartbeat that no slow machine misses, where it is not the heartbeat that is tested.
slow=(--eio-ping-interval 30s --eio-ping-timeout 30s --sio-connect-timeout 30s)

@test "a session by polling is opened as the protocol says, and nothing else is" {
	serve --echo
	get "$url/$eio" | cut -c 2- >hello
	[ "$(jq -c 'keys_unsorted' hello)" = '["sid","upgrades","pingInterval","pingTimeout","maxPayload"]' ]
	[ "$(jq -c '[.upgrades, .pingInterval, .pingTimeout, .maxPayload]' hello)" = \
		'[["websocket"],300,200,1000000]' ]
	while read -r want method query; do
		[ "$(code --request "$method" "$url/engine.io/?$query")" = 400 ]
		[ "$(jq .code answer)" = "$want" ] || { echo "$method $query: $(<answer)" && false; }
	done <<-'END'
		5 GET transport=polling
		5 GET EIO=abc&transport=polling
		5 GET EIO=3&transport=polling
		0 GET EIO=4
		0 GET EIO=4&transport=abc
		2 POST EIO=4&transport=polling
		2 PUT EIO=4&transport=polling
		1 GET EIO=4&transport=polling&sid=unknown
		1 POST EIO=4&transport=polling&sid=unknown
		3 GET EIO=4&transport=websocket
	END
	[ "$(code --request OPTIONS "$url/$eio")" = 204 ]
	[ "$(code "$url/engine.io")" = 404 ]
	[ "$(code --header 'Origin: http://evil.example' "$url/$eio")" = 403 ]
}

@test "packets go both ways by polling, several at once, text and bytes" {
	serve --echo "${slow[@]}"
	open "$url/$eio"
	[ "$(post 4hello)" = ok ]
	[ "$(get "$session")" = 4hello ]
	[ "$(post '4test1\x1e4tést2\x1ebAQIDBA==')" = ok ]
	[ "$(get "$session")" = "$(printf '4test1\x1e4tést2\x1ebAQIDBA==')" ]
	start get --output waited "$session"
	wait_for 40 waiting
	post 4later
	wait "$started"
	[ "$(<waited)" = 4later ]
}

@test "what is no packet ends the session; what is too large does not" {
	serve --echo "${slow[@]}" --eio-max-payload 1000
	for bad in abc 9 '' '4a\x1e' 'b***' '4\xff'; do
		open "$url/$eio"
		[ "$(printf '%b' "$bad" | code --data-binary @- "$session")" = 400 ]
		[ "$(code "$session")" = 400 ] || { echo "goes on after '$bad'" && false; }
	done
	open "$url/$eio"
	[ "$(printf '%01001d' 4 | code --data-binary @- "$session")" = 413 ]
	[ "$(code --header 'Content-Type: application/octet-stream' --data x "$session")" = 400 ]
	open "$url/$eio"
	[ "$(printf '%01001d' 4 | code --header 'Transfer-Encoding: chunked' --data-binary @- "$session")" = 413 ]
	post 4on
	[ "$(get "$session")" = 4on ]
}

@test "a second poll, and one that was given up, end the session" {
	serve --echo "${slow[@]}"
	open "$url/$eio"
	start get --output first "$session"
	wait_for 40 waiting
	[ "$(code "$session")" = 400 ]
	wait "$started"
	[ "$(<first)" = 1 ]
	[ "$(code "$session")" = 400 ]
	open "$url/$eio"
	start get "$session"
	wait_for 40 waiting
	kill "$started"
	wait "$started" || true
	over() { [ "$(code "$session")" = 400 ]; }
	wait_for 40 over
	open "$url/$eio"
	start get --output last "$session"
	wait_for 40 waiting
	[ "$(post 1)" = ok ]
	wait "$started"
	[ "$(<last)" = 6 ]
}

@test "the heartbeat: a ping when it is due, and the end of who does not answer" {
	serve --echo --eio-ping-interval 100ms --eio-ping-timeout 1500ms
	open "$url/$eio"
	for _ in 1 2 3; do
		[ "$(get "$session")" = 2 ]
		[ "$(post 3)" = ok ]
	done
	over() { [ "$(code "$session")" = 400 ]; }
	wait_for 40 over
	talk '/engine.io/?EIO=4&transport=websocket'
	wait_for 40 grep -qx 2 got
	echo 3 >&7
	pinged_twice() { [ "$(grep -cx 2 got)" -ge 2 ]; }
	wait_for 40 pinged_twice
	heard end
	grep -qx 'close 1000' got
}

# lies_there: a request that the server has not read yet.
lies_there() {
	awk -v port="$(printf ':%04X$' "$port")" '$2 ~ port && $5 !~ /:0+$/ { found = 1 } END { exit !found }' /proc/net/tcp
}

@test "a heartbeat that was answered in time counts, however late the server reads it" {
	serve --echo --eio-ping-interval 100ms --eio-ping-timeout 1500ms
	server=$started
	open "$url/$eio"
	[ "$(get "$session")" = 2 ]
	kill -STOP "$server"
	start get --data 3 --output said "$session"
	wait_for 40 lies_there
	sleep 1.6
	kill -CONT "$server"
	wait "$started"
	[ "$(<said)" = ok ]
}

@test "a session changes from polling to WebSocket, and stays there" {
	serve --echo "${slow[@]}"
	open "$url/$eio"
	start get --output polled "$session"
	poll=$started
	wait_for 40 waiting
	talk "/engine.io/?EIO=4&transport=websocket&sid=${session##*=}"
	echo 2probe >&7
	heard 3probe
	wait "$poll"
	[ "$(<polled)" = 6 ]
	[ "$(get "$session")" = 6 ]
	post 4between
	echo 5 >&7
	heard 4between
	echo 4hello >&7
	heard 4hello
	[ "$(code "$session")" = 400 ]
	exec 8>&7
	mv got first
	talk "/engine.io/?EIO=4&transport=websocket&sid=${session##*=}"
	heard end
	echo '!828300000000616263' >&8
	echo 4again >&8
	wait_for 40 grep -q 4again first
	grep -q abc first
	exec 8>&-
}

@test "a probe that does not take over in time is closed, and polling goes on" {
	serve --echo "${slow[@]}" --eio-upgrade-timeout 100ms
	open "$url/$eio"
	talk "/engine.io/?EIO=4&transport=websocket&sid=${session##*=}"
	heard end
	post 4still
	[ "$(get "$session")" = 4still ]
}

@test "Socket.IO: namespaces, auth, acknowledgements and attachments, byte for byte" {
	serve --echo "${slow[@]}"
	talk '/socket.io/?EIO=4&transport=websocket'
	echo '40{"token":"123"}' >&7
	heard '40{"sid":"'
	heard '42["auth",{"token":"123"}]'
	echo '40/custom' >&7
	heard '40/custom,{"sid":"'
	heard '42/custom,["auth",{}]'
	echo '40/random' >&7
	heard '44/random,{"message":"Invalid namespace"}'
	echo '42["message",1,"2",{"3":[true]}]' >&7
	heard '42["message-back",1,"2",{"3":[true]}]'
	echo '42/custom,456["message-with-ack",1,"2",{"3":[false]}]' >&7
	heard '43/custom,456[1,"2",{"3":[false]}]'
	echo '452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]' >&7
	echo '!828300000000616263' >&7
	echo '!828300000000646566' >&7
	heard '462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
	heard def
	[ "$(tail -n 2 got)" = $'abc\ndef' ]
	echo '41/custom' >&7
	echo '42["message","on"]' >&7
	heard '42["message-back","on"]'
	echo '42/custom,["message","gone"]' >&7
	heard end
}

@test "Socket.IO: what breaks the protocol ends the connection" {
	serve --echo "${slow[@]}"
	for bad in 4abc '42{}' '42[]' '42abc["message-with-ack"]' '42["connect"]' '40' '43[1]' '44{}' \
		'451-["message"' '45-["message"]' '4599-["x"]' '42/none,["message"]' \
		'451-["message",{"_placeholder":true,"num":0}] 42["message"]' \
		'!828300000000616263'; do
		talk '/socket.io/?EIO=4&transport=websocket'
		echo 40 >&7
		heard '"auth"'
		tr ' ' '\n' <<<"$bad" >&7
		wait_for 40 grep -qx end got || { echo "goes on after $bad" && false; }
		exec 7>&-
	done
	serve_again() { loop-stream stop; serve --echo --sio-connect-timeout 50ms; }
	serve_again
	talk '/socket.io/?EIO=4&transport=websocket'
	heard end
}

@test "events come under their types, to rooms, from where a client was" {
	burst 3 early PRD-1/US-1
	serve
	open "$url/$sio"
	post '40{"from":"start","types":"early,**"}' >/dev/null
	for _ in 1 2; do get "$session" | tr '\036' '\n' && echo; done >polled
	[ "$(sed -n 's/^42\["early",\(.*\)\]$/\1/p' polled)" = "$(<"$LOOP_DIR/events.jsonl")" ]
	talk '/socket.io/?EIO=4&transport=websocket'
	echo '40{"rooms":["PRD-1"]}' >&7
	heard '40{"sid"'
	burst 1 story.started PRD-2/US-1
	burst 1 story.started PRD-1/US-2
	burst 1 story.started PRD-10/US-1
	heard '42["story.started"'
	echo '4201["join","run-7"]' >&7
	heard '4301[{"ok":true}]'
	echo '4202["leave","PRD-1"]' >&7
	heard '4302[{"ok":true}]'
	burst 1 metric PRD-1/US-1
	burst 1 connect X 0 run-7
	heard '42["event"'
	[ "$(grep -c '^42\[' got)" -eq 2 ]
	grep -q 'PRD-1/US-2' got
	echo '4203["history",{"limit":1}]' >&7
	heard '4303[{"ok":true,"events":['
	echo '4204["none"]' >&7
	heard '4304[{"ok":false,"error":"unknown request"}]'
	echo '40/none,{}' >&7
	heard '44/none,{"message":"Invalid namespace"}'
}

@test "changes by Socket.IO need the token; logs come as bytes" {
	mkdir -p "$LOOP_DIR/sessions/ses_1"
	printf 'abc' >"$LOOP_DIR/sessions/ses_1/stdout.log"
	serve
	talk '/socket.io/?EIO=4&transport=websocket'
	echo '40' >&7
	echo '421["publish",{"type":"a.b"}]' >&7
	heard '431[{"ok":false,"error":"changes need the token, in auth"}]'
	echo '422["log",{"session":"ses_1"}]' >&7
	heard '461-2[{"ok":true,"next":3,"bytes":{"_placeholder":true,"num":0}}]'
	heard abc
	echo '423["log",{"session":"../x"}]' >&7
	heard '433[{"ok":false,"error":"no such log"}]'
	exec 7>&-
	start loop-gate ask --id deploy 'Deploy it?'
	asker=$started
	asked() { [ "$(get "$url/gates" | jq -r '.gates[].state')" = pending ]; }
	wait_for 40 asked
	talk '/socket.io/?EIO=4&transport=websocket'
	echo "40{\"token\":\"$(<"$LOOP_DIR/token")\"}" >&7
	echo '421["publish",{"type":"a.b"}]' >&7
	heard '431[{"ok":true,"result":{"ok":true,"id":'
	echo '422["gate",{"id":"deploy","action":"approve","who":"me"}]' >&7
	heard '"state":"approved"'
	wait "$asker"
	echo '423["run",{"id":"none","action":"pause"}]' >&7
	heard '433[{"ok":false,"error":"no such run"}]'
	echo '424["run",{"id":"../x","action":"pause"}]' >&7
	heard '434[{"ok":false'
}
