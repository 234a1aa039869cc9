# merge: the way of verified work onto the plan's branch. Who has work queues up and takes the branch's
# lock; who has the lock merges for all that wait by then, verifies once, and if that fails finds the
# culprit by bisection. So the branch only moves to what was verified, and ten that wait cost one test
# run. Killed at any moment, nothing is lost: a ticket dies with its owner, and a commit that got onto
# the branch is found there by its trailer. To be sourced by loop-story.
# shellcheck shell=bash disable=SC2154,SC2015,SC2034 # what the story knows is set there

readonly BATCH=16 # so many at once at most

# The commit of the plan's branch that says that this very task is in it; status 1 if there is none.
merged_commit() { # RUN/TASK
	safe_git log --fixed-strings --grep="Loop-Task: $1" \
		--format='%H %(trailers:key=Loop-Task,valueonly,separator=%x20)' "refs/heads/$branch" |
		awk -v task="$1" '$2 == task { print $1; found = 1; exit } END { exit !found }'
}

message() {
	printf 'feat: %s - %s\n\nLoop-Task: %s\nLoop-Session: %s\n' \
		"$LOOP_TASK" "$(head -n 1 <<<"$title")" "$LOOP_RUN/$LOOP_TASK" "$session"
}

# ---- the queue ----------------------------------------------------------------------------------

