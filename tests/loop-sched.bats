load helper

# plan JSON: writes plan.json.
plan() {
	printf '%s\n' "$1" >plan.json
}

# states RUN: every task with its last state, a line each.
states() {
	loop-sched show --json "$1" | jq -r '"\(.task) \(.state)"'
}

# ended_with STATUS: what was started last ends, with that status.
ended_with() {
	local status=0
	wait "$started" || status=$?
	[ "$status" -eq "$1" ] || { echo "status $status" && false; }
}

# Whether the process that ran a run is gone.
interrupted() {
	[ "$(loop-sched status --json "$1" | jq -r .state)" != running ]
}

# is_running RUN TASK: by the record, which is written when the task has begun.
is_running() {
	grep -qs "\"task\":\"$2\",\"state\":\"running\"" "$LOOP_DIR/runs/$1/run.jsonl"
}

# A process that says so in its own arguments.
none_left() {
	! pgrep -f "$1" >/dev/null
}

@test "every shape of plan is imported as expected" {
	local file name
	cp "$SOURCE_TREE"/tests/fixtures/plans/* .
	for file in *.expected; do
		name=${file%.expected}
		loop-sched import "$name" >out 2>err || { cat err && false; }
		diff "$file" out
		[ ! -s err ]
	done
	[ "$(find . -name '*.expected' | wc -l)" -ge 22 ]
}

@test "what import makes of a plan is a plan of its own" {
	loop-sched import "$SOURCE_TREE/tests/fixtures/plans/taskmaster.json" >own.json
	loop-sched import own.json | cmp own.json -
	loop-sched check own.json >/dev/null
}

@test "check says every error of a plan in one pass, each at its place" {
	cat >bad.json <<-'JSON'
		{"name":"x","retries":3,
		 "tasks":[
		  {"id":"a","needs":["c"],"run":"true"},
		  {"id":"b","needs":["a"],"timeout":"5q"},
		  {"id":"c","needs":["b"],"rum":"true"},
		  {"id":"extract"},
		  {"id":"d","needs":["exract"]},
		  {"id":"d","retry":{"attempts":0,"jiter":"full"}},
		  {"id":"../e"},
		  {"title":"no id"},
		  {"id":"s","needs":["s"]},
		  {"id":"n","needs":["extract",{"task":"extract","when":"failed"}]}
		]}
	JSON
	status_is 65 loop-sched check bad.json
	[ -z "$output" ]
	has "$stderr" "bad.json:1:13: error: unknown key 'retries'"
	has "$stderr" "bad.json:4:37: error: timeout: must be a duration"
	has "$stderr" "bad.json:5:22: error: the needs go round in a circle: c -> b -> a -> c"
	has "$stderr" "bad.json:4:22: note: 'b' needs 'a'"
	has "$stderr" "bad.json:3:22: note: 'a' needs 'c'"
	has "$stderr" "bad.json:5:27: error: unknown key 'rum'; did you mean 'run'?"
	has "$stderr" "bad.json:7:22: error: 'd' needs 'exract', which is not there; did you mean 'extract'?"
	has "$stderr" "bad.json:8:9: error: the id 'd' is there already"
	has "$stderr" "bad.json:8:33: error: attempts: must be a whole number, at least 1"
	has "$stderr" "bad.json:8:35: error: unknown key 'jiter'; did you mean 'jitter'?"
	has "$stderr" "bad.json:9:9: error: id: '../e' is not a name"
	has "$stderr" "bad.json:10:3: error: a task needs an id"
	has "$stderr" "bad.json:11:22: error: the needs go round in a circle: s -> s"
	has "$stderr" "bad.json:12:21: error: 'n' can never run"
}

@test "errors of an imported plan are told in the user's own file" {
	cat >prd.json <<-'JSON'
		{"project":"X","userStories":[
		  {"id":"US-001","title":"A","passes":false,"dependencies":["US-03"]},
		  {"id":"US-002","title":"B","passes":false,"dependencies":["US-003"]},
		  {"id":"US-003","title":"C","passes":false,"dependencies":["US-002"]}
		]}
	JSON
	status_is 65 loop-sched check prd.json
	has "$stderr" "prd.json:2:61: error: 'US-001' needs 'US-03', which is not there; did you mean 'US-003'?"
	has "$stderr" "prd.json:4:61: error: the needs go round in a circle: US-003 -> US-002 -> US-003"
	has "$stderr" "prd.json:3:61: note: 'US-002' needs 'US-003'"
	printf -- '- [ ] T001 a\n- [ ] T002 b (depends on T009)\n' >tasks.md
	status_is 65 loop-sched check tasks.md
	has "$stderr" "tasks.md:2:26: error: 'T002' needs 'T009'"
}

@test "what is no plan is refused with its place" {
	printf '{\n "tasks": [}\n' >a.json
	status_is 65 loop-sched check a.json
	has "$stderr" "a.json:2:12: error: "
	printf '{"tasks":[]}\n' >a.json
	status_is 65 loop-sched check a.json
	has "$stderr" "a.json:1:1: error: no tasks"
	printf '{"stuff":[]}\n' >a.json
	status_is 65 loop-sched check a.json
	has "$stderr" "error: no stories"
	: >a.json
	status_is 65 loop-sched check a.json
	printf '{"id":"a"}\n{"id":"b",}\n' >a.jsonl
	status_is 65 loop-sched check a.jsonl
	has "$stderr" "a.jsonl:2:11: error: "
	status_is 66 loop-sched check nothing.json
	[ ! -e "$LOOP_DIR" ]
}

@test "check tells levels, width, work, critical path and slack" {
	plan '{"name":"p","tasks":[{"id":"a","estimate":"1m"},{"id":"b","needs":["a"],"estimate":"5m"},
		{"id":"c","needs":["a"],"estimate":"2m"},{"id":"d","needs":["b","c"],"estimate":"1m"}]}'
	loop-sched check --json plan.json | jq -c 'del(.hash)' >out
	diff out - <<-'JSON'
		{"name":"p","tasks":4,"edges":4,"levels":3,"width":2,"unit":"ms","work":540000,"critical":420000,"path":["a","b","d"],"slack":{"a":0,"b":0,"c":180000,"d":0}}
	JSON
	status_is 0 loop-sched check plan.json
	has "$output" "a -> b -> d"
	has "$output" "c 3m"
}

@test "the plan's hash is that of what is run" {
	local first second
	plan '{"name":"p","tasks":[{"id":"a","run":"true","description":"x"}]}'
	first=$(loop-sched check --json plan.json | jq -r .hash)
	plan '{"name":"q","tasks":[ {"id":"a","run":"true","description":"y","done":true} ]}'
	second=$(loop-sched check --json plan.json | jq -r .hash)
	[ "$first" = "$second" ]
	plan '{"name":"p","tasks":[{"id":"a","run":"false"}]}'
	[ "$first" != "$(loop-sched check --json plan.json | jq -r .hash)" ]
}

@test "tasks are read a line each from stdin" {
	printf '{"id":"a","run":"true"}\n\n{"id":"b","needs":["a"]}\n' | loop-sched check --json - >out
	[ "$(jq .tasks out)" = 2 ]
	printf '{"id":"a","run":"echo hello"}\n' | loop-sched run --id R -
	[ "$(cat "$LOOP_DIR/runs/R/tasks/a/1.out")" = hello ]
}

@test "graph draws levels, a tree, dot, Mermaid and JSON" {
	plan '{"tasks":[{"id":"a","title":"say \"hi\""},{"id":"b","needs":["a"]},{"id":"c","needs":["b","a"]},
		{"id":"d","needs":[{"task":"c","when":"failed"}]}]}'
	[ "$(loop-sched graph plan.json)" = $'1: a*\n2: b*\n3: c*\n4: d*' ]
	[ "$(loop-sched graph --format tree plan.json)" = $'a*\n  b*\n    c*  (needs b a)\n      d*' ]
	loop-sched graph -f json plan.json | jq -e '.nodes[2].level == 2 and (.edges | length) == 4' >/dev/null
	loop-sched graph -f json --reduce plan.json | jq -e '.edges | length == 3' >/dev/null
	loop-sched graph -f dot plan.json >out
	grep -q '"c" -> "d" \[penwidth=2\] \[label="failed"\];' out
	loop-sched graph -f mermaid plan.json >out
	grep -qF "n0[\"a<br>say 'hi'\"]" out
	grep -qF 'n2 ==>|failed| n3' out
}

@test "the schema has the keys that the parser has, and no others" {
	local whose path
	while read -r whose path; do
		jq -r "$path | keys[]" "$SOURCE_TREE/share/schemas/plan.json" | sort >schema
		case $whose in
		plan) plan '{"tasks":[{"id":"a"}],"zzzzzz":1}' ;;
		task) plan '{"tasks":[{"id":"a","zzzzzz":1}]}' ;;
		defaults) plan '{"defaults":{"zzzzzz":1},"tasks":[{"id":"a"}]}' ;;
		retry) plan '{"tasks":[{"id":"a","retry":{"zzzzzz":1}}]}' ;;
		esac
		status_is 65 loop-sched check plan.json
		sed -n 's/.* has: //p' <<<"$stderr" | tr ' ' '\n' | sort | diff schema - || { echo "$whose" && false; }
	done <<-'END'
		plan .properties
		task (."$defs"|.task.properties+.recipe.properties)
		defaults ."$defs".recipe.properties
		retry ."$defs".retry.properties
	END
}

@test "tasks run when what they need has ended as they need it" {
	plan '{"name":"p","tasks":[
		{"id":"a","run":"echo a >>order"},
		{"id":"b","run":["sh","-c","echo b >>order"],"needs":["a"]},
		{"id":"bad","run":"exit 3","needs":["a"]},
		{"id":"mend","run":"echo mend >>order","needs":[{"task":"bad","when":"failed"}]},
		{"id":"no","run":"echo no >>order","needs":["bad","b"]},
		{"id":"after","run":"echo after >>order","needs":["no"]},
		{"id":"idle","run":"echo idle >>order","needs":[{"task":"b","when":"failed"}]},
		{"id":"end","run":"echo end >>order","needs":[{"task":"after","when":"any"},{"task":"b","when":"done"}]}]}'
	status_is 1 loop-sched run --id R -j 1 plan.json
	has "$stderr" "bad: failed with status 3"
	[ "$(states R)" = $'a succeeded\nb succeeded\nbad failed\nmend succeeded\nno upstream_failed\nafter upstream_failed\nidle skipped\nend succeeded' ]
	[ "$(sort order | tr '\n' ' ')" = "a b end mend " ]
	[ "$(head -n 1 order)" = a ]
}

@test "a success says nothing" {
	plan '{"tasks":[{"id":"a","run":"echo out; echo err >&2"}]}'
	status_is 0 loop-sched run plan.json
	[ -z "$output$stderr" ]
}

@test "the longest way goes first, then priority, then order" {
	plan '{"tasks":[{"id":"low","run":"echo low >>order","priority":3},{"id":"plain","run":"echo plain >>order"},
		{"id":"high","run":"echo high >>order","priority":"high"},
		{"id":"long","run":"echo long >>order"},{"id":"tail","run":"echo tail >>order","needs":["long"],"priority":9}]}'
	loop-sched run -j 1 plan.json
	[ "$(tr '\n' ' ' <order)" = "long high low tail plain " ]
}

@test "a failed task is tried again, with a folder and logs an attempt" {
	plan '{"tasks":[{"id":"a","retry":{"attempts":3,"base":"1ms"},
		"run":"echo try $LOOP_ATTEMPT; echo x >>count; test $(wc -l <count) -ge 3"}]}'
	status_is 0 loop-sched run --id R plan.json
	[ "$(cat "$LOOP_DIR"/runs/R/tasks/a/?.out)" = $'try 1\ntry 2\ntry 3' ]
	[ -d "$LOOP_DIR/runs/R/tasks/a/3" ]
	[ "$(grep -c '"state":"retrying"' "$LOOP_DIR/runs/R/run.jsonl")" = 2 ]
	[ "$(grep -c '"type":"task.retrying"' "$LOOP_DIR/events.jsonl")" = 2 ]
}

@test "retry.on and retry.never_on choose by status, signal and timeout" {
	plan '{"defaults":{"retry":{"attempts":2,"base":"1ms"}},"tasks":[
		{"id":"on","run":"exit 4","retry":{"attempts":2,"base":"1ms","on":[4]}},
		{"id":"other","run":"exit 5","retry":{"attempts":2,"base":"1ms","on":[4]}},
		{"id":"never","run":"exit 6","retry":{"attempts":2,"base":"1ms","never_on":[6]}},
		{"id":"signal","run":"kill -KILL $$","retry":{"attempts":2,"base":"1ms","on":["SIGKILL"]}},
		{"id":"default","run":"exit 7"},
		{"id":"late","run":"sleep 60","timeout":"50ms","retry":{"attempts":2,"base":"1ms","never_on":["timeout"]}}]}'
	status_is 1 loop-sched run --id R plan.json
	[ "$(loop-sched show --json R | jq -c '[.task,.attempt,.state,.status]' | tr '\n' ' ')" = \
		'["on",2,"failed",4] ["other",1,"failed",5] ["never",1,"failed",6] ["signal",2,"failed",137] ["default",2,"failed",7] ["late",1,"timed_out",124] ' ]
}

@test "retry.on knows the reasons of sessions, signals by name, and a stall" {
	local no=', "retry":{"base":"1ms","attempts":2,'
	plan '{"tasks":[{"id":"transient","run":"exit 114"'"$no"'"on":["transient"]}},{"id":"auth","run":"exit 115"'"$no"'"on":["transient"]}},
		{"id":"term","run":"kill -TERM $$"'"$no"'"on":["SIGTERM"]}},{"id":"kill","run":"kill -KILL $$"'"$no"'"on":["TERM"]}},
		{"id":"stall","run":["sleep","60"],"stall":"60ms"'"$no"'"on":["stall"]}},
		{"id":"late","run":["sleep","60"],"timeout":"60ms"'"$no"'"on":["stall"]}},
		{"id":"never","run":"exit 114"'"$no"'"never_on":["transient"]}}]}'
	status_is 1 loop-sched run --id R plan.json
	[ "$(jq -r 'select(.state == "retrying") | .task' "$LOOP_DIR/runs/R/run.jsonl" | sort | tr '\n' ' ')" = "stall term transient " ]
	plan '{"tasks":[{"id":"a","run":"x","retry":{"on":["transent",0,256,"SIGFOO"]}}]}'
	status_is 65 loop-sched check plan.json
	has "$stderr" "did you mean 'transient'"
	[ "$(grep -c "error:" <<<"$stderr")" = 4 ]
}

@test "a task says when it is worth trying again; a quota that ends costs no attempt" {
	plan '{"tasks":[{"id":"a","run":"echo x >>tries; [ $(wc -l <tries) -gt 3 ] || { echo 20ms >$LOOP_RETRY_AFTER; exit 113; }",
		"retry":{"attempts":2,"base":"1h"}},{"id":"b","run":"echo 1ms >$LOOP_RETRY_AFTER; exit 1","retry":{"attempts":2,"base":"1h"}}]}'
	status_is 1 loop-sched run --id R plan.json
	[ "$(jq -r 'select(.task == "a" and .state == "succeeded") | .attempt' "$LOOP_DIR/runs/R/run.jsonl")" = 4 ]
	[ "$(jq -r 'select(.task == "b" and .state == "failed") | .attempt' "$LOOP_DIR/runs/R/run.jsonl")" = 2 ]
}

@test "a deadline bounds all attempts together" {
	plan '{"tasks":[{"id":"a","run":"exit 1","deadline":"5s","retry":{"attempts":9,"base":"1h"}},
		{"id":"b","run":["sleep","60"],"deadline":"80ms","retry":{"attempts":9,"base":"1ms"}}]}'
	status_is 1 loop-sched run --id R plan.json
	[ "$(jq -r 'select(.task and (.state == "failed" or .state == "timed_out")) | "\(.task) \(.state) \(.attempt)"' "$LOOP_DIR/runs/R/run.jsonl" |
		sort)" = $'a failed 1\nb timed_out 1' ]
}

@test "progress that a task writes is shown, counts as work, and is a sign of life" {
	plan '{"tasks":[{"id":"a","stall":"400ms","run":"for i in 1 2 3 4 5 6 7 8; do echo $i/8 files >>$LOOP_PROGRESS; sleep 0.1; done; until [ -e go ]; do echo 8/8 >>$LOOP_PROGRESS; sleep 0.05; done"}]}'
	start loop-sched run --id R plan.json
	wait_for 40 grep -qs 3/8 "$LOOP_DIR/runs/R/tasks/a/1/progress"
	has "$(loop-sched status R)" "/8 files]"
	[ "$(loop-sched status --json R | jq '.done >= 30 and .done < 100')" = true ]
	[ "$(loop-sched show --json R | jq '.percent >= 30')" = true ]
	wait_for 40 grep -qs 8/8 "$LOOP_DIR/runs/R/tasks/a/1/progress"
	touch go
	wait "$started"
}

@test "--run is the command of tasks without one, and they know their task" {
	plan '{"name":"my/plan","tasks":[{"id":"a","title":"T","criteria":["c"]},{"id":"own","run":"true"}]}'
	status_is 0 loop-sched run --id R --run \
		'printf "%s\n" "$LOOP_RUN" "$LOOP_TASK" "$LOOP_ATTEMPT" "$LOOP_SUBJECT" "$LOOP_DIR"; jq -c .criteria "$LOOP_TASK_FILE"; test -d "${LOOP_OUTPUT%/*}"' plan.json
	[ "$(cat "$LOOP_DIR/runs/R/tasks/a/1.out")" = "R"$'\n'"a"$'\n1\nmy-plan/a\n'"$LOOP_DIR"$'\n["c"]' ]
	status_is 1 loop-sched run --id S plan.json
	has "$stderr" "a: errored with status 127: it has no command"
}

@test "a short task that leaves nothing costs no file; what one leaves is kept in its place" {
	local tasks=$LOOP_DIR/runs/R/tasks
	plan "$(jq -nc '{tasks: ([range(20) | {id: "silent\(.)", run: ["true"]}] + [{id: "loud", run: "echo loud"},
		{id: "file", run: "echo 1 >${LOOP_OUTPUT%/*}/mine; cp $LOOP_TASK_FILE task"},
		{id: "no", run: ["false"]}, {id: "last", needs: ["silent0", "loud"], run: ["true"]}])}')"
	status_is 1 loop-sched run --id R -j 1 plan.json
	[ "$(find "$tasks" -mindepth 1 -maxdepth 1 ! -name 'silent*' ! -name last -printf '%f\n' | sort)" = $'file\nloud\nno' ]
	# On a machine that is busy with others some take so long that everything of theirs is kept; all do not.
	(($(find "$tasks" -maxdepth 1 -name 'silent*' | wc -l) < 20))
	[ "$(cat "$tasks/loud/1.out" "$tasks/file/1/mine")" = $'loud\n1' ]
	[ "$(jq -r .id task "$tasks/file/task.json" "$tasks/no/task.json")" = $'file\nfile\nno' ]
	[ ! -s "$tasks/no/1.err" ] && [ -f "$tasks/no/1.err" ]
	[ ! -e "$LOOP_DIR/runs/R/slots" ]
}

@test "a task that takes its time is seen where it is kept, and finds its folder by either name" {
	local tasks=$LOOP_DIR/runs/R/tasks
	plan '{"tasks":[{"id":"a","run":"echo on; echo here >$LOOP_OUTPUT; until [ -e go ]; do sleep 0.02; done; cat $LOOP_OUTPUT"}]}'
	start loop-sched run --id R plan.json
	wait_for 40 grep -qs on "$tasks/a/1.out"
	wait_for 40 test -f "$tasks/a/1/output.json"
	[ "$(jq -r .id "$tasks/a/task.json")" = a ]
	touch go
	wait "$started"
	[ "$(cat "$tasks/a/1.out")" = $'on\nhere' ]
	[ ! -e "$LOOP_DIR/runs/R/slots" ]
}

@test "outputs become the inputs of what needs them" {
	plan '{"tasks":[{"id":"a","run":"echo \"{\\\"n\\\":[1,2]}\" >$LOOP_OUTPUT"},{"id":"b","run":"echo 7 >$LOOP_OUTPUT"},
		{"id":"quiet","run":"true"},{"id":"broken","run":"echo \"{\" >$LOOP_OUTPUT"},
		{"id":"c","run":"cat $LOOP_INPUTS","needs":["a","b","quiet","broken"]},{"id":"d","run":"cat $LOOP_INPUTS"}]}'
	status_is 0 loop-sched run --id R plan.json
	has "$stderr" "broken/1/output.json"
	[ "$(jq -c . "$LOOP_DIR/runs/R/tasks/c/1.out")" = '{"a":{"n":[1,2]},"b":7}' ]
	[ "$(cat "$LOOP_DIR/runs/R/tasks/d/1.out")" = '{}' ]
}

@test "a task succeeds only if its verify commands do" {
	plan '{"tasks":[{"id":"good","run":"exit 0","verify":["test 1 = 1","true"]},
		{"id":"bad","run":["true"],"verify":["exit 0","exit 9"]},
		{"id":"first","run":"exit 2","verify":["touch ran"]}]}'
	status_is 1 loop-sched run --id R plan.json
	[ "$(loop-sched show --json R | jq -c '[.state,.status]' | tr '\n' ' ')" = '["succeeded",0] ["failed",9] ["failed",2] ' ]
	[ ! -e ran ]
}

@test "a story that succeeded passes in the user's file, and nothing else changes there" {
	cp "$SOURCE_TREE/tests/fixtures/plans/ralph.json" real.json
	ln -s real.json prd.json
	sed 's/"passes": false/"passes": true/' real.json >want.json
	status_is 0 loop-sched run --run true prd.json
	cmp real.json want.json
	[ -L prd.json ]
	printf '{"userStories":[{"id":"Ü 1","passes":false},{"id":"--fix (ß)/b","passes":false}]}' >i.json
	status_is 0 loop-sched run --run true i.json
	printf '{"userStories":[{"id":"Ü 1","passes":true},{"id":"--fix (ß)/b","passes":true}]}' | cmp - i.json
	# With the mark and the line ends of other systems' editors.
	printf '\xef\xbb\xbf{"tasks":[\r\n  { "title" : "a",\r\n    "parallel_group" : 1 },{"title":"b","completed":false},{"title":"c","status":"open","x":1.10}]}' >g.json
	status_is 0 loop-sched run -j 4 --run true g.json
	printf '\xef\xbb\xbf{"tasks":[\r\n  { "title" : "a",\r\n    "parallel_group" : 1,\r\n    "passes" : true },{"title":"b","completed":true},{"title":"c","status":"done","x":1.10}]}' | cmp - g.json
	printf -- '\xef\xbb\xbf# Tasks\n- [ ] one\n- [x] two\n### Task 1: three\n- [ ] a\n- [ ] b\n' >t.md
	status_is 0 loop-sched run -j 1 --run true t.md
	printf -- '\xef\xbb\xbf# Tasks\n- [x] one\n- [x] two\n### Task 1: three\n- [x] a\n- [x] b\n' | cmp - t.md
	cp "$SOURCE_TREE/tests/fixtures/plans/beads.jsonl" b.jsonl
	status_is 0 loop-sched run --run true b.jsonl
	sed 's/"status":"open"/"status":"closed"/' "$SOURCE_TREE/tests/fixtures/plans/beads.jsonl" | cmp - b.jsonl
}

@test "passes finds its story in a file that was edited meanwhile" {
	printf '{"userStories":[{"id":"a","passes":false},{"id":"b","passes":false,"dependencies":["a"]}]}' >prd.json
	status_is 0 loop-sched run -j 1 --run \
		'[ $LOOP_TASK = b ] || printf "%s" "{\"userStories\":[{\"id\":\"new\",\"passes\":false},{\"id\":\"b\",\"passes\":false,\"note\":1},{\"id\":\"a\",\"passes\":false}]}" >prd.json' prd.json
	[ "$(cat prd.json)" = '{"userStories":[{"id":"new","passes":false},{"id":"b","passes":true,"note":1},{"id":"a","passes":true}]}' ]
}

@test "a story that fails does not pass, and one that passes is not run" {
	printf '{"userStories":[{"id":"a","passes":false},{"id":"b","passes":true}]}' >prd.json
	cp prd.json before
	status_is 1 loop-sched run --id R --run 'echo >>ran; false' prd.json
	cmp prd.json before
	[ "$(states R)" = $'a failed\nb skipped' ]
	[ "$(wc -l <ran)" = 1 ]
}

@test "tasks whose files overlap are not run together" {
	plan '{"tasks":[{"id":"a","files":["src/x.c"]},{"id":"b","files":["src/"]},{"id":"c","files":["src/*.c"]},{"id":"d","files":["doc"]}]}'
	status_is 0 loop-sched run -j 4 --run \
		'[ $LOOP_TASK = d ] || { mkdir busy && sleep 0.05 && rmdir busy; }' plan.json
}

@test "jobs bounds how many run at once" {
	plan '{"tasks":[{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"},{"id":"e"}]}'
	status_is 0 loop-sched run -j 2 --run \
		'mkdir 1 2>/dev/null && slot=1 || { mkdir 2 && slot=2; } || exit 1; sleep 0.03; rmdir $slot' plan.json
}

@test "a timeout ends the task and all of its tree" {
	plan '{"tasks":[{"id":"a","timeout":"100ms","run":"sleep 60.11 & trap \"\" TERM; sleep 60.12; sleep 60.13"}]}'
	status_is 1 loop-sched run --id R --grace 100ms plan.json
	has "$stderr" "a: timed_out with status 124: ran longer than its timeout"
	none_left 'sleep 60.1[123]'
}

@test "a task that is silent for longer than its stall time is ended, one that speaks is not" {
	plan '{"tasks":[{"id":"quiet","stall":"150ms","run":"sleep 60.14"},
		{"id":"loud","stall":"150ms","run":"for i in 1 2 3 4 5 6; do echo $i; sleep 0.05; done"}]}'
	status_is 1 loop-sched run --id R -j 2 plan.json
	[ "$(states R)" = $'quiet timed_out\nloud succeeded' ]
}

@test "what a task leaves behind is ended with it, and what others run is not" {
	plan '{"tasks":[{"id":"leaves","run":"setsid sleep 60.21 & (sleep 60.22 &) ; setsid env -i setsid sleep 60.23 & true"},
		{"id":"long","run":"sleep 0.3 & wait; echo whole"},
		{"id":"look","needs":["leaves"],"run":"pgrep -f \"sleep 60[.]2[12]\" && exit 1; exit 0"}]}'
	status_is 0 loop-sched run --id R -j 2 plan.json
	[ "$(cat "$LOOP_DIR/runs/R/tasks/long/1.out")" = whole ]
	none_left 'sleep 60[.]2'
}

@test "SIGTERM ends the children first, then the state is written" {
	plan '{"tasks":[{"id":"a","run":"trap \"echo bye; exit 0\" TERM; echo up; sleep 60.31 & wait"},{"id":"b","needs":["a"],"run":"true"}]}'
	start loop-sched run --id R plan.json
	wait_for 20 grep -qs up "$LOOP_DIR/runs/R/tasks/a/1.out"
	kill -TERM "$started"
	ended_with 143
	grep -q bye "$LOOP_DIR/runs/R/tasks/a/1.out"
	[ "$(states R)" = $'a cancelled\nb cancelled' ]
	tail -n 1 "$LOOP_DIR/runs/R/run.jsonl" | grep -q '"run":"ended","state":"cancelled"'
	none_left 'sleep 60.31'
}

@test "pause, continue, cancel" {
	plan '{"tasks":[{"id":"a","run":"touch up; until [ -e go ]; do sleep 0.02; done"},{"id":"b","needs":["a"],"run":"true"},
		{"id":"c","needs":["b"],"run":"sleep 60.41"},{"id":"d","run":"sleep 60.42"},{"id":"e","needs":["c"],"run":"true"}]}'
	start loop-sched run --id R -j 3 plan.json
	wait_for 20 test -e up
	loop-sched pause R
	wait_for 20 grep -q '"run":"paused"' "$LOOP_DIR/runs/R/run.jsonl"
	touch go
	wait_for 20 grep -q '"task":"a","state":"succeeded"' "$LOOP_DIR/runs/R/run.jsonl"
	[ "$(loop-sched status --json R | jq -r .state)" = paused ]
	loop-sched why b R | grep -q 'the run is paused'
	loop-sched cancel R d
	wait_for 20 grep -q '"task":"d","state":"cancelled"' "$LOOP_DIR/runs/R/run.jsonl"
	run ! grep -q '"task":"b","state":"running"' "$LOOP_DIR/runs/R/run.jsonl"
	loop-sched continue
	wait_for 20 grep -q '"task":"c","state":"running"' "$LOOP_DIR/runs/R/run.jsonl"
	loop-sched why e R | grep -q 'needs c, which is running'
	loop-sched cancel
	ended_with 1
	[ "$(states R | tr '\n' ' ')" = "a succeeded b succeeded c cancelled d cancelled e cancelled " ]
	status_is 1 loop-sched pause R
	has "$stderr" "R: is not running"
}

# Whether a task's last state in run.jsonl is this one.
now_is() { # RUN TASK STATE
	[ "$(jq -r --arg task "$2" 'select(.task == $task).state' "$LOOP_DIR/runs/$1/run.jsonl" | tail -n 1)" = "$3" ]
}

paused() { # RUN
	loop-sched pause "$1"
	wait_for 20 grep -q '"run":"paused"' "$LOOP_DIR/runs/$1/run.jsonl"
}

# Run R of the plan, paused while a task runs that makes "up" and ends once there is "go".
pause_in_task() { # OPTION…
	start loop-sched run --id R "$@" plan.json
	wait_for 20 test -e up
	paused R
	touch go
}

@test "what fails while the run is paused is tried again when it goes on" {
	plan '{"tasks":[{"id":"a","run":"touch up; until [ -e go ]; do sleep 0.02; done; [ $LOOP_ATTEMPT = 2 ]","retry":{"attempts":2,"base":"1ms"}}]}'
	pause_in_task
	wait_for 20 now_is R a retrying
	loop-sched continue R
	ended_with 0
}

# Whether a file was made so long ago.
older() { # MILLISECONDS FILE
	(($(date +%s%3N) - $(date -r "$2" +%s%3N) > $1))
}

@test "no attempt begins when its task's time has passed in a pause" {
	plan '{"tasks":[{"id":"a","run":"touch up; until [ -e go ]; do sleep 0.02; done; exit 3","deadline":"600ms","retry":{"attempts":9,"base":"1ms"}}]}'
	pause_in_task
	wait_for 20 older 600 up
	loop-sched continue R
	ended_with 1
	[ "$(states R)" = "a timed_out" ]
	[ ! -e "$LOOP_DIR/runs/R/tasks/a/2" ]
}

@test "a paused run is cancelled with its final tasks, and can be resumed" {
	plan '{"tasks":[{"id":"a","run":"touch up; until [ -e go ]; do sleep 0.02; done; [ $LOOP_ATTEMPT = 2 ]","retry":{"attempts":2,"base":"1ms"}},
		{"id":"b","needs":["a"],"run":"true"},{"id":"clean","final":true,"run":"echo cleaned >>order"}]}'
	pause_in_task
	wait_for 20 now_is R a retrying
	loop-sched cancel R
	ended_with 1
	[ "$(states R | tr '\n' ' ')" = "a pending b pending clean succeeded " ]
	status_is 0 loop-sched resume R
	[ "$(states R | tr '\n' ' ')" = "a succeeded b succeeded clean succeeded " ]
	[ "$(loop-sched show --json R | jq -r 'select(.task == "a").attempt')" = 2 ]
}

@test "a paused run asks nothing, takes no resources and undoes nothing until it goes on" {
	plan '{"name":"p","resources":{"db":1},"tasks":[{"id":"hold","run":"touch up; until [ -e go ]; do sleep 0.02; done","resources":{"db":1}},
		{"id":"next","run":"true","resources":{"db":1}},
		{"id":"ask","needs":["hold"],"gate":{"question":"go on?"}}]}'
	pause_in_task -j 2
	wait_for 20 now_is R hold succeeded
	[ "$(states R | tr '\n' ' ')" = "hold succeeded next pending ask pending " ]
	[ ! -d "$LOOP_DIR/gates" ]
	loop-sched continue R
	wait_for 20 now_is R next succeeded
	wait_for 20 now_is R ask running
	loop-sched pause R
	loop-gate approve "$(loop-gate list --json | jq -r .gate)"
	ended_with 0
	[ "$(states R | tr '\n' ' ')" = "hold succeeded next succeeded ask succeeded " ]
	plan '{"name":"saga","tasks":[{"id":"a","run":"true","undo":"touch undone"},
		{"id":"b","needs":["a"],"run":"touch up-b; until [ -e go-b ]; do sleep 0.02; done; exit 1"}]}'
	start loop-sched run --id S --on-failure undo plan.json
	wait_for 20 test -e up-b
	paused S
	touch go-b
	wait_for 20 now_is S b failed
	wait_for 20 grep -q '"run":"undoing"' "$LOOP_DIR/runs/S/run.jsonl"
	[ ! -e undone ]
	status_is 1 loop-sched cancel S nobody
	has "$stderr" "S has no task 'nobody'"
	loop-sched continue S
	ended_with 1
	[ -e undone ]
}

@test "a cancelled run can be resumed" {
	plan '{"tasks":[{"id":"a","run":"echo a >>ran"},{"id":"b","needs":["a"],"run":"echo b >>ran; [ -e go ] || sleep 60.51"}]}'
	start loop-sched run --id R plan.json
	wait_for 20 grep -qs b ran
	loop-sched cancel R
	ended_with 1
	touch go
	status_is 0 loop-sched resume R
	[ "$(tr '\n' ' ' <ran)" = "a b b " ]
	[ "$(states R)" = $'a succeeded\nb succeeded' ]
}

@test "on-failure stop starts nothing more" {
	plan '{"tasks":[{"id":"a","run":"exit 1","priority":1},{"id":"b","run":"touch ran","priority":2}]}'
	status_is 1 loop-sched run --id R -j 1 --on-failure stop plan.json
	[ ! -e ran ]
	[ "$(states R)" = $'a failed\nb pending' ]
	status_is 1 loop-sched resume R
	[ -e ran ]
}

@test "a plan that changed since is told and asked about, never mixed in" {
	plan '{"tasks":[{"id":"a","run":"echo a >>ran"},{"id":"b","needs":["a"],"run":"echo b >>ran; [ -e go ]"},
		{"id":"c","needs":["b"],"run":"echo c >>ran"},{"id":"x","run":["true"]},{"id":"z","run":"echo z >>ran"}]}'
	status_is 1 loop-sched run --id R -j 1 plan.json
	[ "$(sort ran | tr '\n' ' ')" = "a b z " ]
	plan '{"tasks":[{"id":"a","run":"echo A >>ran","title":"T"},{"id":"b","needs":["a"],"run":"echo b >>ran; [ -e go ]"},
		{"id":"c","needs":["b"],"run":"echo c >>ran"},{"id":"y","run":["true"]},{"id":"z","run":"echo z >>ran"}]}'
	touch go
	: >ran
	for how in '' --plan-changed=fail; do
		status_is 1 loop-sched retry $how R </dev/null
		has "$stderr" "a has changed: run, title"
		has "$stderr" "y is new"
		has "$stderr" "x is gone"
		has "$stderr" "1 changed, 1 new, 1 gone"
	done
	[ ! -s ran ]
	cp -r "$LOOP_DIR/runs/R" "$LOOP_DIR/runs/S"
	status_is 0 loop-sched retry --plan-changed=keep S
	[ "$(tr '\n' ' ' <ran)" = "b c " ]
	: >ran
	status_is 0 loop-sched retry --plan-changed=new -j 1 R
	[ "$(tr '\n' ' ' <ran)" = "A b c " ]
	[ "$(jq -r .id <(jq -c '.tasks[]' "$LOOP_DIR/runs/R/plan.json") | tr '\n' ' ')" = "a b c y z " ]
	status_is 0 loop-sched resume R
	run ! grep -q changed <<<"$stderr"
	rm plan.json
	status_is 0 loop-sched resume R
	has "$stderr" "is gone; goes on with the plan as it was"
}

@test "a run folder of a later version is left alone" {
	plan '{"tasks":[{"id":"a","run":["false"]}]}'
	status_is 1 loop-sched run --id R plan.json
	sed -i 's/"format":1/"format":2/' "$LOOP_DIR/runs/R/run.json"
	cp "$LOOP_DIR/runs/R/run.jsonl" before
	status_is 78 loop-sched retry R
	has "$stderr" "newer version"
	cmp before "$LOOP_DIR/runs/R/run.jsonl"
}

@test "rubbish in the control FIFO is named and does nothing" {
	plan '{"tasks":[{"id":"a","run":"until [ -e go ]; do sleep 0.02; done"}]}'
	start loop-sched run --id R plan.json 2>said
	wait_for 40 test -p "$LOOP_DIR/runs/R/control"
	head -c 20000 /dev/urandom >"$LOOP_DIR/runs/R/control"
	printf '\nfly\ncancel nobody\n\033[2J\n' >"$LOOP_DIR/runs/R/control"
	wait_for 40 grep -q "unknown command 'cancel nobody'" said
	touch go
	wait "$started"
	[ "$(tail -n 1 said | grep -c $'\033')" = 0 ]
}

@test "two processes never run one run" {
	plan '{"tasks":[{"id":"a","run":"touch up; until [ -e go ]; do sleep 0.02; done"}]}'
	start loop-sched run --id R plan.json
	wait_for 20 test -e up
	status_is 75 loop-sched resume R
	has "$stderr" "another process runs it"
	touch go
	wait "$started"
	status_is 73 loop-sched run --id R plan.json
	has "$stderr" "loop-sched resume R"
}

@test "retry runs again what failed and what hung on it, only that" {
	plan '{"tasks":[{"id":"a","run":"echo a >>ran"},{"id":"b","needs":["a"],"run":"echo b >>ran; [ -e go ]"},
		{"id":"c","needs":["b"],"run":"echo c >>ran"},{"id":"d","needs":["c"],"run":"echo d >>ran"}]}'
	status_is 1 loop-sched run --id R plan.json
	status_is 1 loop-sched resume R
	[ "$(tr '\n' ' ' <ran)" = "a b " ]
	has "$stderr" "1 failed and stay so"
	touch go
	status_is 0 loop-sched retry
	[ "$(tr '\n' ' ' <ran)" = "a b b c d " ]
	grep -q '"task":"b","state":"succeeded","attempt":2' "$LOOP_DIR/runs/R/run.jsonl"
}

@test "a run that was killed goes on: what was running is ended and run again" {
	plan '{"tasks":[{"id":"a","run":"echo a >>ran"},
		{"id":"b","needs":["a"],"run":"echo b >>ran; [ -e go ] || { (setsid sleep 60.61 &); sleep 60.62; }; echo whole >>ran"},
		{"id":"c","needs":["b"],"run":"echo c >>ran"}]}'
	start loop-sched run --id R plan.json
	wait_for 20 grep -qs b ran
	kill -KILL "$started" $(pgrep -f 'loop-sched run --id R plan.json')
	wait_for 20 interrupted R
	[ "$(loop-sched status --json R | jq -r .state)" = interrupted ]
	loop-sched why b R | grep -q 'nobody runs R'
	touch go
	printf '{"time":"torn' >>"$LOOP_DIR/runs/R/run.jsonl"
	status_is 0 loop-sched resume R
	has "$stderr" "b: attempt 1"
	[ "$(tr '\n' ' ' <ran)" = "a b b whole c " ]
	none_left 'sleep 60[.]6'
}

@test "killed again and again at random moments, every task succeeds once in the record" {
	local i
	# Each task writes its line last, in one write: one that recorded success wrote it.
	jq -nc '{tasks: [range(60) | {id: "t\(.)", run: "echo $LOOP_TASK >>ran", needs: (if . >= 3 then ["t\(. - 3)"] else [] end)}]}' >plan.json
	for ((i = 0; i < ${KILLS:-8}; i++)); do
		if [ -e "$LOOP_DIR/runs/R/run.jsonl" ]; then
			start loop-sched resume -j 3 R 2>/dev/null
		else
			start loop-sched run --id R -j 3 plan.json 2>/dev/null
		fi
		sleep "0.0$((RANDOM % 6))$((RANDOM % 10))"
		kill -KILL "$started" $(pgrep -P "$started") 2>/dev/null || true # its guard as well
		wait "$started" || true
	done
	if [ -e "$LOOP_DIR/runs/R/plan.json" ] && [ -e "$LOOP_DIR/runs/R/run.json" ]; then
		wait_for 80 interrupted R # what was killed is gone
		loop-sched resume -j 3 R
	else
		rm -rf "$LOOP_DIR/runs/R"
		loop-sched run --id R -j 3 plan.json
	fi
	grep -o '"task":"t[0-9]*","state":"succeeded"' "$LOOP_DIR/runs/R/run.jsonl" >successes
	[ "$(wc -l <successes)" = 60 ]
	[ "$(sort -u successes | wc -l)" = 60 ]
	[ "$(sort -u ran | wc -l)" = 60 ]
	wait_for 80 nothing_left
}

@test "events of a run are in the journal, with their data" {
	plan '{"name":"p","tasks":[{"id":"a","title":"A task","run":"true"},{"id":"b","needs":["a"],"run":"exit 2"},{"id":"c","needs":["b"],"run":"true"}]}'
	status_is 1 loop-sched run --id R -j 1 plan.json
	jq -c '[.type,.subject,.runid,(.data | del(.ms))]' "$LOOP_DIR/events.jsonl" >out
	diff out - <<-'JSON'
		["run.started","p","R",{"plan":"p","tasks":3,"jobs":1}]
		["task.started","p/a","R",{"task":"a","title":"A task","attempt":1}]
		["task.completed","p/a","R",{"task":"a","state":"succeeded","success":true,"attempt":1,"status":0}]
		["task.started","p/b","R",{"task":"b","title":"b","attempt":1}]
		["task.completed","p/b","R",{"task":"b","state":"failed","success":false,"attempt":1,"status":2}]
		["task.completed","p/c","R",{"task":"c","state":"upstream_failed","success":false,"attempt":0,"reason":"b failed","status":null}]
		["run.ended","p","R",{"plan":"p","state":"failed","counts":{"succeeded":1,"failed":1,"upstream_failed":1}}]
	JSON
}

@test "list and show tell of runs that have ended" {
	plan '{"name":"p","tasks":[{"id":"a","title":"tab\there","run":"true"}]}'
	loop-sched run --id R1 plan.json
	loop-sched run --id R2 plan.json
	[ "$(loop-sched list --json | jq -r '"\(.run) \(.state) \(.counts.succeeded)"')" = $'R1 succeeded 1\nR2 succeeded 1' ]
	loop-sched show R1 | grep -qF 'tab\there'
	status_is 1 loop-sched status nothing
	status_is 64 loop-sched status R
	has "$stderr" "'R' is the beginning of several runs"
}

@test "a disk that is full ends the run, and what was not recorded did not begin" {
	[ -w /dev/full ] || skip
	plan '{"tasks":[{"id":"a","run":"touch ran"}]}'
	mkdir -p "$LOOP_DIR/runs"
	status_is 0 loop-sched run --id R plan.json
	rm -f ran
	rm "$LOOP_DIR/runs/R/run.jsonl"
	ln -s /dev/full "$LOOP_DIR/runs/R/run.jsonl"
	run --separate-stderr loop-sched resume R
	[ "$status" -ne 0 ]
	[ ! -e ran ]
}

@test "when asks first: no means skipped, a broken question is an error" {
	plan '{"tasks":[{"id":"yes","when":"test -d .","run":"echo yes; echo $LOOP_ATTEMPT"},{"id":"no","when":["false"],"run":"touch ran"},
		{"id":"next","needs":["no"],"run":"true"},{"id":"broken","when":["./no-such-program"],"run":"touch ran"},
		{"id":"again","when":"echo asked >>asked","run":"[ $LOOP_ATTEMPT = 2 ]","retry":{"attempts":2,"base":"1ms"}}]}'
	status_is 1 loop-sched run --id R plan.json
	[ "$(states R | tr '\n' ' ')" = "yes succeeded no skipped next succeeded broken errored again succeeded " ]
	[ ! -e ran ]
	[ "$(cat "$LOOP_DIR/runs/R/tasks/yes/1.out")" = $'yes\n1' ]
	[ "$(wc -l <asked)" = 1 ]
}

@test "final tasks run at the end, after failures and when the run is cancelled" {
	plan '{"tasks":[{"id":"clean","final":true,"run":"echo clean >>order"},{"id":"a","run":"echo a >>order; exit 1"},
		{"id":"b","needs":["a"],"run":"true"},{"id":"c","run":"sleep 0.05; echo c >>order"}]}'
	status_is 1 loop-sched run --id R -j 3 plan.json
	[ "$(tr '\n' ' ' <order)" = "a c clean " ]
	plan '{"tasks":[{"id":"clean","final":true,"run":"echo swept >>order"},{"id":"a","run":"touch up; sleep 60.71"},{"id":"b","run":"true","needs":["a"]}]}'
	start loop-sched run --id S -j 1 plan.json
	wait_for 20 test -e up
	kill -INT "$started"
	ended_with 130
	[ "$(tail -n 1 order)" = swept ]
	[ "$(states S | tr '\n' ' ')" = "clean succeeded a cancelled b cancelled " ]
}

@test "undo takes back what succeeded, last first, all of it even if one fails" {
	plan '{"name":"saga","defaults":{"retry":{"base":"1ms","cap":"2ms"}},"tasks":[
		{"id":"a","run":"echo 77 >$LOOP_OUTPUT","undo":"echo undo a $(cat $LOOP_UNDO/output.json) >>order"},
		{"id":"b","needs":["a"],"run":"true","undo":"echo try b >>order; [ -e mended ]"},
		{"id":"c","needs":["b"],"run":"true"},
		{"id":"d","needs":["c"],"run":"true","undo":"echo undo d >>order; [ $(grep -c d order) = 2 ]"},
		{"id":"e","needs":["d"],"run":"exit 1","undo":"echo undo e >>order"},
		{"id":"f","needs":["e"],"run":"true"}]}'
	status_is 1 loop-sched run --id R --on-failure undo plan.json
	has "$stderr" "b: could not be undone"
	[ "$(tr '\n' ' ' <order)" = "undo d undo d try b try b try b try b try b undo a 77 " ]
	[ "$(states R | tr '\n' ' ')" = "a compensated b compensation_failed c succeeded d compensated e failed f upstream_failed " ]
	[ "$(loop-sched dirty)" = "R b" ]
	status_is 1 loop-sched retry R
	has "$stderr" "dirty: b could not be undone"
	touch mended
	: >order
	status_is 0 loop-sched undo R
	[ "$(cat order)" = "try b" ]
	[ -z "$(loop-sched dirty)" ]
	status_is 1 loop-sched retry R
	# What stood on something that was undone is done again too, and undone when e fails again.
	[ "$(grep -c '"task":"c","state":"succeeded"' "$LOOP_DIR/runs/R/run.jsonl")" = 2 ]
	[ "$(states R | tr '\n' ' ')" = "a compensated b compensated c succeeded d compensated e failed f upstream_failed " ]
}

@test "what could not be undone is forgotten only with a note" {
	plan '{"tasks":[{"id":"a","run":"true","undo":"exit 3","retry":{"base":"1ms"}},{"id":"b","needs":["a"],"run":"exit 1"}]}'
	status_is 1 loop-sched run --id R --on-failure undo plan.json
	status_is 64 loop-sched forget R a
	status_is 0 loop-sched forget --note "done by hand" R a
	[ -z "$(loop-sched dirty)" ]
	grep -q '"reason":"done by hand"' "$LOOP_DIR/runs/R/run.jsonl"
	status_is 1 loop-sched forget --note again R a
}

@test "a pivot that succeeded ends undoing" {
	plan '{"tasks":[{"id":"a","run":"true","undo":"touch undone"},{"id":"p","needs":["a"],"pivot":true,"run":"true"},{"id":"z","needs":["p"],"run":"exit 1"}]}'
	status_is 1 loop-sched run --id R --on-failure undo plan.json
	has "$stderr" "a pivot has succeeded"
	[ ! -e undone ]
}

@test "undoing that was killed goes on where it was" {
	plan '{"tasks":[{"id":"a","run":"true","undo":"echo a >>order"},{"id":"b","needs":["a"],"run":"true","undo":"echo b >>order; [ -e go ] || sleep 60.81"},
		{"id":"c","needs":["b"],"run":"true","undo":"echo c >>order"},{"id":"d","needs":["c"],"run":"exit 1"},{"id":"e","run":"true","needs":["d"]}]}'
	start loop-sched run --id R --on-failure undo plan.json
	wait_for 20 grep -qs b order
	kill -KILL "$started" $(pgrep -P "$started")
	wait "$started" || true
	wait_for 20 interrupted R
	touch go
	status_is 1 loop-sched resume R
	[ "$(tr '\n' ' ' <order)" = "c b b a " ]
	[ "$(states R | tr '\n' ' ')" = "a compensated b compensated c compensated d failed e upstream_failed " ]
	none_left 'sleep 60.81'
	status_is 1 loop-sched resume R
	has "$stderr" "was undone"
}

@test "simulate plays a plan through for every number of workers" {
	plan '{"tasks":[{"id":"a","estimate":"2m"},{"id":"b","needs":["a"],"estimate":"2m"},{"id":"c","estimate":"5m"},{"id":"d","needs":["b","c"],"estimate":"1m"}]}'
	loop-sched simulate --json -j 1..3 plan.json | jq -c '[.workers,.makespan,.speedup]' >out
	printf '[1,600000,1]\n[2,360000,1.67]\n[3,360000,1.67]\n' | diff out -
	[ "$(loop-sched simulate plan.json | wc -l)" = 3 ] # more workers do not help
	status_is 64 loop-sched simulate -j 3..1 plan.json
}

@test "what tasks took is remembered: the longest way goes first the next time" {
	plan '{"name":"p","tasks":[{"id":"short","run":"echo short >>order"},{"id":"long","run":"echo long >>order; sleep 0.2"}]}'
	loop-sched run -j 1 plan.json
	loop-sched run -j 1 plan.json
	[ "$(tr '\n' ' ' <order)" = "short long long short " ]
	[ "$(loop-sched simulate --json -j 2 plan.json | jq '.unit == "ms" and .makespan >= 200')" = true ]
}

@test "optimize leaves out needs that say nothing new, and only those" {
	plan '{"name":"p","branch":"b","tasks":[{"id":"a"},{"id":"b","needs":["a"]},{"id":"c","needs":["a","b"], "run":"x"},
		{"id":"d","needs":[{"task":"a","when":"any"}]},{"id":"e","needs":["d","a"]},{"id":"f","done":true,"needs":["a"]},{"id":"g","needs":["f","a"]}]}'
	loop-sched optimize plan.json >out.json 2>err
	grep -q '1 of 9 needs' err
	jq -c '.tasks[] | [.id, .needs]' out.json >out
	diff out - <<-'JSON'
		["a",null]
		["b",["a"]]
		["c",["b"]]
		["d",[{"task":"a","when":"any"}]]
		["e",["d","a"]]
		["f",["a"]]
		["g",["f","a"]]
	JSON
	[ "$(jq -r .branch out.json)" = b ]
	loop-sched check out.json >/dev/null
}

@test "status tells the share of work, a range of what is left, and a checklist" {
	plan '{"name":"p","tasks":[{"id":"a","title":"One *","phase":"P1","run":"sleep 0.05"},{"id":"c","phase":"P2","needs":["a"],"run":"until [ -e go ]; do sleep 0.02; done"},
		{"id":"b","phase":"P1","needs":["c"],"run":"exit 1"}]}'
	start loop-sched run --id R plan.json
	wait_for 20 is_running R c
	loop-sched status --json R | jq -e '.state == "running" and .counts.running == 1 and .left_ms == null' >/dev/null
	loop-sched status --todo R >out
	printf '## P1\n- [x] a One *\n- [ ] b\n\n## P2\n- [ ] c (running)\n' | diff out -
	loop-sched status --todo --json R | jq -c 'map(.status)' >out
	[ "$(cat out)" = '["completed","in_progress","pending"]' ]
	touch go
	ended_with 1
	loop-sched status R | grep -q 'failed *b .*status 1'
	rm go
	start loop-sched run --id S plan.json
	wait_for 20 is_running S c
	loop-sched status --json S | jq -e '.left_ms | .[0] >= 0 and .[0] <= .[1]' >/dev/null
	loop-sched status S | grep -q ' left'
	touch go
	ended_with 1
}

@test "resources bound who runs together, all of them or none" {
	plan '{"resources":{"gpu":2,"port":{"capacity":1}},"defaults":{"resources":{"gpu":1}},"tasks":[
		{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d","resources":{"gpu":2,"port":1}},{"id":"e","resources":{"port":1}}]}'
	status_is 0 loop-sched run --id R -j 5 --run '
		case $LOOP_TASK in d) units="g1 g2 p" ;; e) units=p ;; *) units=one ;; esac
		if [ "$units" = one ]; then mkdir g1 2>/dev/null && units=g1 || { mkdir g2 && units=g2; } || exit 1
		else mkdir $units || exit 1; fi
		sleep 0.04; rmdir $units' plan.json
	plan '{"resources":{"gpu":2},"tasks":[{"id":"a","resources":{"gpu":3}},{"id":"b","resources":{"gpu":0}},{"id":"c","resources":{"../x":1}}]}'
	status_is 65 loop-sched check plan.json
	has "$stderr" "'a' wants 3 of \"gpu\", of which there are 2"
	has "$stderr" "demand for a resource must be a whole number"
	has "$stderr" "a resource's name"
}

@test "a resource that somebody else holds is waited for, and why names the holder" {
	command -v loop-lock >/dev/null || skip
	plan '{"tasks":[{"id":"a","run":"touch ran","resources":{"db":1}},{"id":"b","run":"touch free"}]}'
	start loop-lock db -- sh -c 'touch up; until [ -e go ]; do sleep 0.02; done'
	local holder=$started
	wait_for 20 test -e up
	start loop-sched run --id R -j 2 plan.json
	wait_for 20 test -e free
	loop-sched why a R | grep -q 'db.*held by'
	[ ! -e ran ]
	touch go
	ended_with 0
	[ -e ran ]
	wait "$holder"
}

@test "retries bounds the further attempts of a whole run" {
	plan '{"defaults":{"retry":{"attempts":5,"base":"1ms"}},"tasks":[{"id":"a","run":"false"},{"id":"b","run":"false"}]}'
	status_is 1 loop-sched run --id R -j 1 --retries 3 plan.json
	[ "$(loop-sched show --json R | jq -s 'map(.attempt) | add')" = 5 ]
}

@test "a launcher is given the command as arguments, or as one word" {
	plan '{"tasks":[{"id":"a","run":"echo \"it'\''s $LOOP_TASK\""},{"id":"b","run":["printf","%s.","x y","$z"]}]}'
	printf '#!/bin/sh\necho "launched $#"\nexec "$@"\n' >words
	printf '#!/bin/sh\necho "remote $#"\nshift\nexec env -i PATH="$PATH" sh -c "$*"\n' >remote
	chmod +x words remote
	status_is 0 loop-sched run --id R --launcher ./words plan.json
	[ "$(cat "$LOOP_DIR"/runs/R/tasks/?/1.out)" = $'launched 3\nit\'s a\nlaunched 4\nx y.$z.' ]
	status_is 0 loop-sched run --id S --launcher './remote host {}' plan.json
	[ "$(cat "$LOOP_DIR"/runs/S/tasks/?/1.out)" = $'remote 2\nit\'s a\nremote 2\nx y.$z.' ]
}

@test "make below the tasks shares their places" {
	printf 'all: 1 2 3 4\n1 2 3 4:\n\t@mkdir "$(SLOTS)/a" 2>/dev/null && s=a || { mkdir "$(SLOTS)/b" && s=b; } || exit 1; sleep 0.02; rmdir "$(SLOTS)/$$s"\n' >Makefile
	mkdir slots
	plan '{"tasks":[{"id":"a"},{"id":"b"},{"id":"c"}]}'
	status_is 0 loop-sched run --id R -j 2 --jobserver --run "make -s SLOTS=$PWD/slots" plan.json
	run ! grep -q jobserver "$LOOP_DIR"/runs/R/tasks/?/1.err
}

@test "while a breaker is open its tasks wait, and no attempt is burnt" {
	plan '{"breakers":{"api":{"consecutive":1,"cooldown":"300ms","probes":1}},"defaults":{"breaker":"api"},"tasks":[
		{"id":"a","priority":1,"run":"exit 1"},{"id":"b","priority":2,"run":"true"},{"id":"c","priority":3,"run":"true","needs":["b"]}]}'
	start loop-sched run --id R -j 1 plan.json
	wait_for 20 grep -qs '"type":"breaker.opened"' "$LOOP_DIR/events.jsonl"
	loop-sched why b R | grep -q 'breaker api is open' || [ "$(states R | grep -c succeeded)" -gt 0 ]
	ended_with 1
	[ "$(states R | tr '\n' ' ')" = "a failed b succeeded c succeeded " ]
	[ "$(loop-sched show --json R | jq -s 'map(.attempt) | add')" = 3 ]
	jq -r 'select(.type | startswith("breaker.") or . == "task.completed") | .type' "$LOOP_DIR/events.jsonl" | tr '\n' ' ' >order
	grep -q 'task.completed breaker.opened\|breaker.opened task.completed' order
	grep -q 'breaker.half_open' order
	grep -q 'breaker.closed' order
	plan '{"breakers":{"api":{"rate":2,"wimdow":3}},"tasks":[{"id":"a","breaker":"no name"}]}'
	status_is 65 loop-sched check plan.json
	has "$stderr" "rate: must be a number above 0, at most 1"
	has "$stderr" "did you mean 'window'?"
	has "$stderr" "a breaker's name"
}

@test "a task for an agent goes through loop-spawn, with its prompt and its verify commands" {
	printf '{"steps":[{"result":"Fine."}]}\n' >script.json
	export LOOP_MOCK_SCRIPT=$PWD/script.json
	plan '{"tasks":[{"id":"a","agent":"mock","prompt":"Do it for {{LOOP_TASK}}","verify":["test -e proof"]}]}'
	status_is 1 loop-sched run --id R plan.json
	has "$stderr" "a: failed with status 118"
	touch proof
	status_is 0 loop-sched retry R
	grep -q 'Do it for a' "$LOOP_DIR"/sessions/*/prompt.md
	[ "$(grep -c '"subject":"plan/a"' "$LOOP_DIR/events.jsonl")" -ge 4 ]
}

