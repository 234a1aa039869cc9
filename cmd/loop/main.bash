#!/usr/bin/env bash
# loop: the harness. Runs a plan of stories with coding agents, unattended, and is composed of the
# other programs: loop-sched decides what may run, loop-story brings one story to merged work,
# loop-stream shows it. Whatever it does can be done by hand with the parts.
set -uo pipefail
PROGRAM=loop
bin=$(dirname -- "$(realpath -- "$0")")
for data in ${LOOP_SHARE:+"$LOOP_SHARE"} "$bin/../share/loop" "$bin/../../../share"; do
	# shellcheck source=share/harness.bash
	if [[ -e $data/harness.bash ]]; then . "$data/harness.bash" && break; fi
done
declare -F parse >/dev/null || { echo "loop: harness.bash: not found; is the installation whole?" >&2; exit 66; }

readonly COMMANDS='
run|PLAN|do the stories of a plan and merge them onto its branch
resume|[RUN]|go on with a run that was interrupted
report|[RUN]|say what came of a run
demo||a whole run of a small plan with the mock agent
'
declare -rA OPTIONS=(
	[run]='
agent|a|AGENT|the agent that does the stories; claude by default
model|m|MODEL|the model to ask it for
jobs|j|N|how many stories at a time; 2 by default
attempts||N|how often a story is tried at most; 3 by default
verify|v|COMMAND+|a story passes only if this succeeds in its worktree too
branch|b|NAME|where the stories are merged; by default what the plan says
base||REF|where that branch starts if it is new; HEAD by default
prompt||FILE|the template of the prompt
timeout||D|the longest that one session may take
budget||USD|the most that one session may cost
quota-wait||D|the longest to wait for a limit of the account to end; 6h by default
listen|l|ADDRESS|show the run over HTTP meanwhile, e.g. 127.0.0.1:18790
id||RUN|the id of the run; by default made from the time
quiet|q||show nothing while it runs, and nothing at all if all is well
'
	[resume]='
listen|l|ADDRESS|show the run over HTTP meanwhile, e.g. 127.0.0.1:18790
quiet|q||show nothing while it runs, and nothing at all if all is well
'
	[report]=''
	[demo]='
keep|k||keep the scratch repository and say where it is
'
)

help() {
	local name operands brief
	cat <<-'TEXT'
		Usage: loop COMMAND [OPTION]... [OPERAND]...
		       loop PROGRAM ...        is loop-PROGRAM ..., as in loop emit, loop lock, loop sched

		Run coding agents over a plan of stories, unattended and in parallel.

		Commands:
	TEXT
	while IFS='|' read -r name operands brief; do
		[[ $name ]] && printf '  %-28s%s\n' "$name${operands:+ $operands}" "$brief"
	done <<<"$COMMANDS"
	printf '\nOptions:\n'
	help_line '' help '' 'show this help, or with a command before it that command'\''s'
	help_line '' version '' 'show the version'
	help_line '' describe '' 'show the options as JSON'
}

help_command() { # the one that is being parsed
	local name operands brief
	while IFS='|' read -r name operands brief; do
		[[ $name == "$command" ]] || continue
		printf 'Usage: loop %s [OPTION]...%s\n\n%s\n' "$name" "${operands:+ $operands}" "$brief"
	done <<<"$COMMANDS"
	help_options "${OPTIONS[$command]}"
}

describe_all() {
	local name operands brief
	{
		echo 'loop|COMMAND [OPTION]... [OPERAND]...|run coding agents over a plan of stories'
		while IFS='|' read -r name operands brief; do
			[[ $name ]] || continue
			printf '%s|[OPTION]...%s|%s\n' "$name" "${operands:+ $operands}" "$brief"
			sed -n 's/^./\t&/p' <<<"${OPTIONS[$name]}"
		done <<<"$COMMANDS"
	} | describe
}

# ---- loop run -----------------------------------------------------------------------------------

check_repository() {
	safe_git rev-parse --git-dir >/dev/null 2>&1 ||
		die 66 'this folder is in no git repository; the stories are done in worktrees of one'
	safe_git rev-parse -q --verify "${OPT[base]-HEAD}^{commit}" >/dev/null ||
		die 66 "${OPT[base]-HEAD}: no such commit; a run needs one to start from"
	safe_git show-ref -q --verify refs/heads/loop &&
		die 73 "the branch 'loop' is in the way of the branches loop/…; rename it"
	return 0
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
		branch=loop/$branch
	fi
	printf '%s' "$branch"
}

make_branch() { # BRANCH
	safe_git rev-parse -q --verify "refs/heads/$1^{commit}" >/dev/null ||
		safe_git branch --no-track "$1" "${OPT[base]-HEAD}" >/dev/null || exit 73
}

# What loop-sched runs for each story. It is kept with the run, so that a resume from anywhere does
# the same.
story_command() { # BRANCH
	local words=(loop-story --agent "${OPT[agent]-claude}" --branch "$1") name command verify
	for name in model prompt timeout budget quota-wait; do
		[[ ${OPT[$name]-} ]] && words+=("--$name" "${OPT[$name]}")
	done
	repeated verify verify
	for command in "${verify[@]}"; do words+=(--verify "$command"); done
	quoted "${words[@]}"
}