# What others need to know to merge this work is in the attempt's folder; the ticket names it, and us.
draw_ticket() {
	local folder=$attempt_folder/merge
	mkdir -p "$folder" "$queue" && rm -f "$folder/result" || return
	printf '%s\n' "$work" >"$folder/work" && printf '%s\n' "$base" >"$folder/base" &&
		printf '%s\n' "$LOOP_RUN/$LOOP_TASK" >"$folder/task" && message >"$folder/message" &&
		{ ((${#verify[@]} == 0)) || printf '%s\0' "${verify[@]}"; } >"$folder/verify" || return
	ticket=$queue/$(date +%s%N).$$
	printf '%s %s\n' "$(process_name $$)" "$folder" >"$queue/.$$" && mv -- "$queue/.$$" "$ticket"
}

# The folders of those that wait, ours first. The tickets of the dead are thrown away.
waiting() {
	local file pid start boot folder
	printf '%s\n' "$attempt_folder/merge"
	for file in "$queue"/*; do
		[[ $file != "$ticket" ]] && read -r pid start boot folder 2>/dev/null <"$file" || continue
		if ! process_lives "$pid" "$start" "$boot"; then
			rm -f -- "$file"
		elif [[ -e $folder/work && ! -e $folder/result ]]; then
			printf '%s\n' "$folder"
		fi
	done
}

# "merged COMMIT", "merged" (there was nothing to change), "conflict" or "red"; the text goes beside it.
tell() { # FOLDER RESULT [TEXT]
	[[ ! ${3-} ]] || printf '%s\n' "$3" >"$1/text" || return
	printf '%s\n' "$2" >"$1/result.new" && mv -- "$1/result.new" "$1/result"
}

# ---- a batch ------------------------------------------------------------------------------------

# Adds the work of one to the batch: commits, folders. What cannot be judged before the batch is
# merged is left for the next one.
add_to_batch() { # FOLDER
	local onto=$tip work tree commit status
	((${#commits[@]} == 0)) || onto=${commits[-1]}
	work=$(<"$1/work")
	if commit=$(merged_commit "$(<"$1/task")"); then
		tell "$1" "merged $commit"
		return
	fi
	tree=$(safe_git merge-tree --write-tree --name-only --no-messages "$onto" "$work")
	status=$?
	# An error is no conflict, but for a history that has nothing in common with the branch's.
	((status <= 1)) || ! safe_git merge-base "$onto" "$work" >/dev/null || return
	if ((status)); then
		((${#commits[@]})) || tell "$1" conflict "$(tail -n +2 <<<"$tree")"
		return
	fi
	if [[ $tree == "$(safe_git rev-parse "$onto^{tree}")" ]]; then
		((${#commits[@]})) || tell "$1" merged
		return
	fi
	commit=$(safe_git "${AUTHOR[@]}" commit-tree "$tree" -p "$onto" -F "$1/message") || return
	commits+=("$commit") folders+=("$1")
}

# Whether the first N of the batch pass together what each of them has to pass; 2 where that cannot be said.
passes() { # N
	local commands command n status
	mapfile -d '' -t commands < <(for ((n = 0; n < $1; n++)); do cat "${folders[n]}/verify"; done | LC_ALL=C sort -zu)
	((${#commands[@]} == 0)) && return
	safe_git -C "$worktree" checkout -q --detach "${commits[$1 - 1]}" || return 2
	for command in "${commands[@]}"; do
		(cd "$worktree" && exec timeout -k 10 "$verify_seconds" sh -c "$command") \
			</dev/null >"$attempt_folder/verify.log" 2>&1 9>&- && continue
		status=$?
		printf '$ %s\n%s\n(exit status %s)\n' "$command" "$(tail -c 4000 "$attempt_folder/verify.log")" \
			"$status" >"$attempt_folder/red.log"
		return 1
	done
}

# How many of the batch are good, when all together are not: the one behind them is the culprit.
bisect() {
	local good=0 bad=${#commits[@]} middle
	while ((bad - good > 1)); do
		middle=$(((good + bad) / 2))
		passes "$middle"
		case $? in
		0) good=$middle ;;
		1) bad=$middle ;;
		*) return 1 ;;
		esac
	done
	printf '%s\n' "$good"
}

merge_batch() {
	local tip folder good n
	local -a commits=() folders=()
	tip=$(safe_git rev-parse "refs/heads/$branch") || return
	while IFS= read -r folder; do
		((${#commits[@]} >= BATCH)) || add_to_batch "$folder" || return
	done < <(waiting)
	good=${#commits[@]}
	((good)) || return 0
	# What was verified on this very tip, and alone, need not be again.
	if ((good > 1)) || [[ $tip != "$(<"${folders[0]}/base")" ]]; then
		passes "$good"
		case $? in
		0) ;;
		1) good=$(bisect) || return ;;
		*) return 1 ;;
		esac
	fi
	if ((good)); then move_branch "${commits[good - 1]}" "$tip" || return; fi
	for ((n = 0; n < good; n++)); do tell "${folders[n]}" "merged ${commits[n]}"; done
	if ((good < ${#commits[@]})); then
		tell "${folders[good]}" "red ${commits[good]}" "$(cat "$attempt_folder/red.log")"
	fi
}

# ---- the branch ---------------------------------------------------------------------------------

# A branch that somebody has checked out must not be moved under his feet: his next commit would take
# back what was merged. So he is asked to step aside.
await_free_branch() {
	local place
	while place=$(safe_git worktree list --porcelain | awk -v b="branch refs/heads/$branch" '
		/^worktree / { w = substr($0, 10) } $0 == b { print w; f = 1 } END { exit !f }'); do
		loop-gate ask --wait --id "$LOOP_RUN.checked-out.$(date +%s)" --subject "${LOOP_SUBJECT-$LOOP_RUN}" \
			"$branch is checked out in $place and cannot be merged onto; check out something else there, then approve" \
			>/dev/null || return
	done
}

# Git holds its own lock on a ref for milliseconds, but a git that is killed leaves it for ever: one
# that stays the same for five seconds, while the merge lock is ours, is such.
move_branch() { # NEW OLD
	local ref=refs/heads/$branch lock before
	await_free_branch || return
	lock=$(safe_git rev-parse --git-path "$ref.lock")
	before=$(stat -c '%i %Y' -- "$lock" 2>/dev/null)
	safe_git -c core.filesRefLockTimeout=5000 update-ref -m "loop: $LOOP_TASK" "$ref" "$1" "$2" && return
	[[ $before && $before == "$(stat -c '%i %Y' -- "$lock" 2>/dev/null)" ]] || return
	warn "$lock: left by a git that was killed; removed"
	rm -f -- "$lock"
	safe_git update-ref -m "loop: $LOOP_TASK" "$ref" "$1" "$2"
}

# Sets result (merged, conflict, red), commit and, of a failure, text. The lock lives on a descriptor
# of ours, so it dies with us. A branch that somebody else moved meanwhile is looked at anew.
merge() {
	local key lock queue ticket tries verify_seconds
	key=$(branch_name "$branch" | tr '/' '+')
	lock=merge@$key queue=$LOOP_DIR/merges/$key result='' commit='' text=''
	verify_seconds=$(($(milliseconds "${OPT[verify-timeout]-10m}") / 1000))
	draw_ticket || return
	exec 9<>"$(loop-lock path "$lock")" && loop-lock acquire "$lock" --fd 9 --store file || return
	for ((tries = 0; tries < 5; tries++)); do
		[[ ! -e $attempt_folder/merge/result ]] || break
		merge_batch
	done
	exec 9>&-
	rm -f -- "$ticket"
	read -r result commit 2>/dev/null <"$attempt_folder/merge/result" || return
	[[ ! -e $attempt_folder/merge/text ]] || text=$(<"$attempt_folder/merge/text")
}
