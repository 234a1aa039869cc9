# report: what came of a run. What its sessions did is loop-session's to gather; the run's own log and
# its stories' events are added, and one jq program writes the page. To be sourced by loop.
# shellcheck shell=bash disable=SC2016

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

report_text() { # RUN [FORMAT]
	local folder=$LOOP_DIR/runs/$1 lives=no
	if run_lives "$1"; then lives=yes; fi
	loop-session report --json --run "$1" | jq -rs -f "$(share report.jq)" --arg run "$1" --arg format "${2:-text}" \
		--arg lives "$lives" --slurpfile plan "$folder/plan.json" --rawfile log "$folder/run.jsonl" \
		--slurpfile events <(run_events "$1")
}
