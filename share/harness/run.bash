# run: a plan of stories is checked, given its branch, and handed to loop-sched with loop-story as the
# command of each task. To be sourced by loop.
# shellcheck shell=bash disable=SC2004,SC2154,SC2016,SC2317 # bin is the program's

# A careful person's questions before anything is begun, each with what to do.
check_repository() {
	local place said
	[[ $PWD$LOOP_DIR != *$'\n'* ]] ||
		die 66 "$(quoted "$PWD"): a line break in the path; git's lists of worktrees cannot be read then"
	said=$(LC_ALL=C safe_git rev-parse --git-dir 2>&1) || [[ $said != *'dubious ownership'* ]] ||
		die 77 "$PWD belongs to somebody else, so git does not trust it; if you do: $(trust_words)"
	safe_git rev-parse --git-dir >/dev/null 2>&1 ||
		die 66 'this folder is in no git repository; the stories are done in worktrees of one (git init)'
	[[ $(safe_git rev-parse --is-inside-work-tree) == true ]] ||
		die 66 'this is a bare repository, or the .git folder; go to a checkout of it (git worktree add, git clone)'
	safe_git rev-parse -q --verify "${OPT[base]-HEAD}^{commit}" >/dev/null ||
		die 66 "${OPT[base]-HEAD}: no such commit; a run needs one to start from (git commit)"
	place=$(safe_git rev-parse --show-prefix)
	safe_git cat-file -e "${OPT[base]-HEAD}:${place%/}" 2>/dev/null ||
		die 66 "$place is not in ${OPT[base]-HEAD}, where the stories start from; commit what is in it, or go up to the project"
	safe_git show-ref -q --verify refs/heads/loop &&
		die 73 "the branch 'loop' is in the way of the branches loop/…; rename it (git branch -m loop other)"
	place=$(safe_git rev-parse --git-common-dir)
	[[ -w $place && (-w $LOOP_DIR || (! -e $LOOP_DIR && -w ${LOOP_DIR%/*})) ]] ||
		die 73 "$place, $LOOP_DIR: must be writable: the branches and what happened are kept there"
}

trust_words() {
	printf 'git config --global --add safe.directory %q' "$PWD"
}

# What the stories will not see, said once: they start from commits.
say_what_is_left_out() {
	[[ ! ${OPT[quiet]-} ]] || return 0
	if ! safe_git symbolic-ref -q HEAD >/dev/null; then
		warn "HEAD is at no branch; the stories start from the commit ${OPT[base]-$(safe_git rev-parse --short HEAD)}"
	fi
	if ! safe_git diff --quiet HEAD -- ":(exclude)${OPERANDS[0]#"$PWD"/}" 2>/dev/null; then
		warn 'there are changes that are not committed; the stories do not see them, and they stay as they are'
	fi
	if [[ -e $(safe_git rev-parse --show-toplevel)/.gitmodules ]]; then
		warn "submodules are empty in the stories' worktrees; --verify 'git submodule update --init' before others fills them"
	fi
}

# The branch that the stories are merged onto. One that is checked out somewhere is left alone: its
# files would not be what it says any more.
plan_branch() { # NORMALISED-PLAN
	local branch=${OPT[branch]-}
	[[ $branch ]] || branch=$(jq -r '.branch // ("loop/" + (.name // "plan"))' <<<"$1")
	branch=$(branch_name "$branch")
	if safe_git worktree list --porcelain | grep -qxF "branch refs/heads/$branch"; then
		[[ ! ${OPT[branch]-} ]] ||
			die 64 "--branch: $branch is checked out; the stories need a branch that is not"
		[[ ${OPT[quiet]-} ]] || warn "$branch is checked out and is left alone; the stories are merged onto loop/$branch"
		branch=loop/$branch
	fi
	printf '%s' "$branch"
}

make_branch() { # BRANCH
	safe_git rev-parse -q --verify "refs/heads/$1^{commit}" >/dev/null ||
		safe_git branch --no-track "$1" "${OPT[base]-HEAD}" >/dev/null || exit 73
}

# Two runs of one plan would do every story twice. The lock is the run's; it lasts as long as the
# scheduler, which inherits it.
hold_plan() { # PLAN
	local name file
	local -a hold
	name=plan@$(realpath -- "$1" | cksum | cut -d' ' -f1)
	file=$(loop-lock path "$name") && exec 7<>"$file" || exit 73
	# Not in $(…), for whoever asks for it is its holder; once more for its own words, if they are others.
	hold=(loop-lock acquire "$name" --fd 7 --store file --nonblock --label "loop run $1")
	"${hold[@]}" 2>/dev/null && return
	(($? != 75)) || die 75 "$1: a run of this plan is at work already; loop status shows it, loop watch joins it"
	"${hold[@]}" || exit 73
}

# Files that users give are found from wherever the stories run.
absolute_files() {
	local plan=$1 name
	for name in prompt progress; do
		if [[ ${OPT[$name]-} ]]; then OPT[$name]=$(realpath -m -- "${OPT[$name]}"); fi
	done
	[[ ! ${OPT[prompt]-} || -r ${OPT[prompt]} ]] || die 66 "${OPT[prompt]}: cannot be read"
	if [[ ! -v OPT[progress] && -w $(dirname -- "$plan")/progress.txt ]]; then
		OPT[progress]=$(realpath -- "$(dirname -- "$plan")/progress.txt")
	fi
}

# What loop-sched runs for each story. It is kept with the run, so that a resume from anywhere does
# the same.
story_command() { # BRANCH
	local line=(loop-story "--branch=$1")
	story_words line "$STORY_OPTIONS"
	quoted "${line[@]}"
}

# Endings after which the same story does no better: the budget of all, a limit of the account that lasts
# longer than it may be waited for, credentials, permissions, a human.
readonly FINAL_STATUSES=112,113,115,116,119

run_plan() {
	local plan normal branch run said
	((${#OPERANDS[@]} == 1)) || usage 'run needs one plan, such as prd.json'
	plan=${OPERANDS[0]}
	[[ -r $plan ]] || die 66 "$plan: cannot be read"
	[[ -f $plan ]] || die 66 "$plan: not a regular file; a plan is read more than once, and written back to"
	absolute_files "$plan"
	check_repository
	loop-sched check "$plan" >/dev/null || exit
	said=$(loop-spawn --check --agent "${OPT[agent]-claude}") || die 78 "${said:-the agent cannot run here}"
	normal=$(loop-sched import "$plan") || exit
	hold_plan "$plan"
	branch=$(plan_branch "$normal") || exit
	say_what_is_left_out
	make_branch "$branch"
	run=${OPT[id]-run-$(date -u +%Y%m%dT%H%M%S)-$(od -An -N2 -tx2 /dev/urandom | tr -d ' ')}
	follow "$run" loop-sched run "$plan" --id "$run" --jobs "${OPT[jobs]-2}" --attempts "${OPT[attempts]-3}" \
		--min-disk "${OPT[min-disk]-512M}" --min-memory "${OPT[min-memory]-256M}" \
		${OPT[retries]+--retries "${OPT[retries]}"} --never-on "$FINAL_STATUSES" --run "$(story_command "$branch")"
}

resume_run() {
	local run
	run=$(find_run "${OPERANDS[0]-}") || exit
	go_on resume "$run"
}

retry_run() {
	local run
	run=$(find_run "${OPERANDS[0]-}") || exit
	go_on retry "$run"
}

go_on() { # VERB RUN
	local source
	source=$(jq -r '.source // ""' "$LOOP_DIR/runs/$2/run.json" 2>/dev/null)
	if run_lives "$2"; then die 75 "$2: is at work already; loop watch $2 shows it"; fi
	if [[ $source ]]; then hold_plan "$source"; fi
	[[ ! ${OPT[total-budget]-} ]] || export LOOP_TOTAL_BUDGET=${OPT[total-budget]}
	follow "$2" loop-sched "$1" ${OPT[jobs]+--jobs "${OPT[jobs]}"} "$2"
}

# Runs the scheduler with a display and a server beside it, then says what came of it. Who interrupts
# us interrupts the scheduler, and that ends its children first; its exit status is ours. A terminal
# that goes away takes the display with it and nothing else: the night's work goes on.
follow() { # RUN COMMAND…
	local run=$1 scheduler display='' server='' status text
	shift
	if [[ ${OPT[listen]-} ]]; then
		loop-stream serve --listen "${OPT[listen]}" </dev/null 7>&- &
		server=$!
	fi
	setsid "$@" </dev/null & # a process session of its own: only we hear the terminal
	scheduler=$!
	exec 7>&-
	trap 'kill -TERM "$scheduler" 2>/dev/null' INT TERM
	trap 'lose_terminal' HUP
	if [[ ! ${OPT[quiet]-} ]]; then
		exec 3<&0
		loop-stream show "$run" <&3 &
		display=$!
		exec 3<&-
	fi
	while wait "$scheduler"; status=$?; kill -0 "$scheduler" 2>/dev/null; do :; done
	trap '' INT TERM HUP
	end_display "$run" "$display"
	[[ $server ]] && kill -TERM "$server" 2>/dev/null && wait "$server"
	if [[ -e $LOOP_DIR/runs/$run/run.jsonl ]]; then
		text=$(report_text "$run")
		printf '%s\n' "$text" 2>/dev/null >"$LOOP_DIR/runs/$run/report.txt" ||
			warn "$LOOP_DIR/runs/$run/report.txt: cannot be written; loop report $run says it"
		[[ ${OPT[quiet]-} && $status -eq 0 ]] || printf '%s\n' "$text"
	fi
	exit "$status"
}

# Nobody looks any more. Written down, for whoever wonders in the morning.
lose_terminal() {
	exec </dev/null >/dev/null 2>&1
	if [[ $display ]]; then kill -TERM "$display"; fi
	loop-emit log.message --priority=low 'message=the terminal went away; the run goes on (loop watch, loop stop)' level=info
}

# The display ends by itself with the run; one that waits for a run that never began is ended.
end_display() { # RUN PID
	[[ $2 ]] || return
	if ! tail -n 1 "$LOOP_DIR/runs/$1/run.jsonl" 2>/dev/null | grep -q '"run":"ended"'; then
		kill -TERM "$2" 2>/dev/null
	fi
	wait "$2"
}
