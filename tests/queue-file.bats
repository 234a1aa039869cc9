# The contract of loop-queue, the same for every store: queue-redis.bats is this file by another
# name, and by that name each test has a Redis of its own.
load helper
load redis

setup_more() {
	case $BATS_TEST_FILENAME in
	*redis*) needs_redis && start_redis ;;
	esac
}

put() { loop-queue put "$@"; }

# claim [OPTION…]: from q; sets id and token, and $item.
claim() {
	item=$(loop-queue claim "$@" q) || return
	id=$(jq -r .id <<<"$item")
	token=$(jq -r .token <<<"$item")
}

body() { jq -r .body <<<"$item"; }

count() { # STATE
	loop-queue stats --json q | jq ".$1"
}

counts() {
	loop-queue stats --json q | jq -r '"\(.ready) \(.delayed) \(.claimed) \(.buried)"'
}

@test "put, claim, ack" {
	local first
	first=$(put q hello)
	[ "$(counts)" = '1 0 0 0' ]
	claim
	[ "$id" = "$first" ]
	[ "$(body)" = hello ]
	[ "$(jq -c '[.queue,.try,.tries,.priority,.lease]' <<<"$item")" = '["q",1,3,1000,300]' ]
	[ "$(counts)" = '0 0 1 0' ]
	status_is 1 loop-queue claim q
	[ -z "$output" ]
	status_is 0 loop-queue ack q "$id" "$token"
	[ -z "$output$stderr" ]
	[ "$(counts)" = '0 0 0 0' ]
	status_is 1 loop-queue ack q "$id" "$token"
	status_is 1 loop-queue peek q "$id"
}

@test "smaller priorities first, and of these the one put first" {
	local n got i=0
	for n in 5 3 9 3 5 0; do echo "{\"body\":\"$n-$((++i))\",\"priority\":$n}"; done |
		loop-queue put --jsonl q >/dev/null
	put q last -p low >/dev/null
	put q early -p high >/dev/null
	got=$(loop-queue claim -n 100 q | jq -r .body | tr '\n' ' ')
	[ "$got" = '0-6 early 3-2 3-4 5-1 5-5 9-3 last ' ]
}

aged() { [ "$(loop-queue stats --json q | jq ".oldest_ms > $1")" = true ]; }

# The bodies of the next items, as many single claims.
claimed() { # COUNT
	local n
	for ((n = 0; n < $1; n++)); do loop-queue claim q | jq -r .body; done | paste -sd ' '
}

@test "whatever comes, one that has aged is claimed by the eighth claim" {
	put q first -p low >/dev/null
	put q second -p low >/dev/null
	wait_for 40 aged 1
	seq 20 | jq -c '{body: "h\(.)", priority: 0}' | put --jsonl q >/dev/null
	[ "$(claimed 2)" = 'h1 h2' ]
	loop-queue age q 1ms
	[ "$(loop-queue stats --json q | jq .age_ms)" = 1 ]
	[ "$(claimed 7)" = 'h3 h4 h5 h6 h7 h8 h9' ]
	[ "$(loop-queue peek q | jq -r .body)" = first ]
	[ "$(claimed 9)" = 'first h10 h11 h12 h13 h14 h15 h16 second' ]
	loop-queue age q 0
	[ "$(loop-queue stats --json q | jq .age_ms)" = 0 ]
	put q third -p low >/dev/null
	[ "$(claimed 5)" = 'h17 h18 h19 h20 third' ]
}

@test "of many that are claimed at once the first may be one that has aged" {
	put q old -p low >/dev/null
	seq 9 | jq -c '{body: "h\(.)", priority: (9 - .)}' | put --jsonl q >/dev/null
	wait_for 40 aged 1
	loop-queue age q 1ms
	[ "$(claimed 7)" = 'h9 h8 h7 h6 h5 h4 h3' ]
	[ "$(loop-queue claim -n 2 q | jq -r .body | paste -sd ' ')" = 'old h2' ]
}

@test "one that is given back keeps its place" {
	put q a >/dev/null
	put q b >/dev/null
	claim
	loop-queue nack q "$id" "$token" --delay 0
	claim
	[ "$(body) $(jq .try <<<"$item")" = 'a 2' ]
	loop-queue nack q "$id" "$token" --delay 0 --priority low --no-count
	claim
	[ "$(body)" = b ]
	claim
	[ "$(body) $(jq -c '[.try,.priority]' <<<"$item")" = 'a [2,2000]' ]
}

