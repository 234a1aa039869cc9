# gc: removes what runs left and nobody needs, and only what is proven to be that. Worktrees and sessions
# are loop-session's to judge; here it is what git and killed writers left, and old runs. To be sourced by loop.
# shellcheck shell=bash

# What a writer that was killed between writing and renaming left: .NAME.XXXXXXXX, older than an hour.
temporary_files() {
	find "$LOOP_DIR" -path "$LOOP_DIR/worktrees" -prune -o -type f -name '.*.????????' -mmin +60 -print 2>/dev/null
}

# Runs whose making was killed: they never got their name, or, of older versions, their plan; older than an hour.
unborn_runs() {
	local folder
	while IFS= read -r folder; do
		if [[ ${folder##*/} == .* ]] || ! is_whole "$folder"; then printf '%s\n' "$folder"; fi
	done < <(find "$LOOP_DIR/runs" -mindepth 1 -maxdepth 1 -type d -mmin +60 -print 2>/dev/null)
}

# Says what goes, and removes it unless it is a dry run.
discard() { # WHAT PATH
	if [[ ${OPT[dry-run]-} ]]; then
		printf 'would remove %s: %s\n' "$1" "$2"
	else
		rm -rf -- "$2" && printf 'removed %s: %s\n' "$1" "$2"
	fi
}

discard_files() {
	local file common
	while IFS= read -r file; do discard 'temporary file' "$file"; done < <(temporary_files)
	while IFS= read -r file; do discard 'half-made run' "$file"; done < <(unborn_runs)
	common=$(safe_git rev-parse --path-format=absolute --git-common-dir 2>/dev/null) || return 0
	while IFS= read -r file; do discard 'lock of a killed git' "$file"; done < <(stale_git_locks "$common")
}

# Worktrees that were being made when the disk was full or the power went: they stand on a branch that is
# not there, or git cannot even read what it wrote of them. What is in one is saved all the same.
discard_half_made() {
	local place id
	while IFS= read -r place; do
		id=${place##*/}
		if [[ $place != "$LOOP_DIR"/worktrees/* ]] || session_lives "$id"; then continue; fi
		if safe_git -C "$place" rev-parse -q --verify 'HEAD^{commit}' >/dev/null 2>&1; then continue; fi
		if [[ -d $place && ! $(find "$place" -maxdepth 0 -mmin +0.2) ]]; then continue; fi # it may be in the making
		if [[ ! ${OPT[dry-run]-} ]]; then
			[[ ! -d $place ]] || save_half_made "$place" || continue
			forget_worktree "$place"
		fi
		discard 'half-made worktree' "$place"
		[[ ${OPT[dry-run]-} ]] || rm -f -- "${place%/*}/.$id.lock"
	done < <(safe_git worktree list --porcelain 2>/dev/null | sed -n 's/^worktree //p')
}

# With an index of our own: its own may be torn.
save_half_made() { # WORKTREE
	local tree commit index common
	common=$(safe_git rev-parse --path-format=absolute --git-common-dir) || return
	index=$(mktemp -u "$LOOP_DIR/.index.XXXXXXXX")
	GIT_INDEX_FILE=$index safe_git -C "$1" --git-dir="$common" --work-tree="$1" add -A &&
		tree=$(GIT_INDEX_FILE=$index safe_git -C "$1" --git-dir="$common" --work-tree="$1" write-tree)
	rm -f -- "$index"
	[[ $tree ]] || return
	[[ $(safe_git ls-tree "$tree") ]] || return 0
	commit=$(safe_git "${AUTHOR[@]}" commit-tree "$tree" -m "What was in the half-made worktree ${1##*/}") || return
	safe_git update-ref "refs/loop/saved/${1##*/}" "$commit"
}

# One that git cannot read, git cannot remove.
forget_worktree() { # WORKTREE
	local record
	safe_git worktree remove --force --force "$1" 2>/dev/null && return
	record=$(safe_git rev-parse --path-format=absolute --git-common-dir)/worktrees/${1##*/}
	if [[ -e $record/gitdir && $(<"$record/gitdir") == "$1/.git" ]]; then rm -rf -- "$record"; fi
}

session_lives() { # ID
	local owner
	read -ra owner < <(jq -r '.owner | "\(.pid) \(.start) \(.boot)"' "$LOOP_DIR/sessions/$1/session.json" 2>/dev/null) &&
		process_lives "${owner[@]}"
}

# Tickets of the dead in the queues of merging.
discard_tickets() {
	local file owner
	for file in "$LOOP_DIR"/merges/*/*; do
		[[ -f $file ]] || continue
		read -ra owner <"$file"
		process_lives "${owner[@]:0:3}" || discard 'ticket of a killed merge' "$file"
	done
}

# Branches of attempts that no run needs any more: what is on another branch goes; work that was given up
# for another attempt, which was merged, stays as a ref that is no branch.
discard_branches() {
	local ref name run
	while IFS= read -r ref; do
		name=${ref#refs/heads/loop/}
		run=${name%%/*}
		[[ $ref =~ -[0-9]+$ && ($run == run-* || -d $LOOP_DIR/runs/$run) ]] || continue
		if run_lives "$run" || safe_git worktree list --porcelain | grep -qxF "branch $ref"; then continue; fi
		if [[ $(safe_git for-each-ref --contains "$ref" --format=x refs/heads | wc -l) -gt 1 ]]; then
			discard_branch 'merged branch' "$ref"
		elif safe_git log --branches --fixed-strings --grep="Loop-Task: ${name%-*}" \
			--format='%(trailers:key=Loop-Task,valueonly,separator=)' | grep -qxF "${name%-*}"; then
			[[ ${OPT[dry-run]-} ]] || safe_git update-ref "refs/loop/superseded/$name" "$ref" || continue
			discard_branch 'branch of a superseded attempt' "$ref"
		fi
	done < <(safe_git for-each-ref --format='%(refname)' refs/heads/loop/ 2>/dev/null)
}

discard_branch() { # WHAT REF
	if [[ ${OPT[dry-run]-} ]]; then
		printf 'would remove %s: %s\n' "$1" "${2#refs/heads/}"
	else
		safe_git update-ref -d "$2" && printf 'removed %s: %s\n' "$1" "${2#refs/heads/}"
	fi
}

# Runs that ended longer ago, with all that is kept of them; the journal keeps what happened.
discard_runs() { # MILLISECONDS
	local file run
	for file in "$LOOP_DIR"/runs/*/run.jsonl; do
		[[ -e $file ]] || continue
		run=$(basename "$(dirname "$file")")
		if run_lives "$run" || ! tail -n 1 "$file" | grep -q '"run":"ended"'; then continue; fi
		(($(date +%s%3N) - $(stat -c %Y -- "$file") * 1000 > $1)) || continue
		discard 'old run' "${file%/run.jsonl}"
	done
}

collect_garbage() {
	local age='' words=() status=0
	if [[ ${OPT[older-than]-} ]]; then
		age=$(milliseconds "${OPT[older-than]}") || usage "--older-than: '${OPT[older-than]}' is no duration"
		words+=(--older-than "${OPT[older-than]}")
	fi
	[[ -d $LOOP_DIR ]] || return 0
	if [[ ${OPT[dry-run]-} ]]; then words+=(--dry-run); fi
	if [[ ${OPT[verbose]-} ]]; then words+=(--verbose); fi
	loop-session gc "${words[@]}" || status=$?
	[[ ${OPT[dry-run]-} ]] || safe_git worktree prune 2>/dev/null
	discard_half_made
	discard_files
	discard_tickets
	discard_branches
	if [[ $age ]]; then discard_runs "$age"; fi
	return "$status"
}
