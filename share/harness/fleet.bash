# fleet: what all stories of a state directory share before one of them may start: the question to a
# human after too many failures in a row, counted resources, and for items of a queue room on the disk and
# in memory. All of it is waited for, and waiting burns no attempt. To be sourced by loop-story.
# shellcheck shell=bash disable=SC2154,SC2015 # what the story knows is set there

# "STARTS FAILURES": how often the run began anew (a success, or a human who went on with it), and how
# many attempts have failed since. A conflict (75), the end of a budget (112) and what the scheduler does
# not count say nothing about the agent.
failure_streak() {
	jq -Rnr 'reduce (inputs | fromjson? | objects) as $line ([0, 0];
		if $line.run == "resumed" or $line.state == "succeeded" then [.[0] + 1, 0]
		elif ($line.state | IN("retrying", "failed", "timed_out", "errored")) and ($line.status | IN(75, 112) | not) and ($line.spared | not)
		then .[1] += 1 else . end) | "\(.[0]) \(.[1])"' "$run_log" 2>/dev/null
}

# Runs what waits. An item of a queue waits no longer than its worker goes on: it is the next one's then.
patiently() { # COMMAND…
	local pid nap=0.02
	if [[ ! ${OPT[item]-} ]]; then
		"$@"
		return
	fi
	"$@" &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		if worker_ends; then
			kill -TERM "$pid" 2>/dev/null && wait "$pid"
			exit 75
		fi
		sleep "$nap"
		nap=0.5
	done
	wait "$pid"
}

# Holds new work while a human is asked. Every story of the run asks the same question, so one answer
# lets all of them go; the next one comes after as many failures more.
await_trust() {
	local max=${OPT[max-failures]-5} starts bad
	((max)) || return 0
	read -r starts bad < <(failure_streak) || return 0
	((bad >= max)) || return 0
	patiently loop-gate ask --wait --id "$LOOP_RUN.failures.$starts.$((bad / max))" --subject "${LOOP_SUBJECT-$LOOP_RUN}" \
		"$LOOP_RUN: $((bad / max * max)) attempts in a row have failed; go on?" >/dev/null && return
	if (($? == 1)); then
		if [[ ${LOOP_QUEUE-} ]]; then loop-queue pause "$LOOP_QUEUE"; else loop-sched cancel "$LOOP_RUN"; fi 2>/dev/null
		stop_story held 119 'A human was asked after too many failures in a row, and said no.'
	fi
}

# What there is too little of, in words; status 1 if there is enough.
short_of() {
	loop-sched room --min-disk="${OPT[min-disk]-512M}" --min-memory="${OPT[min-memory]-256M}" "$LOOP_DIR" .
	case $? in
	0) return 1 ;;
	1) return 0 ;;
	*) exit 64 ;;
	esac
}

# A unit of each counted resource, in the order of their names, so that no two stories can wait for each
# other. They are held by descriptors of ours and so end with us.
take_resources() {
	local wanted name ports slot fd
	repeated resource wanted
	if [[ ${OPT[ports]-} ]]; then
		[[ ${OPT[ports]} =~ ^([0-9]{1,5})-([0-9]{1,5})$ ]] || usage "--ports: '${OPT[ports]}' is not FROM-TO"
		ports=${BASH_REMATCH[1]}
		wanted+=("port/$((BASH_REMATCH[2] - ports + 1))")
	fi
	((${#wanted[@]})) || return 0
	while IFS= read -r name; do
		exec {fd}<>"$(loop-lock path "${name%%[:/]*}")" || return
		slot=$(patiently loop-lock acquire "$name" --fd "$fd" --store file --print) || die 75 "$name: not to be had"
		slot=${slot#* }
		export "LOOP_SLOT_$(tr -c 'A-Za-z0-9\n' _ <<<"${name%%[:/]*}")=$slot"
		if [[ ${ports-} && $name == port/* ]]; then export PORT=$((ports + slot)); fi
	done < <(printf '%s\n' "${wanted[@]}" | LC_ALL=C sort -u)
}

await_start() {
	await_trust
	take_resources
}

# ---- stuck --------------------------------------------------------------------------------------

# Endings that say something about the story; the others are the service's or the machine's.
about_the_story() { # REASON
	[[ $1 =~ ^(failed|verify_failed|max_turns|budget|context|timeout|stalled|malformed)$ ]]
}

# A failure without what differs each time: numbers, ids, times.
failure_mark() {
	{ printf '%s\n' "$reason" && cat "$attempt_folder/failure.txt" 2>/dev/null; } |
		sed -E 's/[0-9a-f]{7,}/#/g; s/[0-9]+/#/g' | cksum
}

# Whether this attempt failed as those before it, or nothing has been changed by any of them.
is_stuck() {
	local n most=${OPT[stuck]-3}
	((most)) && about_the_story "$reason" || return
	failure_mark >"$attempt_folder/mark"
	[[ $work && $(safe_git rev-parse "$work^{tree}") == $(safe_git rev-parse "$base^{tree}") ]] &&
		: >"$attempt_folder/unchanged"
	same_in_a_row mark "$most" || same_in_a_row unchanged "$most"
}

same_in_a_row() { # FILE TIMES
	local n
	((LOOP_ATTEMPT >= $2)) || return
	for ((n = LOOP_ATTEMPT; n > LOOP_ATTEMPT - $2; n--)); do
		cmp -s "$task_folder/$n/$1" "$attempt_folder/$1" || return
	done
}