@test "foreach makes a task a value, and its id names them all" {
	plan '{"tasks":[{"id":"first","run":"true"},{"id":"each","needs":["first"],"foreach":["x y",{"n":1},3],"run":"echo \"$LOOP_TASK $LOOP_INDEX $LOOP_ITEM\""},
		{"id":"after","needs":["each"],"run":"cat \"$LOOP_DIR\"/runs/R/tasks/each.*/1.out"},{"id":"none","foreach":[],"run":"false"},
		{"id":"last","needs":["none","first","after"],"run":"true"}]}'
	status_is 0 loop-sched run --id R -j 4 plan.json
	[ "$(cat "$LOOP_DIR/runs/R/tasks/after/1.out")" = $'each.1 1 x y\neach.2 2 {"n":1}\neach.3 3 3' ]
	[ "$(jq -c '.tasks | map(.id)' "$LOOP_DIR/runs/R/plan.json")" = '["first","each","after","last","none"]' ]
	status_is 0 loop-sched resume R
	loop-sched optimize --trivial 0 plan.json 2>/dev/null | jq -c '.tasks[] | select(.id == "last").needs' | grep -qF '["none","after"]'
	plan '{"tasks":[{"id":"each","foreach":[1,2]},{"id":"each.2"},{"id":"each","run":"true"}]}'
	status_is 65 loop-sched check plan.json
	has "$stderr" "the id 'each.2' is there already"
	has "$stderr" "the id 'each' is there already"
	plan '{"tasks":[{"id":"each","foreach":[1,2],"needs":["z"]},{"id":"z","needs":["each"]}]}'
	status_is 65 loop-sched check plan.json
	has "$stderr" "the needs go round in a circle"
}

