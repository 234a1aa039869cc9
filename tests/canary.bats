load helper

# rollout [JQ-FILTER]: a rollout in rollout.json whose check is the file "said".
rollout() {
	jq -n '{name: "v2", every: "10ms", hold: "20ms", min_samples: 10,
		apply: "echo set $LOOP_CANARY_WEIGHT >>log", rollback: "echo back >>log",
		promote: "echo final >>log", checks: ["cat said"], steps: [10, 50, 100]}' |
		jq "${1-.}" >rollout.json
}

says() {
	echo "$1" >said.new
	mv said.new said
}

state() {
	jq -r .state "$LOOP_DIR/rollouts/v2/state.json"
}

is_state() {
	[ "$(state 2>/dev/null)" = "$1" ]
}

types() {
	jq -r 'select(.type != "canary.checked") | .type' "$LOOP_DIR/events.jsonl" | tr '\n' ' '
}

@test "a good release is promoted step by step, once" {
	rollout
	says '{"samples":50,"errors":1,"latency_ms":20}'
	status_is 0 loop-canary run rollout.json
	[ -z "$output$stderr" ]
	[ "$(tr '\n' ' ' <log)" = 'set 10 set 50 set 100 final ' ]
	[ "$(types)" = 'canary.started canary.step canary.step canary.step canary.promoted ' ]
	events_conform
	status_is 0 loop-canary run rollout.json
	[ "$(wc -l <log)" -eq 4 ]
	status_is 1 loop-canary abort v2
	has "$stderr" 'rollout v2 has ended: promoted'
	has "$(loop-canary list)" promoted
	says '{"samples":50,"errors":40}'
	status_is 1 loop-canary run --again rollout.json
	[ "$(tail -n 1 log)" = back ]
	status_is 1 loop-canary run rollout.json
	has "$stderr" 'was rolled back: a check failed; --again'
}

@test "a bad one is taken back: by errors, by latency, by a limit of its own, by a status" {
	local words
	for words in '{"samples":100,"errors":11}' '{"samples":100,"error_rate":0.3}' \
		'{"samples":100,"errors":0,"latency_ms":201}' '{"samples":100,"errors":0,"cost":2}' \
		'{"samples":100,"errors":0,"quality":0.4}' '{"samples":100,"verdict":"fail"}'; do
		rollout '.checks = [{command: "cat said", limits: {cost: {pass: 0.5, fail: 1}, quality: {pass: 0.9, fail: 0.5}}}]'
		says "$words"
		status_is 1 loop-canary run --again rollout.json
		has "$stderr" 'v2: rolled back: a check failed'
		[ "$(tail -n 1 log)" = back ]
	done
	rollout '.checks = ["exit 1"] | .min_samples = 1'
	status_is 1 loop-canary run --again rollout.json
	events_conform
}

@test "too few samples are never a pass and never a failure" {
	local words n=0
	for words in '{"samples":9,"errors":0}' '{"samples":9,"errors":9}' '{"samples":0}' '{"samples":0,"errors":0,"verdict":"pass"}'; do
		rollout ".name = \"v$((++n))\""
		says "$words"
		start loop-canary run rollout.json
		wait_for 80 jq -e '.last | contains("inconclusive")' "$LOOP_DIR/rollouts/v$n/state.json"
		loop-canary abort "v$n"
		wait_for 80 gone "$started"
		jq -e '.why | contains("aborted")' "$LOOP_DIR/rollouts/v$n/state.json"
	done
	for words in '.min_samples = 10' '.min_samples = 0'; do
		rollout "$words | .deadline = \"200ms\""
		says '{"samples":0,"errors":0}'
		status_is 1 loop-canary run --again rollout.json
		has "$stderr" 'rolled back: the deadline has passed'
	done
	status_is 1 grep -q 'set 50' log
}

@test "neither good nor bad: it pauses, is taken back, or goes on" {
	says '{"samples":100,"errors":7}'
	rollout '.inconclusive_limit = 2'
	status_is 75 loop-canary run --no-wait rollout.json
	is_state paused
	has "$(loop-canary status v2)" 'why: neither good nor bad 2 times in a row'
	[ "$(loop-canary status | wc -l)" -gt "$(loop-canary list v2 | wc -l)" ]
	says '{"samples":100,"errors":0}'
	status_is 0 loop-canary resume v2 --why 'looked at' --by ann
	is_state promoted
	says '{"samples":100,"errors":7}'
	rollout '.inconclusive_limit = 2 | .on_inconclusive = "rollback"'
	status_is 1 loop-canary run rollout.json
	rollout '.inconclusive_limit = 2 | .on_inconclusive = "proceed"'
	status_is 0 loop-canary run rollout.json
}