@test "bodies come back byte by byte: empty, binary, large, hostile" {
	put q '' >/dev/null
	printf 'a\0\377\n' | put q >/dev/null
	head -c 3000000 /dev/urandom >big
	put q - <big >/dev/null
	printf '\033]0;x\007"\\\n' | put q >/dev/null
	claim
	[ "$(jq -c .body <<<"$item")" = '""' ]
	claim
	[ "$(jq -r .body64 <<<"$item")" = "$(printf 'a\0\377\n' | base64)" ]
	claim --body-to out
	cmp big out
	[ "$(jq 'has("body") or has("body64")' <<<"$item")" = false ]
	claim
	[ "$(jq -j .body <<<"$item" | od -c)" = "$(printf '\033]0;x\007"\\\n' | od -c)" ]
}

@test "a body of 50 MB" {
	head -c 50000000 /dev/zero >big
	put q <big >/dev/null
	claim --body-to out
	cmp big out
	loop-queue ack q "$id" "$token"
}

@test "a stale holder is refused" {
	put q job --lease 500ms >/dev/null
	claim
	local old=$token was=$id
	claim --wait 10s --lease 1m
	[ "$id" = "$was" ]
	[ "$(jq .try <<<"$item")" = 2 ]
	for verb in ack nack bury touch; do
		status_is 77 loop-queue "$verb" q "$was" "$old"
		has "$stderr" "item $was"
	done
	status_is 77 loop-queue ack q "$was" nonsense
	loop-queue touch q "$id" "$token" --lease 1m
	status_is 0 loop-queue ack q "$id" "$token"
}

@test "a lease that is touched lasts" {
	put q job --lease 2s >/dev/null
	claim
	local began=${EPOCHREALTIME/./} was
	loop-queue touch q "$id" "$token" --lease 1h
	was=$(loop-queue peek q "$id" | jq -r .deadline)
	loop-queue touch q "$id" "$token"
	[[ $(loop-queue peek q "$id" | jq -r .deadline) > $was ]] # as long as it was, from now
	wait_for 40 eval '((${EPOCHREALTIME/./} - began > 2000000))'
	status_is 1 loop-queue claim q
	loop-queue ack q "$id" "$token"
}

@test "after its last try it is buried, told of, and kicked back" {
	put q job --tries 2 >/dev/null
	claim
	loop-queue nack q "$id" "$token" --delay 0 --why 'first'
	claim
	loop-queue nack q "$id" "$token" --delay 0 --why 'no luck'
	[ "$(counts)" = '0 0 0 1' ]
	[ "$(loop-queue peek q "$id" | jq -r '.state+" "+.why')" = 'buried no luck' ]
	if [ -z "$LOOP_STORE" ]; then
		[ "$(jq -c 'select(.type == "queue.buried") | .data' "$LOOP_DIR/events.jsonl")" = \
			"{\"queue\":\"q\",\"id\":\"$id\",\"tries\":2,\"why\":\"no luck\"}" ]
	fi
	status_is 0 loop-queue kick q
	claim
	[ "$(jq .try <<<"$item")" = 2 ]
	loop-queue bury q "$id" "$token" --why 'set aside'
	status_is 0 loop-queue kick --reset q "$id"
	claim
	[ "$(jq .try <<<"$item")" = 1 ]
	status_is 1 loop-queue kick q "$id"
}

@test "a lease that runs out on the last try buries" {
	put q job --tries 1 --lease 50ms >/dev/null
	claim
	wait_for 20 eval '[ "$(count buried)" = 1 ]'
	status_is 77 loop-queue ack q "$id" "$token"
}

@test "delays: nobody gets it before; kick does" {
	put q later --delay 3s >/dev/null
	put q hour --delay 1h >/dev/null
	put q year --delay "$(date -u -d '+300 days' +%Y-%m-%dT%H:%M:%SZ)" >/dev/null
	[ "$(counts)" = '0 3 0 0' ]
	status_is 1 loop-queue claim q
	claim --wait 20s
	[ "$(body)" = later ]
	loop-queue nack q "$id" "$token" --delay 2h
	[ "$(counts)" = '0 3 0 0' ]
	loop-queue kick --all q
	[ "$(counts)" = '3 0 0 0' ]
}

@test "kick takes what is buried first" {
	put q delayed --delay 1h >/dev/null
	put q bad >/dev/null
	claim
	loop-queue bury q "$id" "$token"
	loop-queue kick q
	[ "$(counts)" = '1 1 0 0' ]
	loop-queue kick q
	[ "$(counts)" = '2 0 0 0' ]
	status_is 1 loop-queue kick q
}

@test "a key binds until its item is done" {
	local first
	first=$(put q one --key K)
	[ "$(put q two --key K)" = "$first" ]
	[ "$(echo '{"body":1,"key":"K"}' | put --jsonl q)" = "{\"id\":\"$first\",\"dup\":true}" ]
	[ "$(counts)" = '1 0 0 0' ]
	claim
	[ "$(jq -r .key <<<"$item")" = K ]
	[ "$(put q two --key K)" = "$first" ]
	loop-queue ack q "$id" "$token"
	[ "$(put q three --key K)" != "$first" ]
	[ "$(counts)" = '1 0 0 0' ]
	claim
	[ "$(body)" = three ]
}

@test "a key binds for its time, done or not" {
	local first
	first=$(put q one --key K --key-ttl 1h)
	claim
	loop-queue ack q "$id" "$token"
	[ "$(put q two --key K)" = "$first" ]
	first=$(put q one --key L --key-ttl 30ms)
	claim
	loop-queue ack q "$id" "$token"
	sleep 0.05
	[ "$(put q two --key L)" != "$first" ]
}

@test "many at once, in and out by lines of JSON" {
	seq 3000 | jq -c '{body: {n: .}, priority: (. % 3)}' | put --jsonl q >ids
	[ "$(jq -r .id ids | sort -u | wc -l)" -eq 3000 ]
	[ "$(count ready)" -eq 3000 ]
	loop-queue claim -n 5000 q >claimed
	[ "$(jq -r '.body | fromjson | .n' claimed | sort -n | uniq | wc -l)" -eq 3000 ]
	[ "$(jq -r .priority claimed | uniq | tr '\n' ' ')" = '0 1 2 ' ]
	head -n 2000 claimed | loop-queue ack --jsonl q >acked
	[ "$(jq -r .ok acked | sort | uniq -c | tr -s ' ')" = ' 2000 true' ]
	[ "$(counts)" = '0 0 1000 0' ]
	status_is 1 eval 'loop-queue ack --jsonl q <claimed >acked'
	[ "$(jq -r .error acked | sort | uniq -c | tr -s ' ' | tr '\n' ,)" = ' 2000 missing, 1000 null,' ]
}

@test "a wrong line is refused with its number, and what stood before it is there" {
	local line
	for line in '{"body":1,"unknown":2}' '{"priority":1}' '{"body":1,"delay":"x"}' '[]' '{"body":' \
		'{"body":1,"key":"../x"}' '{"body":1,"tries":-1}' '{"body64":"!"}' '{"body":1,"tried":1}'; do
		status_is 65 eval 'printf "%s\n" "{\"body\":\"good\"}" "$line" | loop-queue put --jsonl q'
		has "$stderr" 'line 2: '
	done
	[ "$(counts)" = '9 0 0 0' ]
	status_is 65 eval 'echo nonsense | loop-queue ack --jsonl q'
	has "$stderr" 'line 1: '
}

@test "names: of queues, keys and items" {
	for name in a/b ../x '' .x 'a b' $'a\nb'; do
		status_is 64 loop-queue put "$name" x
		status_is 64 loop-queue put q x --key "$name/"
	done
	put q x >/dev/null
	for id in 0 1 99.1 1.99 x ../q 1.-1 $'1\n' 18446744073709551617.0 ''; do
		status_is 1 loop-queue ack q "$id" 0123456789abcdef
		status_is 1 loop-queue peek q "$id"
	done
	status_is 1 loop-queue claim --id 77.7 q
}

@test "claim by id" {
	put q a >/dev/null
	local second
	second=$(put q b)
	claim --id "$second"
	[ "$(body)" = b ]
	status_is 1 loop-queue claim --id "$second" q
}

@test "claim --wait is woken by a put" {
	loop-queue claim --wait 20s q >got &
	local pid=$!
	STARTED+=("$pid")
	sleep 0.2
	put q hello >/dev/null
	wait "$pid"
	[ "$(jq -r .body got)" = hello ]
}

@test "pause, resume, drain" {
	put q a >/dev/null
	loop-queue pause q
	status_is 1 loop-queue claim q
	[ "$(loop-queue stats --json q | jq .paused)" = true ]
	loop-queue resume q
	claim
	loop-queue pause q 3s
	put q b >/dev/null
	status_is 1 loop-queue claim q
	claim --wait 20s
	[ "$(body)" = b ]
	loop-queue drain q
	status_is 75 loop-queue put q c
	has "$stderr" drains
	loop-queue resume q
	put q c >/dev/null
}

@test "purge: by id and by state" {
	local first
	first=$(put q a --key K)
	put q b >/dev/null
	put q c --delay 1h >/dev/null
	status_is 0 loop-queue purge q --id "$first"
	status_is 1 loop-queue purge q --id "$first"
	[ "$(put q a --key K)" != "$first" ]
	claim
	loop-queue purge q --state ready,delayed,claimed
	[ "$(counts)" = '0 0 0 0' ]
	status_is 1 loop-queue ack q "$id" "$token"
}

@test "peek and list show without claiming" {
	put q low -p low >/dev/null
	put q high -p high >/dev/null
	[ "$(loop-queue peek q | jq -r '.body+" "+.state')" = 'high ready' ]
	[ "$(loop-queue list --json q | jq -r .body | sort | tr '\n' ' ')" = 'high low ' ]
	[ "$(loop-queue list -n 1 q | wc -l)" -eq 1 ]
	[ -z "$(loop-queue list --state buried q)" ]
	[ "$(counts)" = '2 0 0 0' ]
}

@test "wait: for all, for some" {
	put q a >/dev/null
	status_is 124 loop-queue wait --empty --timeout 50ms q
	claim
	start loop-queue wait q "$id"
	local waiting=$started
	sleep 0.05
	loop-queue ack q "$id" "$token"
	wait "$waiting"
	status_is 0 loop-queue wait --empty q
}

@test "export and import keep what matters" {
	put q a --key K --priority high >/dev/null
	put q b --delay 1h >/dev/null
	put q c --tries 2 --lease 7s >/dev/null
	printf '\0\1' | put q >/dev/null
	claim
	loop-queue nack q "$id" "$token" --delay 0
	local c
	c=$(loop-queue list --json q | jq -r 'select(.body == "c") | .id')
	claim --id "$c"
	loop-queue bury q "$id" "$token"
	loop-queue export q >out
	loop-queue import other <out >/dev/null
	for queue in q other; do
		loop-queue list --json "$queue" | jq -cS 'del(.id, .queue, .created, .due, .why)' | sort >"$queue.txt"
	done
	diff q.txt other.txt
	[ "$(loop-queue stats --json other | jq -c '[.ready,.delayed,.buried]')" = '[2,1,1]' ]
	[ "$(loop-queue put other x --key K)" = "$(loop-queue list --json other | jq -r 'select(.key == "K") | .id')" ]
}

@test "work: the body on stdin, the status decides" {
	for n in 0 7 65 75; do echo "{\"body\":\"$n\",\"tries\":2}"; done | put --jsonl q >/dev/null
	status_is 0 loop-queue work q -n 4 --error-delay 1h -- sh -c \
		'read -r n; echo "$n $LOOP_QUEUE $LOOP_JOB_TRY/$LOOP_JOB_TRIES ${#LOOP_JOB_TOKEN} $LOOP_JOB_ID" >>ran; exit "$n"'
	[ "$(cut -d' ' -f1-4 ran | tr '\n' ,)" = '0 q 1/2 16,7 q 1/2 16,65 q 1/2 16,75 q 1/2 16,' ]
	[ "$(counts)" = '0 2 0 1' ]
	[ "$(loop-queue list --json q | jq -r '"\(.body) \(.try) \(.why)"' | sort | tr '\n' ,)" = \
		'65 1 status 65,7 1 status 7,75 0 status 75,' ]
}

@test "work: renews its leases, several at once, and ends when idle" {
	for n in 1 2 3; do put q "$n" --lease 1500ms >/dev/null; done
	status_is 0 loop-queue work q -j 2 --idle-exit 0 -- sh -c \
		'n=$(cat); echo "$n" >>ran; [ "$n" = 3 ] || sleep 2'
	[ -z "$stderr" ]
	[ "$(sort ran | tr '\n' ' ')" = '1 2 3 ' ]
	[ "$(counts)" = '0 0 0 0' ]
}

@test "work: a timeout is a failed try, and nothing is left over" {
	put q x --tries 1 >/dev/null
	status_is 0 loop-queue work q -n 1 --timeout 200ms -- sh -c 'sleep 77 & sleep 77'
	[ "$(loop-queue list --json q | jq -r '.state+" "+.why')" = 'buried timed out' ]
	nothing_left
}

@test "work: told to end it finishes, told twice it gives back uncounted" {
	put q a >/dev/null
	start loop-queue work q -- sh -c 'touch began; sleep 0.4; touch ended'
	wait_for 20 test -e began
	kill -TERM "$started"
	wait "$started"
	[ -e ended ]
	[ "$(counts)" = '0 0 0 0' ]
	rm began
	put q b >/dev/null
	start loop-queue work q -- sh -c 'touch began; sleep 60'
	wait_for 20 test -e began
	kill -TERM "$started"
	sleep 0.3
	kill -TERM "$started"
	wait "$started"
	[ "$(counts)" = '1 0 0 0' ]
	claim
	[ "$(jq .try <<<"$item")" = 1 ]
}

@test "work without room: nothing is claimed, and told once it ends" {
	put q a >/dev/null
	start loop-queue work q --idle-exit 0 --min-disk 999999G -- touch ran 2>errors
	wait_for 40 grep -q 'nothing is claimed: .* free, and new work starts with 977T' errors
	kill -TERM "$started"
	wait "$started"
	[ "$(counts)" = '1 0 0 0' ]
	[ "$(wc -l <errors)" = 1 ]
	if [ -z "$LOOP_STORE" ]; then
		[ "$(jq -r 'select(.type == "run.needs_human") | .data.plan' "$LOOP_DIR/events.jsonl")" = q ]
	fi
	status_is 0 loop-queue work q --idle-exit 0 --min-disk 1 --min-memory 1 -- touch ran
	[ -e ran ]
	status_is 0 loop-queue work q --idle-exit 0 --min-memory 999999G -- false
	[ -z "$stderr" ]
}

@test "work killed: the item comes back when its lease is over" {
	put q a --lease 500ms >/dev/null
	start loop-queue work q -- sh -c 'touch began; sleep 60'
	wait_for 20 test -e began
	kill -KILL "$started"
	wait_for 40 claim
	[ "$(jq .try <<<"$item")" = 2 ]
	wait_for 80 nothing_left
}

@test "work: a command that is not there is a try that failed" {
	put q a >/dev/null
	status_is 0 loop-queue work q -n 1 -- ./not-there
	has "$stderr" 'not-there'
	[ "$(count delayed)" = 1 ]
}

@test "work: an open breaker holds it back" {
	for n in 1 2 3 4 5 6 7; do put q "$n" >/dev/null; done
	start loop-queue work q --breaker b --error-delay 1h -- sh -c 'exit 3'
	wait_for 40 eval '[ "$(loop-guard list --json b 2>/dev/null | jq -r .state)" = open ]'
	[ "$(count delayed)" = 5 ]
	[ "$(count ready)" = 2 ]
	kill "$started"
}

@test "ten workers at once: each item once" {
	local w pids=()
	seq 300 | jq -c '{body: .}' | put --jsonl q >/dev/null
	for w in 0 1 2 3 4 5 6 7 8 9; do
		(
			while loop-queue claim -n 7 q >"c$w"; do
				jq -r .body "c$w" >>"seen$w"
				loop-queue ack --jsonl q <"c$w" >/dev/null || echo "$w" >>failed
			done
		) 3>&- &
		pids+=("$!")
	done
	wait "${pids[@]}" || true
	[ ! -e failed ]
	[ "$(cat seen* | sort -n | uniq | wc -l)" -eq 300 ]
	[ "$(cat seen* | wc -l)" -eq 300 ]
	[ "$(counts)" = '0 0 0 0' ]
}