run_plan() {
	local plan normal branch run
	((${#OPERANDS[@]} == 1)) || usage 'run needs one plan, such as prd.json'
	plan=${OPERANDS[0]}
	[[ -r $plan ]] || die 66 "$plan: cannot be read"
	if [[ ${OPT[prompt]-} ]]; then
		[[ -r ${OPT[prompt]} ]] || die 66 "${OPT[prompt]}: cannot be read"
		OPT[prompt]=$(realpath -- "${OPT[prompt]}")
	fi
	check_repository
	loop-sched check "$plan" >/dev/null || exit
	loop-spawn --check --agent "${OPT[agent]-claude}" >/dev/null || exit 78
	normal=$(loop-sched import "$plan") || exit
	branch=$(plan_branch "$normal") || exit
	make_branch "$branch"
	run=${OPT[id]-run-$(date -u +%Y%m%dT%H%M%S)-$(od -An -N2 -tx2 /dev/urandom | tr -d ' ')}
	follow "$run" loop-sched run "$plan" --id "$run" --jobs "${OPT[jobs]-2}" \
		--attempts "${OPT[attempts]-3}" --run "$(story_command "$branch")"
}

resume_run() {
	local run=${OPERANDS[0]-$(latest_run)}
	[[ $run && -e $LOOP_DIR/runs/$run/run.jsonl ]] || die 1 "${run:-there is no run to resume}: no such run"
	follow "$run" loop-sched resume "$run"
}

latest_run() {
	find "$LOOP_DIR/runs" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %f\n' 2>/dev/null |
		sort -n | tail -n 1 | cut -d' ' -f2
}

# Runs the scheduler with a display and a server beside it, then says what came of it. Who interrupts
# us interrupts the scheduler, and that ends its children first; its exit status is ours.
follow() { # RUN COMMAND…
	local run=$1 scheduler display='' server='' status
	shift
	if [[ ${OPT[listen]-} ]]; then
		loop-stream serve --listen "${OPT[listen]}" </dev/null &
		server=$!
	fi
	"$@" </dev/null &
	scheduler=$!
	trap 'kill -TERM "$scheduler" 2>/dev/null' INT TERM HUP
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
	if [[ -e $LOOP_DIR/runs/$run/run.jsonl && (! ${OPT[quiet]-} || $status -ne 0) ]]; then
		report "$run"
	fi
	exit "$status"
}

# The display ends by itself with the run; one that waits for a run that never began is ended.
end_display() { # RUN PID
	[[ $2 ]] || return
	if ! tail -n 1 "$LOOP_DIR/runs/$1/run.jsonl" 2>/dev/null | grep -q '"run":"ended"'; then
		kill -TERM "$2" 2>/dev/null
	fi
	wait "$2"
}

# ---- loop report --------------------------------------------------------------------------------

report_run() {
	local run=${OPERANDS[0]-$(latest_run)}
	[[ $run && -e $LOOP_DIR/runs/$run/run.jsonl ]] || die 1 "${run:-there is no run to report}: no such run"
	report "$run"
}

report() { # RUN
	local folder=$LOOP_DIR/runs/$1
	find "$LOOP_DIR" -maxdepth 1 -name 'events*.jsonl' -exec grep -hF "\"$1\"" {} + |
		jq -R 'fromjson?' | jq -rs -f "$(share report.jq)" --arg run "$1" \
		--slurpfile plan "$folder/plan.json" --rawfile log "$folder/run.jsonl"
}

# ---- loop demo ----------------------------------------------------------------------------------

# A scratch repository, the demo's plan, the mock agent: everything else is as on a real night.
demo() {
	local port
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/loop-demo-XXXXXX") || exit 73
	readonly scratch # the trap runs when this function's own variables are gone
	[[ ${OPT[keep]-} ]] || trap 'rm -rf -- "${scratch:?}"' EXIT
	unset LOOP_DIR "${!LOOP_RUN@}" "${!LOOP_TASK@}"
	cp -R "$(share examples/demo)/project/." "$scratch" && cd "$scratch" || exit 73
	safe_git init -q -b main . && safe_git add -A && safe_git "${AUTHOR[@]}" commit -q -m 'An empty toolbox' || exit 73
	port=$((20000 + RANDOM % 20000))
	LOOP_MOCK_SCRIPT=$(share examples/demo)/mock
	export LOOP_MOCK_SCRIPT
	printf 'A scratch repository in %s; watch it meanwhile with\n    curl -N http://127.0.0.1:%s/events\n\n' "$scratch" "$port"
	printf '$ loop run prd.json --agent mock --listen 127.0.0.1:%s\n' "$port"
	"$bin/loop" run prd.json --agent mock --listen "127.0.0.1:$port"
}

# ---- dispatch -----------------------------------------------------------------------------------

main() {
	local command=${1---help}
	shift || true
	case $command in
	--help | -h) help && exit ;;
	--version) echo "loop $LOOP_VERSION" && exit ;;
	--describe) describe_all && exit ;;
	run | resume | report | demo) ;;
	-*) usage "unknown option '$command'" ;;
	*)
		command -v "loop-$command" >/dev/null || usage "unknown command '$command'"
		exec "loop-$command" "$@"
		;;
	esac
	parse "${OPTIONS[$command]}" help_command "$@"
	[[ $command == run ]] || ((${#OPERANDS[@]} <= 1)) || usage "one operand too many: '${OPERANDS[1]}'"
	LOOP_DIR=$(state_dir)
	export LOOP_DIR PATH="$bin:$PATH"
	case $command in
	run) run_plan ;;
	resume) resume_run ;;
	report) report_run ;;
	demo) demo ;;
	esac
}

main "$@"
