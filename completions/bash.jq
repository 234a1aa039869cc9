include "words";

def words: map(@sh) | join(" ") | gsub("'"; "");

def value_case:
  value_kind as $kind
  | ([spellings] | join("|")) + ") "
  + (if $kind == "choice" then "_loop_words \(.choices | join(" ") | @sh)"
     elif $kind == "file" then "_loop_files"
     elif $kind == "folder" then "_loop_folders"
     elif $kind == "command" then "_loop_commands"
     else "COMPREPLY=()" end)
  + "; return ;;";

def command_case:
  "\t\"" + (.path | join(" ")) + "\")\n"
  + ([.options[] | select(.arg)] | if length == 0 then "" else
      "\t\tcase $before in\n" + (map("\t\t" + value_case) | join("\n")) + "\n\t\tesac\n" end)
  + "\t\toptions='" + ([.options[] | "--" + .name] + ["--help", "--version"] | join(" ")) + "'\n"
  + "\t\tcommands='" + ([.commands[].name] | join(" ")) + "'\n"
  + "\t\t;;";

"# Completions of the loop tools for bash: made by completions/generate, not by hand.\n"
+ "_loop_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$word\"); }
_loop_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); }
_loop_folders() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$word\"); }
_loop_commands() { mapfile -t COMPREPLY < <(compgen -c -- \"$word\"); }

_loop() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local name=${COMP_WORDS[0]##*/} sub='' i options commands
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--) [[ $name == loop ]] || { _command_offset $((i + 1)) 2>/dev/null || _loop_commands; return; } ;;
		-*) ;;
		*) [[ $sub ]] || sub=${COMP_WORDS[i]} ;;
		esac
	done
	_loop_table \"$name${sub:+ $sub}\" || _loop_table \"$name\" || return
	[[ ${COMPREPLY[*]+set} ]] && return
	case $word in
	-*) _loop_words \"$options\" ;;
	*)
		if [[ $commands && ! $sub ]]; then
			_loop_words \"$commands\"
		else
			_loop_files
		fi
		;;
	esac
}

# Sets options and commands for one command, or completes the value of the option before the cursor.
_loop_table() {
	case $1 in
" + ([commands | command_case] | join("\n")) + "
	*) return 1 ;;
	esac
}

complete -F _loop " + ([.[].name] | join(" "))