@test "checks that do not work are borne for a while" {
	rollout '.error_limit = 2 | .checks = ["echo nonsense"]'
	status_is 1 loop-canary run rollout.json
	has "$stderr" 'checks did not work 3 times in a row'
	rollout '.error_limit = 0 | .check_timeout = "50ms" | .checks = ["sleep 10"]'
	status_is 1 loop-canary run rollout.json
}

@test "pause, promote and abort, while it is driven" {
	rollout '.hold = "1h"'
	says '{"samples":100,"errors":0}'
	start loop-canary run rollout.json
	wait_for 80 is_state watching
	status_is 75 loop-canary run rollout.json
	has "$stderr" 'rollout v2 is being driven already'
	loop-canary pause v2
	wait_for 80 is_state paused
	loop-canary resume v2
	wait_for 80 is_state watching
	loop-canary promote v2
	wait_for 20 grep -q 'set 50' log
	loop-canary promote --full v2
	wait_for 20 grep -q 'set 100' log
	wait_for 80 is_state watching
	loop-canary abort v2 --by ann --why enough
	wait_for 80 gone "$started"
	is_state rolled_back
	jq -e '.why == "aborted by ann: enough"' "$LOOP_DIR/rollouts/v2/state.json"
	events_conform
}

@test "one rollout a target" {
	rollout '.hold = "1h"'
	says '{"samples":100,"errors":0}'
	start loop-canary run rollout.json
	wait_for 80 is_state watching
	jq '.name = "v3" | .target = "v2"' rollout.json >other.json
	status_is 75 loop-canary run other.json
	has "$stderr" 'v2: is being rolled out by v2 (watching at 10 %)'
	kill -KILL "$started"
	wait_for 80 nothing_left
	status_is 75 loop-canary run other.json
	jq '.hold = "2h"' rollout.json >changed.json
	status_is 75 loop-canary run changed.json
	has "$stderr" 'goes on with another plan'
	status_is 0 loop-canary abort v2
	jq '.hold = "10ms"' other.json >quick.json
	status_is 0 loop-canary run quick.json
}

@test "a rollback that fails is told by its status, keeps the target, and can be tried again" {
	rollout '.attempts = 1 | .rollback = "test -e mended && echo back >>log"'
	says '{"samples":100,"errors":50}'
	status_is 69 loop-canary run rollout.json
	has "$stderr" 'the rollback failed, nobody knows what is set: loop-canary retry v2'
	jq '.name = "v3" | .target = "v2"' rollout.json >other.json
	status_is 75 loop-canary run other.json
	status_is 69 loop-canary retry v2
	touch mended
	status_is 0 loop-canary retry v2
	is_state rolled_back
	has "$(types)" canary.rollback_failed
	events_conform
}

@test "a weight that cannot be set, and a promotion that fails, are taken back" {
	says '{"samples":100,"errors":0}'
	rollout '.attempts = 1 | .apply = "test $LOOP_CANARY_WEIGHT -lt 50"'
	status_is 1 loop-canary run rollout.json
	has "$stderr" 'rolled back: the weight could not be set'
	rollout '.attempts = 1 | .promote = "false"'
	status_is 1 loop-canary run rollout.json
	has "$stderr" 'rolled back: it could not be promoted'
}

@test "every error of a file in one pass, with its place" {
	printf '{"nam": "x",\n "steps": [10, {"weight": 5}],\n "checks": [{"limits": 1}], "hold": "soon"}\n' >bad.json
	status_is 65 loop-canary check bad.json
	[ "$(cut -d: -f1-3 <<<"$stderr" | sort -u | wc -l)" -ge 6 ]
	has "$stderr" "bad.json:1:2: error: unknown key 'nam'; did you mean 'name'?"
	has "$stderr" 'bad.json:2:16: error: weight: must be larger than that of the step before, 10'
	has "$stderr" 'apply: is missing'
	status_is 65 loop-canary run bad.json
	[ ! -e "$LOOP_DIR" ]
	echo '{' >bad.json
	status_is 65 loop-canary check bad.json
	status_is 66 loop-canary check missing.json
}

@test "simulated releases: bad ones are found, and none is promoted without samples" {
	rollout 'del(.steps, .min_samples)'
	loop-canary simulate --json --seed 1 --runs 200 rollout.json >rates
	[ "$(jq -s 'map(.rate)' -c rates)" = '[1,5,8,12,20]' ]
	jq -es '.[0].promoted > 0.9 and .[0].rolled_back < 0.1 and .[3].promoted == 0 and .[4].rolled_back > 0.99' rates
	loop-canary simulate --json --seed 1 --runs 3 --samples 0 rollout.json | jq -es 'all(.undecided == 1)'
}

