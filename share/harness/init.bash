# init: a configuration to begin with. It guesses what it can see (an agent, a plan, how the project is
# tested), says what it guessed, and leaves all else as comments. To be sourced by loop.
# shellcheck shell=bash

readonly AGENTS='claude codex gemini opencode'

# The first agent that can run here, or the one that was asked for, if it can.
find_agent() {
	local agent
	if [[ ${OPT[agent]-} ]]; then
		loop-spawn --check --agent "${OPT[agent]}" >&2 || exit 78
		printf '%s\n' "${OPT[agent]}"
		return
	fi
	for agent in $AGENTS; do
		if loop-spawn --check --agent "$agent" >/dev/null 2>&1; then
			printf '%s\n' "$agent"
			return
		fi
	done
	return 1
}

# How the project is tested, by what lies at its top; status 1 where that says nothing.
guess_verify() { # FOLDER
	local target
	for target in check test; do
		if grep -qsE "^$target:" "$1/Makefile"; then printf 'make %s\n' "$target" && return; fi
	done
	if [[ -e $1/package.json ]] && jq -e '.scripts.test' "$1/package.json" >/dev/null 2>&1; then
		echo 'npm test'
	elif [[ -e $1/Cargo.toml ]]; then
		echo 'cargo test'
	elif [[ -e $1/go.mod ]]; then
		echo 'go test ./...'
	elif [[ -e $1/pyproject.toml || -e $1/pytest.ini || -e $1/tox.ini ]]; then
		echo 'python3 -m pytest -q'
	else
		return 1
	fi
}

guess_plan() { # FOLDER
	local name
	for name in prd.json scripts/ralph/prd.json feature_list.json .taskmaster/tasks/tasks.json PRD.md; do
		if [[ -r $1/$name ]]; then printf '%s\n' "$name" && return; fi
	done
	return 1
}

# A setting: with its value, or as a comment with its default.
setting() { # NAME VALUE WHAT
	printf '\n# %s\n%s = %s\n' "$3" "$1" "$2"
}

write_config() { # AGENT VERIFY
	cat <<-'TEXT'
		# The configuration of the loop tools for this project: the long options of "loop run" and "loop work",
		# one a line. It is read, never run: a value is what stands behind the sign, without quotes. What the
		# command line says wins; "verify" and "resource" may stand several times, and add up. See loop(1).
	TEXT
	printf '\n# The agent that does the stories: claude, codex, gemini, opencode, or one of your own (loop-agent(5)).\n'
	printf '%sagent = %s\n' "$([[ $1 ]] || echo '#')" "${1:-claude}"
	printf '\n# Commands that decide whether a story passes, besides its own. They are run in its worktree.\n'
	printf '%sverify = %s\n' "$([[ $2 ]] || echo '#')" "${2:-make test}"
	setting '#jobs' 2 'How many stories at a time, or auto.'
	setting '#attempts' 3 'How often a story is tried at most.'
	setting '#timeout' 45m 'The longest that one session may take.'
	setting '#budget' 5 'The most that one session may cost, in dollars, or in tokens as in 500Ktok.'
	setting '#total-budget' 50 'The most that all sessions of this project may cost together, ever: raise it to go on.'
	setting '#quota-wait' 6h 'The longest to wait for a limit of the account to end.'
	setting '#max-failures' 5 'After so many failures in a row nothing new is started until you have answered.'
	setting '#stuck' 3 'A story that fails in the same way so many times is given up.'
	setting '#min-disk' 512M 'Nothing is started while less than this is free on the disk.'
	setting '#ports' 4000-4015 'Each story has a port of its own, in PORT.'
	setting '#resource' database/2 'Each story holds one of two; which is in LOOP_SLOT_database.'
	setting '#on-conflict' again 'A merge in conflict: try the story again, have the agent resolve it (resolve), or ask you.'
	setting '#progress' progress.txt 'Tell there of each merged story, with the last words of its agent.'
}

init_project() {
	local top agent verify plan
	top=$(safe_git rev-parse --show-toplevel 2>/dev/null) || die 66 'this folder is in no git repository (git init)'
	[[ ! -e $top/loop.conf || ${OPT[force]-} ]] || die 73 "$top/loop.conf: is there already; --force writes over it"
	agent=$(find_agent) || { [[ ! ${OPT[agent]-} ]] || exit 78; agent=''; }
	verify=$(guess_verify "$top") || verify=''
	plan=$(guess_plan "$top") || plan=''
	write_config "$agent" "$verify" >"$top/loop.conf" || die 73 "$top/loop.conf: cannot be written"
	make_state "$top"
	printf '%s: written\n' "$top/loop.conf"
	say_agent "$agent"
	printf 'verify: %s\n' "${verify:-no test command was found; without one, only the commands of the stories decide}"
	printf 'plan: %s\n' "${plan:-none is here yet; man loop-plan has one to begin with}"
	printf '\nnext:\n'
	[[ $agent ]] || printf '    install an agent and log in to it, then: loop init --force; without one: loop demo\n'
	[[ $plan ]] || printf '    write prd.json\n'
	printf '    loop doctor\n    loop sched check %s\n    loop run %s\n' "${plan:-prd.json}" "${plan:-prd.json}"
}

# The state directory and its ignore file, as the first writer makes them.
make_state() { # TOP
	[[ -d $LOOP_DIR ]] || LOOP_DIR=$1/.loop
	LOOP_DIR=$LOOP_DIR loop-lock path init >/dev/null || die 73 "$LOOP_DIR: cannot be made"
}

say_agent() { # AGENT
	local name
	if [[ $1 ]]; then
		printf 'agent: %s can run here\n' "$1"
		return
	fi
	printf 'agent: none can run here yet:\n'
	for name in $AGENTS; do
		loop-spawn --check --agent "$name" 2>&1 | head -n 1 | sed 's/; .*//; s/^/    /'
	done
}