@test "foreach over what another task leaves: its tasks join the run" {
	plan '{"tasks":[{"id":"list","run":"echo \"{\\\"a\\\":{\\\"b\\\":[\\\"x\\\",{\\\"n\\\":1},3]}}\" >$LOOP_OUTPUT"},
		{"id":"each","foreach":{"task":"list","path":"a.b"},"run":"echo $LOOP_TASK \"$LOOP_ITEM\" >>ran; echo $LOOP_INDEX >$LOOP_OUTPUT; [ $LOOP_INDEX != 2 ] || [ -e go ]"},
		{"id":"join","needs":["each"],"run":"jq -c . $LOOP_INPUTS >joined"},
		{"id":"empty","run":"echo [] >$LOOP_OUTPUT"},{"id":"none","foreach":"empty","run":"false"}]}'
	status_is 0 loop-sched check plan.json
	status_is 1 loop-sched run --id R -j 1 plan.json
	[ "$(cat ran)" = $'each.1 x\neach.2 {"n":1}\neach.3 3' ]
	[ ! -e joined ]
	touch go
	status_is 0 loop-sched retry R
	[ "$(tail -n 1 ran)" = 'each.2 {"n":1}' ] && [ "$(wc -l <ran)" = 4 ]
	[ "$(cat joined)" = '{"each.1":1,"each.2":2,"each.3":3}' ]
	[ "$(loop-sched show --json R | jq -r 'select(.task | startswith("each")) | .task' | tr '\n' ' ')" = "each each.1 each.2 each.3 " ]
	events_conform
}

