load helper

ready() { # QUEUE COUNT
	[ "$(loop-queue stats --json "$1" 2>/dev/null | jq .ready)" = "$2" ]
}

@test "routes into queues: the next stage, fixes before new work, the third failure to the dead letters" {
	loop-queue put work 'a new story' >/dev/null
	start loop-bus route --from start "$SOURCE_TREE/share/examples/stages.json" 2>errors
	loop-emit story.completed -s PRD/A success:=true
	wait_for 40 ready review 1
	loop-emit story.completed -s PRD/B success:=false
	loop-emit story.completed -s PRD/B success:=false
	wait_for 40 ready work 3
	[ ! -e "$LOOP_DIR/dead/stories.jsonl" ]
	loop-emit story.completed -s PRD/B success:=false
	wait_for 40 test -s "$LOOP_DIR/dead/stories.jsonl"
	wait_for 40 ready work 4
	[ "$(jq -r .event.subject "$LOOP_DIR/dead/stories.jsonl")" = PRD/B ]
	[ "$(loop-queue claim review | jq -r '.body | fromjson | .subject')" = PRD/A ]
	[ "$(loop-queue claim -n 4 work | jq -r '.body | fromjson? // "new" | .subject? // "new"' | tr '\n' ' ')" = \
		'PRD/B PRD/B PRD/B new ' ]
}
