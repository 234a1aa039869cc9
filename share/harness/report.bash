# report: what came of a run. What its sessions did is loop-session's to gather; the run's own log and
# its stories' events are added, and one jq program writes the page. To be sourced by loop.
# shellcheck shell=bash disable=SC2016,SC2015

report_run() {
	local run
	run=$(find_run "${OPERANDS[0]-}") || exit
	if [[ ${OPT[markdown]-} && ${OPT[html]-} ]]; then usage 'report: --markdown or --html, not both'; fi
	report_text "$run" "${OPT[markdown]:+markdown}${OPT[html]:+html}"
}

# The run's own events, those of older segments of the journal too.
run_events() { # RUN
	find "$LOOP_DIR" -maxdepth 1 -name 'events*.jsonl' -exec grep -hF "\"$1\"" {} + |
		jq -Rc --arg run "$1" 'fromjson? | objects | select(.runid == $run)
			| select(.type == "commit.created" or .type == "story.completed")'
}

# What the attempts failed on, as {".../tasks/ID/N/failure.txt": its text}.
run_failures() { # RUN
	find "$LOOP_DIR/runs/$1/tasks" -mindepth 3 -maxdepth 3 -name failure.txt \
		-exec jq -Rn 'reduce inputs as $line (null; .[input_filename] += $line + "\n")' {} + 2>/dev/null
}

# Of the commits that were merged, those that are on the run's branch no more: somebody has moved it.
lost_commits() { # EVENTS
	local branch='' place commit commits=()
	while read -r place commit; do
		branch=$place commits+=("$commit")
	done < <(jq -r 'select(.type == "commit.created").data | "\(.branch) \(.commit)"' <<<"$1")
	[[ $branch ]] && safe_git show-ref -q --verify "refs/heads/$branch" || return 0
	safe_git rev-list "${commits[@]}" "^refs/heads/$branch" 2>/dev/null
}

report_text() { # RUN [FORMAT]
	local folder=$LOOP_DIR/runs/$1 lives=no events
	if run_lives "$1"; then lives=yes; fi
	events=$(run_events "$1")
	loop-session report --json --run "$1" | jq -rs -f "$(share report.jq)" --arg run "$1" --arg format "${2:-text}" \
		--arg lives "$lives" --slurpfile plan "$folder/plan.json" --rawfile log "$folder/run.jsonl" \
		--slurpfile events <(printf '%s' "$events") --slurpfile failures <(run_failures "$1") \
		--rawfile lost <(lost_commits "$events") \
		--rawfile kept <(safe_git for-each-ref --format='%(refname:lstrip=2)' "refs/heads/loop/$1/" 2>/dev/null)
}
