# item: an item of a queue as a story. It stands where a task of a run does: in a folder of its own below
# .loop/work/QUEUE, with a log beside it that says how each try ended. To be sourced by loop-story.
# shellcheck shell=bash disable=SC2034,SC2154 # what the story knows is set there

# The body is an object such as a plan's task, or text: its first line is the title.
item_task() { # ID
	jq -Rsc --arg id "$1" '(try fromjson catch null) as $json
		| (if ($json | type) == "object" then $json
		   else {title: (split("\n")[0] // "" | .[:200]), description: .} end)
		| .id = $id | .title //= $id'
}

# Sets what loop-sched would have set. A try that was not counted is an attempt all the same.
become_item() {
	local folder lack n=1
	[[ ${LOOP_QUEUE-} && ${LOOP_JOB_ID-} && ${LOOP_DIR-} ]] ||
		usage 'LOOP_QUEUE, LOOP_JOB_ID: loop-queue work sets these; run it from there'
	pace_items
	# The worker claims nothing while there is no room; this is for what has come about since.
	if lack=$(short_of); then die 75 "$lack"; fi
	folder=$LOOP_DIR/work/$LOOP_QUEUE
	run_log=$folder/log.jsonl
	folder=$folder/tasks/$LOOP_JOB_ID
	while [[ -e $folder/$n ]]; do ((n++)); done
	mkdir -p "$folder/$n" || exit 73
	LOOP_TASK_FILE=$folder/task.json
	item_task "$LOOP_JOB_ID" >"$LOOP_TASK_FILE" || exit 73
	export LOOP_TASK_FILE LOOP_RUN=queue-$LOOP_QUEUE LOOP_TASK=$LOOP_JOB_ID LOOP_ATTEMPT=$n
	export LOOP_SUBJECT=$LOOP_QUEUE/$LOOP_JOB_ID
	trap 'end_item $?' EXIT
}

# The time between the end of one item and the next.
pace_items() {
	local pace last
	pace=$(milliseconds "${OPT[delay]-0}") || usage "--delay: '${OPT[delay]}' is no duration"
	last=$(stat -c %Y "$LOOP_DIR/work/$LOOP_QUEUE/log.jsonl" 2>/dev/null) || return 0
	pace=$((last + pace / 1000 - $(date +%s)))
	((pace <= 0)) || patiently sleep "$pace"
}

# Whether our worker was told to end. It leads the session of processes that we are in.
worker_ends() {
	local stat words
	read -r stat <"/proc/$$/stat" && read -ra words <<<"${stat##*) }" || return
	[[ -x $LOOP_DIR/work/$LOOP_QUEUE/owners/${words[3]} ]]
}

# The log's line, and what loop-queue is to make of the ending: 0 done, 75 again, 65 set aside.
end_item() { # STATUS
	local state=succeeded
	(($1 == 0)) || state=failed
	printf '{"time":"%s","task":"%s","attempt":%d,"state":"%s","status":%d}\n' \
		"$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$LOOP_TASK" "$LOOP_ATTEMPT" "$state" "$1" >>"$run_log"
	case $1 in
	112 | 115 | 116) # nothing that this item is to blame for
		loop-queue pause "$LOOP_QUEUE"
		loop-gate ask --id "$LOOP_RUN.$1.$(date +%s)" \
			"the queue $LOOP_QUEUE is paused ($reason); mend that, then: loop queue resume $LOOP_QUEUE" >/dev/null
		exit 75
		;;
	119) exit 65 ;;
	esac
	# What fails while there is no room does not count; what fills the disk itself does in the end.
	if (($1 && LOOP_ATTEMPT <= 10)) && short_of >/dev/null; then exit 75; fi
}