@test "what foreach cannot make tasks of is an error of that task alone" {
	plan '{"tasks":[{"id":"object","run":"echo {} >$LOOP_OUTPUT"},{"id":"rubbish","run":"echo [ >$LOOP_OUTPUT"},{"id":"quiet","run":["true"]},
		{"id":"twice","run":"echo [1] >$LOOP_OUTPUT"},{"id":"d.1","run":["true"]},{"id":"a","foreach":"object","run":"x"},
		{"id":"b","foreach":"rubbish","run":"x"},{"id":"c","foreach":"quiet","run":"x"},{"id":"d","foreach":"twice","run":"x"},
		{"id":"e","foreach":{"task":"object","path":"no"},"run":"x"}]}'
	status_is 1 loop-sched run --id R plan.json
	[ "$(jq -r 'select(.state == "errored") | .task' "$LOOP_DIR/runs/R/run.jsonl" | sort | tr '\n' ' ')" = "a b c d e " ]
	plan '{"tasks":[{"id":"a","foreach":"b","run":"x"},{"id":"c","foreach":[1],"run":"x"},{"id":"d","foreach":"c","run":"x"},{"id":"e","foreach":"e","run":"x"}]}'
	status_is 65 loop-sched check plan.json
	has "$stderr" "needs 'b', which is not there"
	has "$stderr" "is many tasks, not one"
}

