# work: the endless harness. loop-queue claims item after item and renews its lease; loop-story does it as
# it does a story. To be sourced by loop.
# shellcheck shell=bash disable=SC2154,SC2317 # bin is the program's; a trap calls

work_queue() {
	local queue=${OPERANDS[0]-} line words=(--error-delay 5s)
	words+=("--min-disk=${OPT[min-disk]-512M}" "--min-memory=${OPT[min-memory]-256M}")
	[[ $queue ]] || usage 'work needs a queue'
	[[ $queue =~ ^[A-Za-z0-9_:@+-][A-Za-z0-9._:@+-]*$ ]] || usage "'$queue' is not the name of a queue"
	command -v loop-queue >/dev/null || die 69 'loop-queue is not installed'
	absolute_files .
	check_repository
	line=$(loop-spawn --check --agent "${OPT[agent]-claude}") || die 78 "${line:-the agent cannot run here}"
	OPT[branch]=$(plan_branch "$(jq -nc --arg name "$queue" '{name: $name}')") || exit
	make_branch "${OPT[branch]}"
	mkdir -p "$LOOP_DIR/work/$queue/owners" || exit 73
	[[ ! ${OPT[until-empty]-} ]] || words+=(--idle-exit 0)
	line=(loop-story --item "--branch=${OPT[branch]}" "--delay=${OPT[delay]-5s}")
	story_words line "$STORY_OPTIONS$ROOM_OPTIONS"
	employ "$queue" loop-queue work "${words[@]}" --jobs "${OPT[jobs]-1}" "$queue" -- "${line[@]}"
}

# Runs the worker in a session of its own, so that it hears of an end only from us, in order, and a terminal
# that goes away leaves it at work.
employ() { # QUEUE COMMAND…
	local file worker status
	file=$LOOP_DIR/work/$1/owners
	shift
	setsid "$@" </dev/null &
	worker=$!
	file+=/$worker
	trap 'end_worker "$file" "$worker"' INT TERM
	trap : HUP
	process_name "$worker" >"$file"
	while wait "$worker"; status=$?; kill -0 "$worker" 2>/dev/null; do :; done
	rm -f -- "$file"
	exit "$status"
}

# The first time it finishes the items it has, the second time it ends them. An item that waits for its start
# sees that its worker's file can be executed, and does not: of all signs this one needs no room on the disk.
end_worker() { # FILE PID
	chmod u+x -- "$1" 2>/dev/null
	kill -TERM "$2" 2>/dev/null
}

# Ends those that work on a queue, in this way.
stop_work() { # QUEUE
	local file owner status=1
	for file in "$LOOP_DIR/work/$1/owners"/*; do
		read -ra owner 2>/dev/null <"$file" || continue
		if process_lives "${owner[@]}"; then
			end_worker "$file" "${owner[0]}" && status=0
		else
			rm -f -- "$file"
		fi
	done
	return "$status"
}
