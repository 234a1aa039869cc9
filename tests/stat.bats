load helper

# event TIME TYPE DATA [SUBJECT]
event() {
	printf '{"specversion":"1.0","id":"0","source":"/t","type":"%s","subject":"%s","time":"%s","data":%s}\n' \
		"$2" "${4-s}" "$1" "$3"
}

at() { # SECONDS: a time within one minute and the next ones
	date -ud "2026-01-01T00:00:00Z + $1 seconds" +%FT%TZ
}

@test "counts, rates and percentiles over a file" {
	local i
	for i in $(seq 0 100); do event "$(at "$i")" task.completed "{\"ms\":$i}"; done >events
	status_is 0 loop-stat --json events
	jq -e '.count == 101 and .values == 101 and .min == 0 and .max == 100 and .mean == 50 and
		(.rate - 1.01 | fabs) < 0.001 and (.p50 - 50 | fabs) <= 50 / 128 and
		(.p95 - 95 | fabs) <= 95 / 128 and (.p99 - 99 | fabs) <= 99 / 128' <<<"$output"
	status_is 0 loop-stat events
	has "$output" 'p95'
	[ "${#lines[@]}" -eq 2 ]
	[ "$(loop-stat --json <events - | jq .count)" -eq 101 ]
}

@test "groups by members of events, strings or not" {
	{
		event "$(at 0)" a.b '{"ms":1,"agent":"x"}' P/1
		event "$(at 1)" a.b '{"ms":3,"agent":"x"}' P/2
		event "$(at 2)" a.c '{"value":5,"agent":7}' P/1
		event "$(at 3)" a.c '{}' P/1
	} >events
	[ "$(loop-stat --by type --json events | jq -c '[.by.type, .count, .values, .mean]')" = $'["a.b",2,2,2]\n["a.c",2,1,5]' ]
	[ "$(loop-stat --by data.agent,subject --json events | jq -c '.by | [.[]]')" = $'["x","P/1"]\n["x","P/2"]\n["7","P/1"]\n["","P/1"]' ]
	[ "$(loop-stat --type a.c --json events | jq .count)" -eq 2 ]
	[ "$(loop-stat --value data.value --json events | jq .values)" -eq 1 ]
	[ "$(loop-stat --by subject,type --groups 2 --json events | jq -c '[.by.type, .count]' | tail -n 1)" = '["(others)",2]' ]
}

@test "windows are of the events' own times, and late events have theirs" {
	{
		event "$(at 10)" a '{"ms":1}'
		event "$(at 70)" a '{"ms":2}'
		event "$(at 50)" a '{"ms":3}' # late, but not too late
		event "$(at 200)" a '{"ms":4}'
		event "$(at 20)" a '{"ms":5}' # too late
	} >events
	status_is 0 loop-stat --window 1m --late 30s --json events
	[ "$(jq -c '[.from[11:19], .count, .max]' <<<"$output")" = $'["00:00:00",2,3]\n["00:01:00",1,2]\n["00:03:00",1,4]' ]
	has "$stderr" '1 events came too late'
	[ "$(loop-stat --window 1m events 2>/dev/null | grep -c per_sec)" -eq 1 ]
}

@test "an event from the future does not close the windows of the others" {
	{
		event "$(at 10)" a '{}'
		event 2200-01-01T00:00:00Z a '{}'
		event "$(date -u +%FT%TZ)" a '{}'
	} >events
	status_is 0 loop-stat --window 1m --json events
	[ -z "$stderr" ]
	[ "${#lines[@]}" -eq 3 ]
}

@test "follows the journal, and prints each window as it closes" {
	loop-emit a --data '{"ms":1}'
	start loop-stat --follow --window 1s --late 0 --json >out
	wait_for 40 emitted_window
	kill "$started"
	jq -e '.count >= 1' out
}

emitted_window() {
	loop-emit a --data '{"ms":2}'
	[ -s out ]
}

@test "what it writes for Prometheus is in the text format" {
	{
		event "$(at 0)" 'a' '{"ms":1,"1st":"q\"\\\n"}'
		event "$(at 1)" 'a' '{"1st":"x"}'
	} >events
	status_is 0 loop-stat --prometheus --by data.1st,type,quantile events
	local label='[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*"'
	local sample="[a-z_]+(\{$label(,$label)*\})? [0-9.e+-]+"
	printf '%s\n' "$output" >text
	run ! grep -vE "^(# (HELP|TYPE) [a-z_]+ .+|$sample)$" text
	output=$(<text)
	has "$output" 'loop_events_total{data_1st="q\"\\\n",type="a",quantile_=""} 1'
	[ "$(grep -c '^# TYPE' <<<"$output")" -eq 2 ]
	[ "$(grep -c '^loop_value_count' <<<"$output")" -eq 1 ]
	loop-stat --prometheus events | grep -qx 'loop_events_total 2'
	loop-stat --prometheus events | grep -q '^loop_value{quantile="0.95"} '
}

@test "what is no event is passed over and counted" {
	{
		echo nonsense
		echo '{"type":"a"}'
		echo '[]'
		event soon a '{}'
		event "$(at 0)" a '{"ms":1}'
		printf '{"torn'
	} >events
	status_is 0 loop-stat --json events
	[ "$(jq .count <<<"$output")" -eq 1 ]
	has "$stderr" '5 lines are no events'
	status_is 66 loop-stat no-such-file
	status_is 66 loop-stat
}

@test "text from events does not move the cursor" {
	event "$(at 0)" a '{"x":"\u001b[2J\n"}' >events
	run loop-stat --by data.x events
	[[ $output != *$'\e'* ]]
	[ "${#lines[@]}" -eq 2 ]
}

@test "options that do not go together are refused" {
	status_is 64 loop-stat --follow
	status_is 64 loop-stat --prometheus --window 1m
	status_is 64 loop-stat --prometheus --json
	status_is 64 loop-stat --watch
	status_is 64 loop-stat --by a,,b
	status_is 64 loop-stat --type 'a..b'
	status_is 64 loop-stat --since yesterday
	status_is 64 loop-stat --follow --window 1m file
}

@test "--watch shows the newest window in place" {
	needs_terminal
	loop-emit a --data '{"ms":1}'
	start script -qfc 'loop-stat --watch --window 1h' out </dev/null >/dev/null
	wait_for 40 grep -q per_sec out
	loop-emit a --data '{"ms":2}'
	wait_for 40 grep -qF $'\e[2A\e[J' out
	wait_for 40 grep -qE '  +2 +' out
}
