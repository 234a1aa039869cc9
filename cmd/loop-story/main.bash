#!/usr/bin/env bash
# loop-story: brings one story to merged work. loop-sched runs it for each task of a run; it gives
# an agent a worktree, has the result verified, and merges it onto the plan's branch, one story at a
# time. The plan's branch only ever moves by a verified commit that names its task, so whatever
# kills us, a second try sees whether the first one got there.
set -uo pipefail
PROGRAM=loop-story
bin=$(dirname -- "$(realpath -- "$0")")
for data in ${LOOP_SHARE:+"$LOOP_SHARE"} "$bin/../share/loop" "$bin/../../../share"; do
	# shellcheck source=share/harness.bash
	if [[ -e $data/harness.bash ]]; then . "$data/harness.bash" && break; fi
done
declare -F parse >/dev/null || { echo "loop-story: harness.bash: not found; is the installation whole?" >&2; exit 66; }

readonly OPTIONS='
agent|a|AGENT|the agent; claude by default
model|m|MODEL|the model to ask it for
verify|v|COMMAND+|has to succeed besides the verify commands of the story itself
branch|b|NAME|the branch that the story is merged onto
prompt||FILE|the template of the prompt
timeout||D|the longest that the session may take
budget||USD|the most that the session may cost
quota-wait||D|the longest to wait for a limit of the account to end; 6h by default
'
readonly BRIEF='bring one story of a run to merged work'

help() {
	printf 'Usage: loop-story [OPTION]... --branch=NAME\n\n%s\n' "${BRIEF^}; loop-sched runs it for each task."
	help_options "$OPTIONS"
}

# ---- the story ----------------------------------------------------------------------------------

