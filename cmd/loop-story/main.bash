#!/usr/bin/env bash
# loop-story: brings one story to merged work. loop-sched runs it for each task of a run; it gives
# an agent a worktree, has the result verified, and merges it onto the plan's branch. The plan's branch
# only ever moves by a verified commit that names its task, so whatever kills us, a second try sees
# whether the first one got there.
set -uo pipefail
PROGRAM=loop-story
LOOP_VERSION=@VERSION@ # make writes it, out of common/version.h
bin=$(dirname -- "$(realpath -- "$0")")
for data in ${LOOP_SHARE:+"$LOOP_SHARE"} "$bin/../share/loop" "$bin/../../../share"; do
	# shellcheck source=share/harness.bash
	if [[ -e $data/harness.bash ]]; then . "$data/harness.bash" && break; fi
done
declare -F parse >/dev/null || { echo "loop-story: harness.bash: not found; is the installation whole?" >&2; exit 66; }
# shellcheck source=share/harness/fleet.bash
. "$(share harness/fleet.bash)"
# shellcheck source=share/harness/merge.bash
. "$(share harness/merge.bash)"
# shellcheck source=share/harness/item.bash
. "$(share harness/item.bash)"

readonly OPTIONS="
branch|b|NAME|the branch that the story is merged onto
item|||do an item of a queue, as loop-queue work hands it over
delay||D|with --item, the time since the last one; none by default
$STORY_OPTIONS$ROOM_OPTIONS"
readonly BRIEF='bring one story of a run to merged work'

help() {
	printf 'Usage: loop-story [OPTION]... --branch=NAME\n\n%s\n' "${BRIEF^}; loop-sched runs it for each task."
	help_options "$OPTIONS"
}

# ---- the story ----------------------------------------------------------------------------------

# Sets title, description, criteria, notes (texts) and verify (an array) from the task's file. Each is
# quoted by jq for the shell, so that what is evaluated here are five assignments, whatever is in them.
read_task() {
	local assignments more
	assignments=$(jq -r '
		"title=\(.title // .id | tostring | @sh)",
		"description=\(.description // "" | tostring | @sh)",
		"notes=\([.notes // empty | tostring] | join("\n") | @sh)",
		"criteria=\([.criteria // [] | .[] | "- " + tostring] | join("\n") | @sh)",
		"verify=(\([.verify // [] | .[] | if type == "object" then .command else . end] | @sh))"
		' "$LOOP_TASK_FILE")
	[[ $assignments ]] || die 66 "$LOOP_TASK_FILE: cannot be read as a task"
	eval "$assignments"
	repeated verify more
	verify+=("${more[@]}")
}

# Where this attempt starts: at the work of the last one if that left some, else at the plan's branch.
starting_point() {
	local last=$task_folder/$((LOOP_ATTEMPT - 1))/continue commit
	if [[ -r $last ]] && commit=$(<"$last") && safe_git cat-file -e "$commit^{commit}" 2>/dev/null; then
		printf '%s' "$commit"
	else
		safe_git rev-parse -q --verify "refs/heads/$branch^{commit}"
	fi
}

last_failure() {
	local file=$task_folder/$((LOOP_ATTEMPT - 1))/failure.txt
	if [[ -r $file ]]; then
		printf 'The last attempt at this story failed:\n\n%s' "$(tail -c 8000 "$file")"
	fi
}

# What the plan says about itself, and what the stories before this one left to be known.
plan_context() {
	jq -r '"This story is part of the plan \(.name // "")" + (.description // "" | tostring
		| if . == "" then "." else ": " + .[:4000] end)' "$LOOP_DIR/runs/$LOOP_RUN/plan.json" 2>/dev/null
}

progress_so_far() {
	if [[ -s ${OPT[progress]-} ]]; then
		printf 'What the stories before this one left to be known:\n\n%s' "$(tail -c 6000 -- "${OPT[progress]}")"
	fi
}

# ---- one session --------------------------------------------------------------------------------

