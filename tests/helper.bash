# helper: what every .bats file loads. Each test has a scratch folder of its own (it is also the
# working directory) with its own state directory, ends what it started by pid, and waits for
# conditions instead of sleeping.
# shellcheck shell=bash disable=SC2154 # run sets status, output and stderr

SOURCE_TREE=$(cd "$BATS_TEST_DIRNAME" && while [ ! -f Makefile ]; do cd ..; done && pwd)
export SOURCE_TREE

setup() {
	unset "${!LOOP_@}" CDPATH
	export LC_ALL=C.UTF-8 TZ=UTC NO_COLOR=1
	SCRATCH=$BATS_TEST_TMPDIR
	export LOOP_DIR=$SCRATCH/.loop HOME=$SCRATCH/home
	export GIT_CONFIG_GLOBAL=$SCRATCH/gitconfig GIT_CONFIG_NOSYSTEM=1
	mkdir -p "$HOME"
	printf '[user]\n\tname = Test\n\temail = test@localhost\n[init]\n\tdefaultBranch = main\n' \
		>"$GIT_CONFIG_GLOBAL"
	cd "$SCRATCH" || return
	declare -ga STARTED=()
	if declare -F setup_more >/dev/null; then setup_more; fi
}

teardown() {
	local pid
	for pid in "${STARTED[@]}"; do
		if is_child "$pid"; then kill -KILL "$pid" 2>/dev/null || true; fi
		wait "$pid" 2>/dev/null || true
	done
	if declare -F teardown_more >/dev/null; then teardown_more; fi
}

# Of a test that takes a while, what was waited for may be another test's process by now: pids come back.
is_child() {
	local stat
	read -r stat <"/proc/$1/stat" || return
	read -r _ stat _ <<<"${stat##*) }"
	[ "$stat" = "$BASHPID" ]
} 2>/dev/null

# start COMMAND…: in the background, ended with the test; its pid is in $started.
start() {
	"$@" 3>&- &
	started=$!
	STARTED+=("$started")
}

# wait_for SECONDS COMMAND…: until the command succeeds; fails after that many seconds, of which there are
# plenty: others may be at work on the machine too. Nothing asserts by it that something is quick.
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		if ((SECONDS >= deadline)); then
			echo "still not so: $*" >&2
			return 1
		fi
		sleep 0.02
	done
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# The processes that still run and were started with this test's state directory, by pid.
left_over() {
	local found pid
	found=$(grep -lzsx "LOOP_DIR=$LOOP_DIR" /proc/[0-9]*/environ) || true
	while IFS=/ read -r _ _ pid _; do
		if [ "$pid" ] && grep -qs '^State:.[^ZX]' "/proc/$pid/status"; then echo "$pid"; fi
	done <<<"$found"
}

nothing_left() {
	[ -z "$(left_over)" ]
}

# For tests that need a terminal: a bare machine may have none to give.
needs_terminal() {
	script -qec true /dev/null >/dev/null 2>&1 || skip 'no pseudo-terminals here'
}

# status_is N COMMAND…: runs it (output in $output, stderr in $stderr) and compares its exit status.
status_is() {
	local want=$1
	shift
	case $want in # a command that is not found surprises bats where it is not told
	127) run -127 --separate-stderr "$@" ;;
	*) run --separate-stderr "$@" ;;
	esac
	if [ "$status" -ne "$want" ]; then
		printf 'status %s, not %s: %s\nstdout: %s\nstderr: %s\n' \
			"$status" "$want" "$*" "$output" "$stderr" >&2
		return 1
	fi
}

# has TEXT PART: whether a text holds a part; says so where it does not.
has() {
	[[ $1 == *"$2"* ]] || {
		printf 'not found: %s\nin: %s\n' "$2" "$1" >&2
		return 1
	}
}
bats_require_minimum_version 1.5.0

# Every event of the journal conforms to the schemas of share/schemas; says which does not and why.
events_conform() {
	local file schemas faults
	schemas=$(for file in "$SOURCE_TREE"/share/schemas/*.json; do
		case $file in */plan.json) continue ;; esac
		jq -c --arg name "$(basename "$file" .json)" '{($name): .}' "$file"
	done | jq -cs add)
	faults=$(cat "$LOOP_DIR"/events*.jsonl |
		jq -rn -L "$SOURCE_TREE/tests" --argjson schemas "$schemas" 'include "schema"; check_events') || return
	[ -z "$faults" ] || {
		printf '%s\n' "$faults" >&2
		return 1
	}
}