@test "a run of tasks that joined goes on after a kill with the same ones" {
	plan '{"tasks":[{"id":"list","run":"echo [1,2,3] >$LOOP_OUTPUT"},
		{"id":"each","foreach":"list","run":"echo $LOOP_INDEX >>ran; [ $LOOP_INDEX = 1 ] || until [ -e go ]; do sleep 0.02; done"},
		{"id":"join","needs":["each"],"run":"echo join >>ran"}]}'
	start loop-sched run --id R -j 2 plan.json
	wait_for 40 grep -qs 2 ran
	wait_for 40 grep -q '"task":"each.1","state":"succeeded"' "$LOOP_DIR/runs/R/run.jsonl"
	kill -KILL "$started"
	wait_for 40 nothing_left
	touch go
	status_is 0 loop-sched resume R
	[ "$(grep -c 1 ran)" = 1 ]
	[ "$(tail -n 1 ran)" = join ]
}

@test "a status that is final is not tried again" {
	printf '{"tasks":[{"id":"a","run":"echo x >>tries; exit 112"}]}' >plan.json
	status_is 1 loop-sched run --attempts 3 --never-on 119,112 --id final plan.json
	[ "$(wc -l <tries)" = 1 ]
	status_is 1 loop-sched retry final # it is kept with the run
	[ "$(wc -l <tries)" = 2 ]
	status_is 64 loop-sched run --never-on 112,often plan.json
	has "$stderr" "'often' is no exit status"
}

