load helper

@test "the committed completions are those of the option tables" {
	mkdir made
	"$SOURCE_TREE/completions/generate" made
	local file
	for file in loop.bash _loop loop.fish; do
		diff "$SOURCE_TREE/completions/$file" "made/$file" || {
			echo "$file: out of date; run make completions"
			false
		}
	done
}

complete_line() { # WORD…: what bash offers for the last one
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_loop 2>/dev/null
	printf '%s\n' "${COMPREPLY[@]}"
}

@test "bash completes commands, options and choices" {
	# shellcheck disable=SC1091
	source "$SOURCE_TREE/completions/loop.bash"
	[ "$(complete_line loop re)" = $'resume\nretry\nreport' ]
	has "$(complete_line loop run --ag)" --agent
	has "$(complete_line loop-emit --pri)" --priority
	[ -z "$(complete_line loop-emit --no-such)" ]
}

@test "the completions of zsh and fish are well formed" {
	if command -v zsh >/dev/null; then zsh -n "$SOURCE_TREE/completions/_loop"; fi
	if command -v fish >/dev/null; then fish --no-execute "$SOURCE_TREE/completions/loop.fish"; fi
	grep -q '^#compdef loop ' "$SOURCE_TREE/completions/_loop"
	grep -q '^complete -c loop ' "$SOURCE_TREE/completions/loop.fish"
}