# Runs the agent with a template; sets status, and from its result worktree, session, reason, evidence, final
# (the agent's last words), message (the supervisor's), until (when its account's limit ends) and begun (whether
# it was started at all).
run_session() { # TEMPLATE RECORD
	local words=(--agent "${OPT[agent]-claude}" --json --worktree --branch "$own_branch" --base "$base") name command
	words+=(--prompt "$1" --var "STORY=$LOOP_TASK" --var "TITLE=$title" --var "DESCRIPTION=$description")
	words+=(--var "CRITERIA=$criteria" --var "NOTES=$notes" --var "FAILURE=$(last_failure)")
	words+=(--var "PLAN=$(plan_context)" --var "PROGRESS=$(progress_so_far)" --var "BRANCH=$branch" --var "FILES=$text")
	words+=(--var "CHECKS=$(printf -- '- `%s`\n' "${verify[@]}")" --quota-wait "${OPT[quota-wait]-6h}")
	for name in model timeout budget verify-timeout total-budget; do
		[[ ${OPT[$name]-} ]] && words+=("--$name" "${OPT[$name]}")
	done
	for command in "${verify[@]}"; do words+=(--verify "$command"); done
	# It waits for a limit itself, and knows how long: nobody else is to wait for it once more.
	env -u LOOP_RETRY_AFTER loop-spawn "${words[@]}" >"$2"
	status=$?
	eval "$(jq -r '
		"worktree=\(.worktree // "" | @sh)", "session=\(.session // .id // "" | @sh)",
		"reason=\(.reason // "spawn_failed" | @sh)", "final=\(.final // "" | @sh)", "message=\(.message // "" | @sh)",
		"until=\(.resets_at // "" | @sh)", "begun=\(if (.attempts // []) == [] then "" else 1 end)",
		"evidence=\([.verify // [] | .[] | select(.status != 0) | "$ \(.command)\n\(.tail // "")(exit status \(.status))"] | join("\n") | @sh)"
		' "$2" 2>/dev/null || echo "worktree='' session='' reason=spawn_failed final='' message='' until='' begun='' evidence=''")"
}

# Commits whatever the agent left uncommitted; sets work, the commit that holds all of it. A disk that is
# full is waited for: what the session did must not be done again.
commit_work() {
	until commit_all; do
		loop-sched room "$LOOP_DIR" . >/dev/null && return 1
		sleep 2
	done
}

commit_all() {
	safe_git -c advice.addEmbeddedRepo=false -C "$worktree" add -A && holds_no_repository &&
		if ! safe_git -C "$worktree" diff --cached --quiet || safe_git -C "$worktree" rev-parse -q --verify MERGE_HEAD >/dev/null; then
			safe_git "${AUTHOR[@]}" -C "$worktree" commit -q -m "$LOOP_TASK: attempt $LOOP_ATTEMPT"
		fi &&
		work=$(safe_git -C "$worktree" rev-parse HEAD)
} 2>"$attempt_folder/git.log"

# Of a repository inside the worktree a commit keeps the number only: what is in it would be lost with the worktree.
holds_no_repository() {
	local entry place
	while IFS= read -r -d '' entry; do
		place=${entry#*$'\t'}
		if [[ $entry != 160000* || ! -e $worktree/$place/.git ]] || is_kept_elsewhere "$place"; then continue; fi
		printf '%s is a git repository of its own, and only it holds what is in it\n' "$place" >&2
		return 1
	done < <(safe_git -C "$worktree" ls-files -z --stage)
}

# A submodule that holds no changes, and whose commit its remote has.
is_kept_elsewhere() { # PATH
	safe_git config -z -f "$worktree/.gitmodules" --get-regexp '^submodule\..*\.path$' |
		sed -z 's/^[^\n]*\n//' | grep -zxF -- "$1" >/dev/null &&
		[[ ! $(safe_git -C "$worktree/$1" status --porcelain) &&
			$(safe_git -C "$worktree/$1" for-each-ref --contains HEAD --count=1 refs/remotes) ]]
}

# The story's own session: what comes of it is work that passed alone, or the end of this attempt.
do_story() {
	run_session "${OPT[prompt]-$(share prompts/story.md)}" "$attempt_folder/session.json"
	if [[ $reason == budget && ! $begun ]]; then
		remove_worktree
		safe_git update-ref -d "refs/heads/$own_branch" "$base"
		stop_story budget 112 "The budget of all sessions is used up: ${OPT[total-budget]-}"
	fi
	[[ $reason != quota || ! $until ]] ||
		evidence="The account of ${OPT[agent]-claude} is limited until $until; --quota-wait is ${OPT[quota-wait]-6h}."
	((status == 0)) || fail_with "$reason" "${evidence:-The session ended with: $reason${message:+: $message}}"
	if [[ ! $worktree || ! -d $worktree ]]; then
		((status)) || fail_with failed 'The worktree was removed while the session was at work in it.'
		give_up "$((status ? status : 1))"
	fi
	if ! commit_work; then
		fail_with uncommitted "What the session did cannot be committed; it is in $worktree:
$(tail -c 2000 "$attempt_folder/git.log")"
		give_up 73
	fi
	((status == 0)) || give_up "$((status == 112 ? 1 : status))" # 112 is for the budget of all, which is final
	if ((${#verify[@]} == 0)) && [[ $work == "$base" ]]; then
		fail_with failed 'The session said it was done, but nothing was changed and there was nothing to verify.'
		give_up 1
	fi
}

# ---- merging ------------------------------------------------------------------------------------

# What passed alone and is red, or in conflict, with what was merged meanwhile.
merge_story() {
	local result text
	merge || stay_unmerged
	[[ $result == conflict ]] && settle_conflict
	case $result in
	merged) return ;;
	red)
		fail_with verify_failed "On top of what other stories merged meanwhile:
$text"
		start_next_from "$commit"
		commit=''
		give_up 118
		;;
	conflict)
		fail_with conflict "Merging onto $branch conflicts in:
$text"
		give_up 75
		;;
	*) stay_unmerged ;;
	esac
}

# Neither red nor in conflict: the branch went away, or it, the disk or a lock could not be written.
stay_unmerged() {
	safe_git show-ref -q --verify "refs/heads/$branch" || text=$(branch_is_gone)
	fail_with unmerged "What passed could not be merged onto $branch; it is on $own_branch.${text:+
$text}"
	give_up 75
}