@test "optimize makes one task of a chain of trivial ones, and what it makes does the same" {
	plan '{"name":"p","defaults":{"env":{"X":"x"}},"tasks":[{"id":"a","run":"echo a $X >>ran","estimate":"10ms"},
		{"id":"b","needs":["a"],"run":["sh","-c","echo \"it'"'"'s b\" >>ran"],"estimate":"10ms"},
		{"id":"c","needs":["b","a"],"run":"echo c >>ran; exit 0","estimate":0.5},{"id":"d","needs":["c"],"run":"echo d >>ran","estimate":"2s"},
		{"id":"e","needs":["c"],"run":"echo e >>ran","estimate":"1ms","timeout":"9s"},{"id":"f","needs":["e"],"run":"echo f >>ran"}]}'
	loop-sched optimize plan.json >fewer.json 2>said
	grep -q '1 of 6 needs said nothing new; 2 tasks went into the next' said
	[ "$(jq -c '[.tasks[] | [.id, .needs, .estimate]]' fewer.json)" = \
		'[["c",null,0.52],["d",["c"],"2s"],["e",["c"],"1ms"],["f",["e"],null]]' ]
	status_is 0 loop-sched run -j 1 fewer.json
	[ "$(head -n 3 ran)" = $'a x\nit\'s b\nc' ]
	[ "$(loop-sched optimize --trivial 0 plan.json 2>/dev/null | jq '.tasks | length')" = 6 ]
}

