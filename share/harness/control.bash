# control: which runs there are, which of them live, and what may be asked of them from another
# terminal. To be sourced by loop.
# shellcheck shell=bash

# A run by its name or the beginning of it; the newest if none is given.
find_run() { # [RUN]
	local names=()
	if [[ ! ${1-} ]]; then
		latest_run && return
		die 1 'there is no run yet; loop run PLAN begins one'
	fi
	if [[ -d $LOOP_DIR/runs/$1 && $1 != */* && $1 != .* ]]; then
		is_whole "$LOOP_DIR/runs/$1" ||
			die 1 "$1: never began: it was killed as it was made; begin it anew with loop run PLAN, loop gc removes this one"
		printf '%s\n' "$1"
		return
	fi
	mapfile -t names < <(cd "$LOOP_DIR/runs" 2>/dev/null && printf '%s\n' ./*/run.jsonl | cut -d/ -f2 | grep -F -- "$1" |
		awk -v head="$1" 'index($0, head) == 1')
	((${#names[@]} == 1)) || die 1 "$1: ${#names[@]} runs are called so; loop status names them"
	printf '%s\n' "${names[0]}"
}

# What an older version left that was killed as it made a run can neither be gone on with nor told of.
is_whole() { # FOLDER
	[[ -e $1/run.jsonl && -e $1/run.json && -e $1/plan.json ]]
}

latest_run() {
	local folder
	while read -r _ folder; do
		if is_whole "$folder"; then printf '%s\n' "${folder##*/}" && return; fi
	done < <(find "$LOOP_DIR/runs" -mindepth 2 -maxdepth 2 -path '*/runs/[!.]*' -name run.jsonl -printf '%T@ %h\n' 2>/dev/null | sort -rn)
	return 1
}

# "PID START BOOT" of the scheduler that began the run or went on with it last.
run_owner() { # RUN
	jq -Rr 'fromjson? | objects | select(.run == "started" or .run == "resumed")
		| "\(.pid) \(.start) \(.boot)"' "$LOOP_DIR/runs/$1/run.jsonl" 2>/dev/null | tail -n 1
}

# Whether somebody works on it. What the log says is only believed of a process that lives.
run_lives() { # RUN
	local owner
	read -ra owner < <(run_owner "$1") && ((${#owner[@]} == 3)) && process_lives "${owner[@]}"
}

living_runs() {
	local file run
	for file in "$LOOP_DIR"/runs/*/run.jsonl; do
		run=${file%/run.jsonl} run=${run##*/}
		if [[ -e $file ]] && run_lives "$run"; then printf '%s\n' "$run"; fi
	done
}

# pause, continue, cancel and why are loop-sched's; only the newest run is found in the same way.
ask_scheduler() { # VERB
	local run
	run=$(find_run "${OPERANDS[0]-}") || exit
	exec loop-sched "$1" "$run" ${OPERANDS[1]+"${OPERANDS[1]}"}
}

why_task() {
	local run status
	((${#OPERANDS[@]})) || usage 'why needs a story'
	run=$(find_run "${OPERANDS[1]-}") || exit
	loop-sched why "${OPERANDS[0]}" "$run"
	status=$?
	local file=$LOOP_DIR/runs/$run/tasks/${OPERANDS[0]} last
	last=$(find "$file" -name failure.txt -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2-)
	if [[ $last ]]; then
		printf '  the last failure:\n'
		tail -c 2000 "$last" | tr -d '\000-\010\013-\037\177' | sed 's/^/    /'
	fi
	loop-gate list --pending 2>/dev/null | sed 's/^/  waits for you: /'
	exit "$status"
}

# Ends a run in order: its agents first, with everything written down, so that a resume goes on.
stop_runs() {
	local run runs=() owner
	if [[ ${OPERANDS[0]-} && -d $LOOP_DIR/work/${OPERANDS[0]} ]]; then
		stop_work "${OPERANDS[0]}" || die 1 "nobody works on the queue ${OPERANDS[0]}"
		return
	elif [[ ${OPERANDS[0]-} ]]; then
		run=$(find_run "${OPERANDS[0]}") || exit
		run_lives "$run" || die 1 "$run: nobody is at work on it"
		runs=("$run")
	else
		mapfile -t runs < <(living_runs)
		((${#runs[@]})) || die 1 'no run is at work'
	fi
	for run in "${runs[@]}"; do
		read -ra owner < <(run_owner "$run")
		kill -TERM "${owner[0]}" 2>/dev/null
	done
	for run in "${runs[@]}"; do
		await_end "$run" || die 75 "$run: does not end; kill -9 $(run_owner "$run" | cut -d' ' -f1) ends it by force, and loop resume goes on"
		[[ ${OPT[quiet]-} ]] || printf '%s: stopped; to go on: loop resume %s\n' "$run" "$run"
	done
}

await_end() { # RUN
	local until=$((SECONDS + 60))
	while run_lives "$1"; do
		((SECONDS < until)) || return
		sleep 0.1
	done
}

watch_run() {
	local run
	run=$(find_run "${OPERANDS[0]-}") || exit
	exec loop-stream show "$run"
}

# ---- loop status --------------------------------------------------------------------------------

status_of_runs() {
	local run seen=''
	for run in $(living_runs); do
		loop-sched status "$run"
		loop-sched show "$run" 2>/dev/null | grep -E '^ *(running|retrying|queued|paused)' | sed 's/^ */    /'
		seen=1
	done
	[[ $seen ]] || echo 'no run is at work'
	if run=$(latest_run) && ! run_lives "$run"; then
		printf 'the newest: '
		loop-sched status "$run"
		grep -q '"run":"ended"' "$LOOP_DIR/runs/$run/run.jsonl" ||
			printf '    cut off; to go on: loop resume %s\n' "$run"
	fi
}

# What holds work up, and how much there is left of what all share.
status_of_fleet() {
	local line
	loop-gate list --pending 2>/dev/null | sed 's/^/waits for you: /'
	for line in "$LOOP_DIR"/limits/*.json; do
		[[ -e $line ]] && jq -r --arg agent "$(basename "$line" .json)" \
			'select((.until // "") > (now | todate)) | "\($agent): its account is limited until \(.until)"' "$line" 2>/dev/null
	done
	loop-sched dirty 2>/dev/null | sed 's/^/not undone: /'
	printf 'spent so far: %s; free on the disk: %s\n' "$(money_spent)" \
		"$(df --output=avail -h -- "$LOOP_DIR" | tail -n 1 | tr -d ' ')"
}

money_spent() {
	[[ -r $LOOP_DIR/ledger.jsonl ]] || { echo '$0' && return; }
	jq -Rnr '[inputs | fromjson? | objects | select(.cost_usd) | .cost_usd] | add // 0 | . * 100 | round / 100 | "$\(.)"' \
		"$LOOP_DIR/ledger.jsonl" 2>/dev/null || echo unknown
}

show_status() {
	[[ -d $LOOP_DIR ]] || die 1 "$LOOP_DIR: nothing was run here yet"
	if [[ ${OPT[json]-} ]]; then
		for run in $(living_runs); do loop-sched status --json "$run"; done
		loop-gate list --pending --json 2>/dev/null
		return 0
	fi
	status_of_runs
	status_of_fleet
}
