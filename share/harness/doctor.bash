# doctor: looks for what keeps a night from going well. Each finding is a line with what to do; nothing
# is changed. To be sourced by loop.
# shellcheck shell=bash disable=SC2154 # bin is the program's

# A line of the report: ok, warn or fail. A fail makes the status 1.
finding() { # LEVEL WHAT [WHAT-TO-DO]
	[[ $1 == ok && ${OPT[quiet]-} ]] && return
	printf '%-5s %s%s\n' "$1" "$(tr -d '\000-\010\013-\037\177' <<<"$2")" "${3:+
      → $3}"
	if [[ $1 == fail ]]; then failed=1; fi
}

doctor_programs() {
	local name version missing=()
	for name in bash git jq awk sed find timeout; do command -v "$name" >/dev/null || missing+=("$name"); done
	((${#missing[@]} == 0)) || finding fail "missing: ${missing[*]}" "apt-get install ${missing[*]}"
	version=$(git version | grep -oE '[0-9]+\.[0-9]+' | head -n 1)
	if printf '2.38\n%s\n' "$version" | sort -VC; then
		finding ok "git $version, jq $(jq --version | tr -d 'jq-'), bash ${BASH_VERSION%%(*}"
	else
		finding fail "git $version cannot merge without a worktree" 'install git 2.38 or newer'
	fi
	for name in loop-sched loop-spawn loop-story loop-lock loop-emit loop-session loop-gate loop-stream; do
		version=$("$name" --version 2>/dev/null) || finding fail "$name: not found or broken" 'make install'
		[[ ${version##* } == "$LOOP_VERSION" ]] ||
			finding warn "$name is ${version##* }, loop is $LOOP_VERSION" 'install all programs from one build'
	done
}

# From cron's bare environment too: there is no login, and hardly a PATH.
doctor_agent() {
	local agent=${OPT[agent]-claude} said
	if ! said=$(loop-spawn --check --agent "$agent" 2>&1); then
		finding fail "agent $agent: $(head -n 1 <<<"$said")" "loop-spawn --check --agent $agent tells all of it; another agent: loop init --force, or agent = NAME in loop.conf"
		return
	fi
	if runs_from_cron "$agent" "$bin:/usr/bin:/bin"; then
		finding ok "agent $agent can run here, and from cron"
		doctor_cron ''
	elif runs_from_cron "$agent" "$PATH"; then
		finding ok "agent $agent can run here, and from cron with this PATH"
		doctor_cron "$(quoted env "PATH=$PATH")"
	else
		finding warn "agent $agent can run here, but not from cron's bare environment" 'log it in by a token in a file'
	fi
}

runs_from_cron() { # AGENT PATH
	env -i HOME="${HOME-}" LOGNAME="${LOGNAME-}" PATH="$2" LOOP_DIR="$LOOP_DIR" "$bin/loop-spawn" --check --agent "$1" >/dev/null 2>&1
}

# The line for the crontab, whole. There a percent sign would be a line break.
doctor_cron() { # WORDS BEFORE loop
	local line
	line="cd $(quoted "$PWD")&& $1$(quoted "$bin/loop")run --quiet prd.json"
	finding ok "for every weekday night, in crontab -e: 0 22 * * 1-5 ${line//%/\\%}"
}

doctor_repository() {
	local common lock stale=()
	if ! common=$(safe_git rev-parse --path-format=absolute --git-common-dir 2>/dev/null); then
		finding fail "$PWD is in no git repository" 'git init, or go to the project'
		return
	fi
	safe_git rev-parse -q --verify 'HEAD^{commit}' >/dev/null || finding fail 'the repository has no commit' 'git commit'
	[[ -w $common ]] || finding fail "$common is not writable" 'stories are kept on branches there'
	safe_git show-ref -q --verify refs/heads/loop &&
		finding fail "the branch 'loop' is in the way of the branches loop/…" 'git branch -m loop other'
	safe_git diff --quiet HEAD 2>/dev/null || finding warn 'there are changes that are not committed' \
		'stories start from commits and do not see them; git commit, if they should'
	while IFS= read -r lock; do stale+=("$lock"); done < <(stale_git_locks "$common")
	((${#stale[@]} == 0)) || finding warn "left by a git that was killed: ${stale[*]}" 'loop gc removes them'
	[[ ${#stale[@]} -gt 0 ]] || finding ok "$(safe_git rev-parse --show-toplevel): a git repository with $(safe_git rev-list --count HEAD 2>/dev/null || echo 0) commits"
}

# Locks of git that nobody can hold: older than a minute, while no git runs in this repository.
stale_git_locks() { # GIT-DIR
	local pid
	for pid in $(pgrep -x git); do
		[[ $(readlink "/proc/$pid/cwd") == "${1%/.git}"* ]] && return
	done
	find "$1" -maxdepth 1 \( -name packed-refs.lock -o -name index.lock -o -name config.lock \) -mmin +1 2>/dev/null
	find "$1/refs" -name '*.lock' -mmin +1 2>/dev/null
}

doctor_state() {
	local run owner count
	[[ -d $LOOP_DIR ]] || { finding ok "$LOOP_DIR: not made yet" && return; }
	[[ -O $LOOP_DIR ]] || finding fail "$LOOP_DIR belongs to somebody else" 'run as its owner, or set LOOP_DIR'
	[[ -w $LOOP_DIR ]] || finding fail "$LOOP_DIR is not writable" "chmod u+w $LOOP_DIR"
	[[ $(stat -c %a -- "$LOOP_DIR") == 700 ]] || finding warn "$LOOP_DIR can be read by others" "chmod 700 $LOOP_DIR"
	case $(stat -f -c %T -- "$LOOP_DIR") in
	nfs* | smb* | cifs | fuseblk) finding fail "$LOOP_DIR is on a network file system: locks are not safe there" 'set LOOP_DIR to a local folder' ;;
	esac
	while IFS= read -r run; do
		finding warn "${run##*/} was killed as it was made, and never began" 'loop gc removes it'
	done < <(unborn_runs)
	for run in "$LOOP_DIR"/runs/*/; do
		run=${run%/}
		is_whole "$run" || continue
		run=${run##*/}
		tail -n 1 "$LOOP_DIR/runs/$run/run.jsonl" | grep -q '"run":"ended"' && continue
		run_lives "$run" && finding ok "$run is at work" && continue
		read -ra owner < <(run_owner "$run")
		if [[ ${owner[2]-} != "$(</proc/sys/kernel/random/boot_id)" ]]; then
			finding warn "$run was cut off by a reboot" "loop resume $run"
		else
			finding warn "$run was cut off" "loop resume $run"
		fi
	done
	count=$(temporary_files | wc -l)
	((count == 0)) || finding warn "$count temporary files of killed writers" 'loop gc removes them'
	count=$(find "$LOOP_DIR/spool" -type f 2>/dev/null | wc -l)
	((count == 0)) || finding warn "$count events could not be appended yet" 'the next event takes them in: loop emit log.message message=hello level=info'
	count=$(loop-session gc --dry-run 2>/dev/null | grep -c '^would remove [a-z]* ')
	((count == 0)) || finding warn "$count worktrees or locks that nobody needs" 'loop gc -n shows them, loop gc removes them'
	count=$(loop-gate list --pending 2>/dev/null | wc -l)
	((count == 0)) || finding warn "$count questions wait for you" 'loop gate list --pending'
}

doctor_machine() {
	local free year
	if free=$(short_of); then
		finding fail "$free" 'free some, or set min-disk and min-memory'
	else
		finding ok "$(df --output=avail -h -- "$PWD" | tail -n 1 | tr -d ' ') free on the disk, $(awk '/^MemAvailable:/ { printf "%.1fG", $2 / 1048576 }' /proc/meminfo) of memory"
	fi
	year=$(date +%Y)
	((year >= 2024)) || finding fail "the clock says $year" 'set it: certificates and times in the journal depend on it'
	[[ ! -e /run/systemd/timesync || -e /run/systemd/timesync/synchronized ]] || finding warn 'the clock is not synchronised' 'timedatectl'
	(($(ulimit -n) >= 1024)) || finding warn "only $(ulimit -n) open files are allowed" 'ulimit -n 4096'
	[[ $(ulimit -u) == unlimited ]] || (($(ulimit -u) >= 512)) || finding warn "only $(ulimit -u) processes are allowed" 'ulimit -u 4096'
	if [[ -w /sys/fs/cgroup/$(cut -d: -f3 /proc/self/cgroup | tail -n 1)/cgroup.procs ]]; then
		finding ok 'agents are contained by their own cgroup and by subreapers'
	else
		finding ok 'no cgroup can be made here: agents are contained by subreapers'
	fi
}

doctor_limits() {
	local file agent until
	for file in "$LOOP_DIR"/limits/*.json; do
		[[ -e $file ]] || continue
		agent=$(basename "$file" .json) until=$(jq -r '.until // ""' "$file" 2>/dev/null)
		[[ $until > $(date -u +%Y-%m-%dT%H:%M:%S) ]] &&
			finding warn "$agent: the account is limited until $until" 'sessions wait for it; rm the file if you know better: '"$file"
	done
	[[ -d ${HOME-} && -w ${HOME-} ]] || finding warn "the home folder ${HOME-} is not writable" 'agents that keep files there will fail; set HOME'
}

see_doctor() {
	local failed=''
	# shellcheck source=share/harness/fleet.bash
	. "$(share harness/fleet.bash)"
	doctor_programs
	doctor_agent
	doctor_repository
	doctor_state
	doctor_machine
	doctor_limits
	[[ ! $failed ]]
}