@test "simulated windows: added up they are what sums are, taken for sums they promote too much" {
	rollout 'del(.steps, .min_samples, .every, .hold)'
	jq '.checks = [{command: "true", window: "1m"}]' rollout.json >windows.json
	five() { loop-canary simulate --json --seed 1 --runs 100 --samples 300 --rates 5 "$@" | jq .promoted; }
	[ "$(jq -n "$(five windows.json) < 0.5 and $(five rollout.json) < 0.5")" = true ]
	[ "$(jq -n "$(five --window 1m rollout.json) > 0.9")" = true ]
	jq '.checks[0].window = "soon"' windows.json >bad.json
	status_is 65 loop-canary check bad.json
}

@test "windows are added up over a crash" {
	rollout '.hold = "1h" | .checks = [{command: "cat said", window: "10ms"}]'
	says '{"samples":5,"errors":0}'
	start loop-canary run rollout.json
	wait_for 40 jq -e '.windows[0][0] >= 10' "$LOOP_DIR/rollouts/v2/state.json"
	kill -KILL "$started"
	wait_for 80 nothing_left
	before=$(jq '.windows[0][0]' "$LOOP_DIR/rollouts/v2/state.json")
	start loop-canary run rollout.json
	wait_for 40 jq -e ".windows[0][0] > $before" "$LOOP_DIR/rollouts/v2/state.json"
	loop-canary abort v2
	wait_for 80 gone "$started"
}

@test "the examples: sessions by weight, and what became of them" {
	local i examples=$SOURCE_TREE/share/examples/canary
	for i in prompt model; do loop-canary check "$examples/$i.json"; done
	printf '#!/bin/sh\necho "$1 $2 $LOOP_SUBJECT"\n' >spawn
	chmod +x spawn
	choose() {
		for i in {1..60}; do
			LOOP_SUBJECT=shop/US-$i "$examples/session" prompt-v2 --prompt old.md new.md -- ./spawn
		done
	}
	choose >none
	[ "$(grep -c 'old.md shop/US-.*/prompt-v2/old' none)" -eq 60 ]
	"$examples/set" prompt-v2 30
	choose >some
	choose | diff - some
	n=$(grep -c 'prompt new.md shop/US-.*/prompt-v2/new' some)
	((n > 6 && n < 40))
	"$examples/set" prompt-v2 100
	[ "$(choose | grep -c new.md)" -eq 60 ]
	for i in {1..10}; do
		loop-emit session.ended --subject "shop/US-$i/prompt-v2/new" success:="$([ "$i" -gt 2 ] && echo true || echo false)" \
			cost_usd:="$i" reason=done status:=0 input:=1 output:=1 turns:=1 ms:=1 leaked:=0 attempts:=1
	done
	loop-emit session.ended --subject shop/US-11/prompt-v2/old success:=false cost_usd:=100 reason=x \
		status:=0 input:=1 output:=1 turns:=1 ms:=1 leaked:=0 attempts:=1
	LOOP_CANARY_SINCE=2026-01-01T00:00:00Z status_is 0 "$examples/check" prompt-v2
	[ "$output" = '{"samples":10,"errors":2,"cost":5.5}' ]
	LOOP_CANARY_SINCE=2200-01-01T00:00:00Z status_is 0 "$examples/check" prompt-v2
	[ "$output" = '{"samples":0,"errors":0}' ]
}

@test "the example of a prompt, whole: taken back for its failures" {
	local examples=$SOURCE_TREE/share/examples/canary i
	jq '.every = "20ms" | .hold = "20ms"' "$examples/prompt.json" >prompt.json
	start loop-canary run prompt.json
	wait_for 20 grep -qx 10 "$LOOP_DIR/canary/prompt-v2"
	wait_for 20 jq -e '.state == "watching"' "$LOOP_DIR/rollouts/prompt-v2/state.json"
	for i in {1..12}; do
		loop-emit session.ended --subject "shop/US-$i/prompt-v2/new" success:=false cost_usd:=null reason=failed \
			status:=1 input:=1 output:=1 turns:=1 ms:=1 leaked:=0 attempts:=1
	done
	wait_for 40 gone "$started"
	[ "$(<"$LOOP_DIR/canary/prompt-v2")" = 0 ]
	jq -e '.state == "rolled_back"' "$LOOP_DIR/rollouts/prompt-v2/state.json"
	events_conform
}

@test "killed at any step, it goes on where it was" {
	"$SOURCE_TREE/tests/fault/kill-canary" 4 1
}
