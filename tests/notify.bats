load helper

# Stand-ins for what is not on every machine: they write down what they get.
setup_more() {
	EXAMPLES=$SOURCE_TREE/share/examples/notify
	mkdir bin
	PATH=$SCRATCH/bin:$PATH
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"$0.words"\n' >bin/notify-send
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"$0.words"\ncat >"$0.text"\n' >bin/mail
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >"$0.words"\ncat >"$0.text"\nfor w; do case $w in @-) ;; @*) cat "${w#@}" >"$0.head" ;; esac; done\nexit "${CURL_STATUS:-0}"\n' >bin/curl
	chmod +x bin/*
	export PATH
}

# handle COMMAND…: for the questions that are raised from now on.
handle() {
	start loop-bus on 'gate.raised' --from now --retries 0 -- "$@"
	wait_for 20 listening "$started"
}

listening() {
	[ -n "$(find "/proc/$1/fd" -lname '*inotify*' 2>/dev/null)" ]
}

@test "a question is shown on the desktop" {
	loop-emit start
	handle "$EXAMPLES/desktop"
	loop-gate ask --id deploy --subject shop/release 'Deploy to production?'
	wait_for 40 grep -q 'Deploy to production' bin/notify-send.words
	grep -qx 'gate.raised: shop/release' bin/notify-send.words
	grep -qx -- '--urgency=critical' bin/notify-send.words
}

@test "a question is mailed, with what to type; its subject stays one line" {
	loop-emit start
	handle "$EXAMPLES/mail" ann@example.org
	loop-gate ask --id colour --choices red,green 'Which colour?'
	wait_for 40 test -s bin/mail.text
	[ "$(sed -n '3p' bin/mail.words)" = ann@example.org ]
	grep -q 'Which colour' bin/mail.text
	grep -q 'One of: red, green' bin/mail.text
	grep -q 'loop gate answer colour ANSWER' bin/mail.text
	echo '{"data":{"question":"q","gate":"b"}}' | LOOP_EVENT_SUBJECT=$'a\nBcc: all@example.org' "$EXAMPLES/mail" ann
	[ "$(wc -l <bin/mail.words)" -eq 3 ]
}

@test "a question is posted to a web hook, its secret not on the command line" {
	loop-emit start
	WEBHOOK_HEADER='Authorization: Bearer secret' handle "$EXAMPLES/webhook" http://127.0.0.1:9/hook
	loop-gate ask --id deploy 'Deploy?'
	wait_for 40 test -s bin/curl.text
	jq -e '.type == "gate.raised" and .data.question == "Deploy?"' bin/curl.text
	grep -q 'Bearer secret' bin/curl.head
	status_is 1 grep -q secret bin/curl.words
	echo '{"type":"gate.raised","subject":"s","data":{"question":"Go?"}}' |
		WEBHOOK_FORMAT=slack "$EXAMPLES/webhook" http://127.0.0.1:9/
	[ "$(jq -r .text bin/curl.text)" = 'gate.raised s: Go?' ]
	echo '{}' | CURL_STATUS=22 status_is 22 "$EXAMPLES/webhook" http://127.0.0.1:9/
}