branch_is_gone() {
	printf 'The branch %s was removed while the run was at work; git branch %s COMMIT makes it again.' "$branch" "$branch"
}

# The next attempt sees what others merged, and its own work on top of it.
start_next_from() { # SQUASHED
	safe_git "${AUTHOR[@]}" commit-tree "$1^{tree}" -p "$1^" -p "$work" -m "$LOOP_TASK: with what was merged meanwhile" \
		>"$attempt_folder/continue"
}

# What to do about a conflict is the user's choice; by default the next attempt starts afresh.
settle_conflict() {
	local choice=${OPT[on-conflict]-again}
	if [[ $choice == ask ]]; then
		choice=$(loop-gate ask --wait --print --id "$LOOP_RUN.$LOOP_TASK.conflict.$LOOP_ATTEMPT" \
			--choices again,resolve,leave --subject "${LOOP_SUBJECT-$LOOP_TASK}" \
			"$LOOP_TASK conflicts with $branch in $(paste -sd ' ' <<<"$text"); its work is on $own_branch. What now?") || choice=leave
	fi
	case $choice in
	resolve) resolve_conflict ;;
	leave)
		fail_with conflict "Merging onto $branch conflicts in:
$text"
		give_up 119
		;;
	esac
}

# The agent's one attempt: the branch's tip is merged into its worktree, with the marks of the conflict.
resolve_conflict() {
	local tip
	tip=$(safe_git rev-parse "refs/heads/$branch") || return
	safe_git -C "$worktree" checkout -q "$own_branch" || return
	safe_git "${AUTHOR[@]}" -C "$worktree" merge -q --no-ff --no-commit "$tip" >/dev/null 2>&1
	base=$tip
	run_session "$(share prompts/conflict.md)" "$attempt_folder/resolve.json"
	[[ $status -eq 0 && -d $worktree ]] || return
	commit_work || { work='' && return; }
	if ! safe_git merge-base --is-ancestor "$tip" "$work" || safe_git diff --check "$tip" "$work" | grep -q 'conflict marker'; then
		return
	fi
	merge
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

# The worktree goes: what was in it is committed. With it goes its lock, which nobody holds any more. One
# that could not be committed stays, for loop gc to save.
remove_worktree() {
	[[ ($work || ! $begun) && $worktree && -d $worktree ]] || return 0
	safe_git worktree remove --force "$worktree" 2>/dev/null && rm -f -- "${worktree%/*}/.${worktree##*/}.lock"
}

# The branches of the attempts that led to what was merged go too. One whose work was given up for
# another try is not lost: it stays as a ref that is no branch. One that a worktree stands on, as an
# attempt that was killed leaves it, is for loop gc, which saves what is in the worktree first.
remove_branches() {
	local n name used
	used=$(safe_git worktree list --porcelain)
	for ((n = 1; n <= LOOP_ATTEMPT; n++)); do
		name=refs/heads/$(attempt_branch "$n")
		if ! safe_git show-ref -q --verify "$name" || grep -qxF "branch $name" <<<"$used"; then continue; fi
		safe_git merge-base --is-ancestor "$name" "$work" 2>/dev/null ||
			safe_git update-ref "refs/loop/superseded/${name#refs/heads/loop/}" "$name" || continue
		safe_git update-ref -d "$name"
	done
}

say_failed() {
	loop-emit story.completed "story=$LOOP_TASK" success:=false "reason=$reason"
}

give_up() { # STATUS
	local status=$1
	if [[ $work && $reason != conflict && ! -e $attempt_folder/continue ]]; then
		printf '%s\n' "$work" >"$attempt_folder/continue"
	fi
	if is_stuck; then reason="stuck: $reason" status=119; fi
	say_failed
	remove_worktree
	exit "$status"
}

# Before there is any work: for a reason that is not the story's.
stop_story() { # REASON STATUS TEXT
	fail_with "$1" "$3"
	say_failed
	exit "$2"
}

# What users of such loops read in the morning, in one write, so that two stories do not mix; and once.
tell_progress() {
	[[ ${OPT[progress]-} ]] || return 0
	if [[ $commit ]] && grep -qsF "merged as ${commit:0:10} onto" "${OPT[progress]}"; then return; fi
	printf '\n## %s - %s: %s\n\n%s\n\n- session %s, merged%s onto %s\n---\n' \
		"$(date -u +%Y-%m-%dT%H:%MZ)" "$LOOP_TASK" "$(head -n 1 <<<"$title" | head -c 500)" "$(head -c 2000 <<<"$final")" \
		"$session" "${commit:+" as ${commit:0:10}"}" "$branch" >>"${OPT[progress]}" || warn "${OPT[progress]}: cannot be written"
}

# An earlier attempt got onto the branch and was killed before it could say so.
find_merged() {
	commit=$(merged_commit "$LOOP_RUN/$LOOP_TASK") || return
	session=$(safe_git log -1 --format='%(trailers:key=Loop-Session,valueonly,separator=)' "$commit")
	final=$(jq -r '.final // ""' "$LOOP_DIR/sessions/${session:-none}/result.json" 2>/dev/null)
	return 0
}

succeed() {
	if [[ $commit ]]; then
		loop-emit commit.created "commit=$commit" "branch=$branch" "title=$title"
	fi
	loop-emit story.completed "story=$LOOP_TASK" success:=true ${commit:+"commit=$commit"}
	tell_progress
	remove_worktree
	[[ ! $work ]] || remove_branches
	exit 0
}

check_environment() {
	[[ ${LOOP_TASK_FILE-} && ${LOOP_RUN-} && ${LOOP_TASK-} && ${LOOP_ATTEMPT-} && ${LOOP_DIR-} ]] ||
		usage 'LOOP_RUN, LOOP_TASK, LOOP_ATTEMPT, LOOP_TASK_FILE: loop-sched sets these; run it from there'
	[[ ${OPT[branch]-} ]] || usage '--branch is needed'
	[[ ${OPT[on-conflict]-again} =~ ^(again|resolve|ask)$ ]] || usage "--on-conflict: again, resolve or ask, not '${OPT[on-conflict]}'"
	milliseconds "${OPT[quota-wait]-6h}" >/dev/null || usage "--quota-wait: '${OPT[quota-wait]}' is no duration"
	milliseconds "${OPT[verify-timeout]-10m}" >/dev/null || usage "--verify-timeout: '${OPT[verify-timeout]}' is no duration"
	# A human who lets a run go on gives it more by this.
	[[ ! ${LOOP_TOTAL_BUDGET-} ]] || OPT[total-budget]=$LOOP_TOTAL_BUDGET
}

main() {
	local run_log branch own_branch base title description notes criteria task_folder attempt_folder
	local status worktree='' session='' reason='' evidence='' final='' until='' begun='' text='' message='' work='' commit=''
	local -a verify
	case ${1-} in
	--version) echo "loop-story $LOOP_VERSION" && exit ;;
	--describe)
		{ printf 'loop-story|[OPTION]... --branch=NAME|%s\n' "$BRIEF" && sed -n 's/^./\t&/p' <<<"$OPTIONS"; } | describe
		exit
		;;
	esac
	parse "$OPTIONS$FORMER_OPTIONS" help "$@"
	run_log=${LOOP_DIR-}/runs/${LOOP_RUN-}/run.jsonl
	if [[ ${OPT[item]-} ]]; then become_item; fi
	check_environment
	branch=${OPT[branch]}
	task_folder=$(dirname -- "$LOOP_TASK_FILE")
	attempt_folder=$task_folder/$LOOP_ATTEMPT
	own_branch=$(attempt_branch "$LOOP_ATTEMPT")
	mkdir -p "$attempt_folder" || exit 73
	read_task
	if find_merged; then succeed; fi
	await_start
	loop-emit story.started "story=$LOOP_TASK" "title=$title"
	base=$(starting_point) || stop_story unmerged 119 "$(branch_is_gone)"
	do_story
	merge_story
	succeed
}

main "$@"