@test "there are no barriers between levels" {
	# a1 ends only when the whole other chain has run beside it.
	plan '{"tasks":[{"id":"a1","run":"until [ -e b3 ]; do sleep 0.02; done"},{"id":"a2","needs":["a1"],"run":["true"]},
		{"id":"b1","run":["true"]},{"id":"b2","needs":["b1"],"run":["true"]},{"id":"b3","needs":["b2"],"run":["touch","b3"]}]}'
	status_is 0 timeout 20 loop-sched run -j 2 plan.json
	# Two chains of unequal tasks on two workers end at the longest, or at half of all.
	jq -n '{tasks: [range(10) | {id: "a\(.)", run: "x", estimate: (1 + . % 3), needs: (if . > 0 then ["a\(. - 1)"] else [] end)}],
		} | .tasks += [range(7) | {id: "b\(.)", run: "x", estimate: (5 - . % 4), needs: (if . > 0 then ["b\(. - 1)"] else [] end)}]' >two.json
	[ "$(loop-sched simulate -j 2 --json two.json | jq .makespan)" = "$(jq '[.tasks | group_by(.id[:1])[] | map(.estimate) | add] |
		[max, add / 2] | max * 1000' two.json)" ]
}

@test "the end of a run is predicted, and whether it was so is known afterwards" {
	plan '{"name":"eta","tasks":[{"id":"a","run":["sleep","0.02"]},{"id":"b","run":["sleep","0.02"],"needs":["a"]},
		{"id":"c","run":["sleep","0.02"],"needs":["b"]},{"id":"d","run":["sleep","0.02"],"needs":["c"]}]}'
	for i in 1 2 3 4 5 6 7 8; do loop-sched run --id "R$i" plan.json; done
	[ "$(jq -c 'select(.run == "predicted") | .left_ms | [.[0] <= .[1], .[1] <= .[2]]' "$LOOP_DIR"/runs/R8/run.jsonl | sort -u)" = '[true,true]' ]
	has "$(loop-sched status --calibration R8)" "predictions"
	[ "$(loop-sched status --calibration --json R8 | jq '.predictions >= 20 and .held <= .predictions and .scale >= 0.5')" = true ]
	# Predicted anew by the ranges that would have held.
	loop-sched run --id R9 plan.json
	[ "$(jq 'select(.run == "predicted") | .scale != 1' "$LOOP_DIR"/runs/R9/run.jsonl | sort -u)" = true ]
}

