load helper

# A page names every option of its program's table, and no option that the table has not.
@test "manual pages and option tables agree" {
	local main program folder page described
	for main in "$SOURCE_TREE"/cmd/*/main.*; do
		folder=$(dirname "$main") program=$(basename "$folder")
		page=$folder/$program.1
		[ -f "$page" ] || { echo "$program: no manual page" && false; }
		described=$("$program" --describe)
		jq -r '.options, .commands[].options | .[].name' <<<"$described" | sort -u >table
		grep -oE 'Fl -[a-z][a-z-]*' "$page" | sed 's/Fl -//' |
			grep -vxE 'describe|help|version' | sort -u >manual
		diff table manual >difference || {
			printf '%s: < only in the table, > only in the page\n%s\n' "$program" "$(<difference)"
			false
		}
		jq -r '.commands[].name' <<<"$described" | while read -r command; do
			grep -qE "(Cm|Ic) $command( |$)" "$page" || { echo "$program: $command is not in the page" && exit 1; }
		done
	done
}

@test "every program answers --help and --version on stdout, quietly" {
	local main program
	for main in "$SOURCE_TREE"/cmd/*/main.*; do
		program=$(basename "$(dirname "$main")")
		status_is 0 "$program" --help
		has "$output" "Usage: $program"
		[ -z "$stderr" ]
		status_is 0 "$program" --version
		[[ $output =~ ^$program\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
		[ -z "$stderr" ]
	done
	[ ! -e "$LOOP_DIR" ]
}

@test "every program refuses an unknown option and says how to get help" {
	local main program
	for main in "$SOURCE_TREE"/cmd/*/main.*; do
		program=$(basename "$(dirname "$main")")
		run --separate-stderr "$program" --no-such-option
		[[ $status == 64 || $status == 125 ]]
		has "$stderr" "unknown option"
		has "$stderr" "--help"
		[ -z "$output" ]
	done
}

@test "help that cannot be written is an error" {
	status_is 74 loop-sched --help >/dev/full || {
		run bash -c 'loop-sched --help >/dev/full'
		[ "$status" -eq 74 ]
	}
}