# Sets title, description, criteria, notes (texts) and verify (an array) from the task's file.
read_task() {
	local assignments
	assignments=$(jq -r '
		"title=\(.title // .id | tostring | @sh)",
		"description=\(.description // "" | tostring | @sh)",
		"notes=\([.notes // empty | tostring] | join("\n") | @sh)",
		"criteria=\([.criteria // [] | .[] | "- " + tostring] | join("\n") | @sh)",
		"verify=(\([.verify // [] | .[] | if type == "object" then .command else . end] | @sh))"
		' "$LOOP_TASK_FILE") || die 66 "$LOOP_TASK_FILE: cannot be read as a task"
	eval "$assignments"
}

# The commit of the plan's branch that says that this very task is in it; status 1 if there is none.
already_merged() {
	safe_git log --fixed-strings --grep="Loop-Task: $LOOP_RUN/$LOOP_TASK" \
		--format='%H %(trailers:key=Loop-Task,valueonly,separator=%x20)' "refs/heads/$branch" |
		awk -v task="$LOOP_RUN/$LOOP_TASK" '$2 == task { print $1; found = 1; exit } END { exit !found }'
}

# Where this attempt starts: at the work of the last one if that left some, else at the plan's branch.
starting_point() {
	local last=$task_folder/$((LOOP_ATTEMPT - 1))/continue commit
	if [[ -r $last ]] && commit=$(<"$last") && safe_git cat-file -e "$commit^{commit}" 2>/dev/null; then
		printf '%s' "$commit"
	else
		safe_git rev-parse "refs/heads/$branch"
	fi
}

last_failure() {
	local file=$task_folder/$((LOOP_ATTEMPT - 1))/failure.txt
	if [[ -r $file ]]; then
		printf 'The last attempt at this story failed:\n\n%s' "$(tail -c 8000 "$file")"
	fi
}

# ---- one session --------------------------------------------------------------------------------

# Runs the agent; sets status, and from its result worktree, session, reason and evidence.
run_session() {
	local words=(--agent "${OPT[agent]-claude}" --json --worktree --branch "$own_branch" --base "$base") name command
	words+=(--prompt "${OPT[prompt]-$(share prompts/story.md)}")
	words+=(--var "STORY=$LOOP_TASK" --var "TITLE=$title" --var "DESCRIPTION=$description")
	words+=(--var "CRITERIA=$criteria" --var "NOTES=$notes" --var "FAILURE=$(last_failure)")
	words+=(--var "CHECKS=$(printf -- '- `%s`\n' "${verify[@]}")")
	for name in model timeout budget; do
		[[ ${OPT[$name]-} ]] && words+=("--$name" "${OPT[$name]}")
	done
	words+=(--quota-wait "${OPT[quota-wait]-6h}")
	for command in "${verify[@]}"; do words+=(--verify "$command"); done
	loop-spawn "${words[@]}" >"$attempt_folder/session.json"
	status=$?
	eval "$(jq -r '
		"worktree=\(.worktree // "" | @sh)", "session=\(.session // .id // "" | @sh)",
		"reason=\(.reason // "spawn_failed" | @sh)",
		"evidence=\([.verify // [] | .[] | select(.status != 0) | "$ \(.command)\n\(.tail // "")(exit status \(.status))"] | join("\n") | @sh)"
		' "$attempt_folder/session.json" 2>/dev/null ||
		echo "worktree='' session='' reason=spawn_failed evidence=''")"
}

# Commits whatever the agent left uncommitted; sets work, the commit that holds all of it.
commit_work() {
	safe_git -C "$worktree" add -A &&
		if ! safe_git -C "$worktree" diff --cached --quiet; then
			safe_git "${AUTHOR[@]}" -C "$worktree" commit -q -m "$LOOP_TASK: attempt $LOOP_ATTEMPT"
		fi &&
		work=$(safe_git -C "$worktree" rev-parse HEAD)
}

# ---- merging ------------------------------------------------------------------------------------

message() {
	printf 'feat: %s - %s\n\nLoop-Task: %s\nLoop-Session: %s\n' \
		"$LOOP_TASK" "$(head -n 1 <<<"$title")" "$LOOP_RUN/$LOOP_TASK" "$session"
}

# Sets commit, the work as one commit on the branch's tip; fails with the files that are in conflict.
squash() { # TIP
	local tree
	tree=$(safe_git merge-tree --write-tree --name-only --no-messages "$1" "$work") || {
		fail_with conflict "Merging onto $branch conflicts in:
$(tail -n +2 <<<"$tree")"
		return 1
	}
	commit=$(message | safe_git "${AUTHOR[@]}" commit-tree "$tree" -p "$1" -F -)
}

verify_again() { # COMMIT: what passed alone has to pass on top of what others merged meanwhile
	local command
	safe_git -C "$worktree" checkout -q --detach "$1" || return
	for command in "${verify[@]}"; do
		(cd "$worktree" && sh -c "$command") </dev/null >"$attempt_folder/verify.log" 2>&1 && continue
		fail_with verify_failed "On top of what other stories merged meanwhile:
\$ $command
$(tail -c 4000 "$attempt_folder/verify.log")"
		return 1
	done
}

# Moves the plan's branch. Git holds its own lock on a ref for milliseconds, but a git that is killed
# leaves it for ever: one that stays the same for five seconds, while the merge lock is ours, is such.
move_branch() { # NEW OLD
	local ref=refs/heads/$branch lock before
	lock=$(safe_git rev-parse --git-path "$ref.lock")
	before=$(stat -c '%i %Y' -- "$lock" 2>/dev/null)
	safe_git -c core.filesRefLockTimeout=5000 update-ref -m "loop: $LOOP_TASK" "$ref" "$1" "$2" && return
	[[ $before && $before == "$(stat -c '%i %Y' -- "$lock" 2>/dev/null)" ]] || return
	warn "$lock: left by a git that was killed; removed"
	rm -f -- "$lock"
	safe_git update-ref -m "loop: $LOOP_TASK" "$ref" "$1" "$2"
}

# One story at a time; the lock lives on a descriptor of ours, so it dies with us.
merge() {
	local tip lock
	lock=merge@$(branch_name "$branch" | tr '/' '+')
	exec 9<>"$(loop-lock path "$lock")" || return
	loop-lock acquire "$lock" --fd 9 || return
	tip=$(safe_git rev-parse "refs/heads/$branch") || return
	if [[ $(safe_git rev-parse "$work^{tree}") == $(safe_git rev-parse "$tip^{tree}") ]]; then
		return 0 # there was nothing to change, and that was verified
	fi
	squash "$tip" || return
	if [[ $tip != "$base" ]]; then verify_again "$commit" || return; fi
	move_branch "$commit" "$tip"
}

# ---- the end ------------------------------------------------------------------------------------

fail_with() { # REASON TEXT: kept for the next attempt
	reason=$1
	printf '%s\n' "$2" >"$attempt_folder/failure.txt"
}

# The branch of one attempt.
attempt_branch() { # N
	printf 'loop/%s/%s-%s' "$LOOP_RUN" "$(branch_name "$LOOP_TASK")" "$1"
}

# The worktree goes: what was in it is committed.
remove_worktree() {
	[[ $worktree && -d $worktree ]] && safe_git worktree remove --force "$worktree" 2>/dev/null
}

# The branches of the attempts that led to what was merged go too.
remove_branches() {
	local n name
	for ((n = 1; n <= LOOP_ATTEMPT; n++)); do
		name=refs/heads/$(attempt_branch "$n")
		if safe_git merge-base --is-ancestor "$name" "$work" 2>/dev/null; then
			safe_git update-ref -d "$name"
		fi
	done
}

give_up() { # STATUS
	[[ ${work-} && $reason != conflict ]] && printf '%s\n' "$work" >"$attempt_folder/continue"
	loop-emit story.completed "story=$LOOP_TASK" success:=false "reason=$reason"
	remove_worktree
	exit "$1"
}

succeed() {
	if [[ $commit ]]; then
		loop-emit commit.created "commit=$commit" "branch=$branch" "title=$title"
	fi
	loop-emit story.completed "story=$LOOP_TASK" success:=true ${commit:+"commit=$commit"}
	remove_worktree
	[[ $work ]] && remove_branches
	exit 0
}

main() {
	local branch own_branch base title description notes criteria task_folder attempt_folder
	local status worktree='' session='' reason='' evidence='' work='' commit=''
	local -a verify more
	case ${1-} in
	--version) echo "loop-story $LOOP_VERSION" && exit ;;
	--describe)
		{ printf 'loop-story|[OPTION]... --branch=NAME|%s\n' "$BRIEF" && sed -n 's/^./\t&/p' <<<"$OPTIONS"; } | describe
		exit
		;;
	esac
	parse "$OPTIONS" help "$@"
	[[ ${LOOP_TASK_FILE-} && ${LOOP_RUN-} && ${LOOP_TASK-} && ${LOOP_ATTEMPT-} && ${LOOP_DIR-} ]] ||
		usage 'LOOP_RUN, LOOP_TASK, LOOP_ATTEMPT, LOOP_TASK_FILE: loop-sched sets these; run it from there'
	branch=${OPT[branch]-}
	[[ $branch ]] || usage '--branch is needed'
	task_folder=$(dirname -- "$LOOP_TASK_FILE")
	attempt_folder=$task_folder/$LOOP_ATTEMPT
	own_branch=$(attempt_branch "$LOOP_ATTEMPT")
	mkdir -p "$attempt_folder" || exit 73
	repeated verify more
	read_task
	verify+=("${more[@]}")

	if commit=$(already_merged); then succeed; fi
	loop-emit story.started "story=$LOOP_TASK" "title=$title"
	base=$(starting_point) || exit 65
	run_session
	[[ $worktree && -d $worktree ]] || give_up "$((status ? status : 1))"
	commit_work || give_up 73
	if ((status != 0)); then
		fail_with "$reason" "${evidence:-The session ended with: $reason}"
		give_up "$status"
	fi
	if ((${#verify[@]} == 0)) && [[ $work == "$base" ]]; then
		fail_with failed 'The session said it was done, but nothing was changed and there was nothing to verify.'
		give_up 1
	fi
	merge || give_up 1
	succeed
}

main "$@"