@test "dot and Mermaid themselves read what is drawn for them" {
	plan '{"tasks":[{"id":"end","title":"a \"b\" \\ <c> [d] {e} | #35; `f`; \u001b"},{"id":"graph","needs":["end"]},
		{"id":"x.1","needs":[{"task":"end","when":"failed"}]}]}'
	command -v dot >/dev/null || skip 'no dot here'
	loop-sched graph --format dot plan.json | dot -Tplain >drawn
	[ "$(grep -c ^node drawn)" = 3 ] && [ "$(grep -c ^edge drawn)" = 2 ]
}

@test "a task that asks for it is replayed where nothing that it reads has changed" {
	echo 1 >in
	plan '{"tasks":[{"id":"a","run":"echo ran >>ran; cat in >out; echo said; echo [7] >$LOOP_OUTPUT","cache":{"inputs":["in"],"outputs":["out"],"ttl":"1h"}},
		{"id":"b","needs":["a"],"run":"jq -c .a $LOOP_INPUTS >b","cache":{"env":["X"]}},
		{"id":"no","run":"echo no >>ran; exit 3","cache":{}}]}'
	status_is 1 loop-sched run --id A plan.json
	rm out b 2>/dev/null || true
	status_is 1 loop-sched run --id B plan.json
	[ "$(sort ran | tr '\n' ' ')" = "no no ran " ] && [ "$(cat out)" = 1 ]
	[ "$(cat "$LOOP_DIR/runs/B/tasks/a/1.out" "$LOOP_DIR/runs/B/tasks/a/1/output.json")" = $'said\n[7]' ]
	[ "$(jq -r 'select(.cached) | .task' "$LOOP_DIR/runs/B/run.jsonl" | tr '\n' ' ')" = "a b " ]
	[ ! "$(jq -r 'select(.cached) | .task' "$LOOP_DIR/runs/A/run.jsonl")" ]
	echo 2 >in
	status_is 1 loop-sched run --id C plan.json
	[ "$(cat out)" = 2 ]
	[ "$(jq -r 'select(.cached) | .task' "$LOOP_DIR/runs/C/run.jsonl" | tr '\n' ' ')" = "b " ]
	plan '{"tasks":[{"id":"a","run":"x","cache":{"input":["in"],"ttl":"soon"}},{"id":"b","run":"x","cache":[]}]}'
	status_is 65 loop-sched check plan.json
	has "$stderr" "did you mean 'inputs'"
	[ "$(grep -c error: <<<"$stderr")" = 3 ]
}

@test "plans of no task and of one; a command that is missing; a launcher that dies" {
	plan '{"tasks":[]}'
	status_is 65 loop-sched run plan.json
	has "$stderr" "no tasks"
	: >empty.jsonl
	status_is 65 loop-sched check empty.jsonl
	plan '{"tasks":[{"id":"a","run":["/nowhere/to/be/found"]}]}'
	status_is 1 loop-sched run --id R plan.json
	[ "$(jq -r 'select(.state == "errored") | .status' "$LOOP_DIR/runs/R/run.jsonl")" = 127 ]
	plan '{"tasks":[{"id":"a","run":["touch","ran"]}]}'
	status_is 1 loop-sched run --id S --launcher 'kill -KILL $$;' plan.json
	[ "$(jq -r 'select(.task and .state == "failed") | .reason' "$LOOP_DIR/runs/S/run.jsonl")" = SIGKILL ]
	status_is 1 loop-sched run --id T --launcher /no/such/launcher plan.json
	[ "$(jq -r 'select(.task and .state == "failed") | .status' "$LOOP_DIR/runs/T/run.jsonl")" = 127 ]
	[ ! -e ran ]
	status_is 0 loop-sched run plan.json
	[ -e ran ]
}

@test "a run that was killed as it was made never was one, and can be made again" {
	printf '{"tasks":[{"id":"a"}]}\n' >plan.json
	command -v strace >/dev/null || skip "no strace"
	local call nth made=0
	for call in mkdirat mknodat openat write renameat rename; do
		for nth in 1 2 3 4 5 6 7 8; do
			strace -f -qqo /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$nth" \
				loop-sched run --run true --id "$call-$nth" plan.json >/dev/null 2>&1 || true
			if [ -e "$LOOP_DIR/runs/$call-$nth" ]; then
				made=$((made + 1))
				status_is 0 loop-sched resume "$call-$nth"
			else
				status_is 1 loop-sched resume "$call-$nth"
				status_is 0 loop-sched run --run true --id "$call-$nth" plan.json
			fi
			run -0 loop-sched status --json "$call-$nth"
			has "$output" '"state":"succeeded"'
		done
	done
	[ "$made" -lt 48 ]
	[ -z "$(find "$LOOP_DIR/runs" -maxdepth 1 -name ".*")" ]
}

@test "a task's file that a killed scheduler left half is written again" {
	printf '{"tasks":[{"id":"a"}]}\n' >plan.json
	status_is 0 loop-sched run --run 'jq -e .id $LOOP_TASK_FILE' --id half plan.json
	: >"$LOOP_DIR/runs/half/tasks/a/task.json"
	sed -i '/"task":/d; /"ended"/d' "$LOOP_DIR/runs/half/run.jsonl"
	status_is 0 loop-sched resume half
	[ -s "$LOOP_DIR/runs/half/tasks/a/task.json" ]
}
