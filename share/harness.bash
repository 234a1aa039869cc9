# harness: what the bash programs of the house share: messages, option tables, and how to find
# things. To be sourced by them, with PROGRAM set; not meant for users' scripts (loop.sh is).
# shellcheck shell=bash disable=SC2034 # what is set here is used there

LOOP_VERSION=0.1.0

# ---- messages -----------------------------------------------------------------------------------

warn() {
	printf '%s: %s\n' "$PROGRAM" "$(tr -d '\000-\010\013-\037\177' <<<"$*")" >&2
}

die() { # STATUS MESSAGE…
	local status=$1
	shift
	warn "$*"
	exit "$status"
}

usage() {
	warn "$*"
	die 64 "try '$PROGRAM --help'"
}

# ---- option tables ------------------------------------------------------------------------------
# One line an option: name|letter|value's name (empty: a flag; with + behind it: repeatable)|help.
# The same table parses, makes --help and, by --describe, the completions.

declare -A OPT=()       # a flag's or value's name: what was given
declare -a OPERANDS=()
declare -a REPEATED=()  # name, value, name, value … of the repeatable ones

# Reads a command line. HELP is the function that prints the help.
parse() { # TABLE HELP ARGUMENT…
	local options=$1 help=$2 word name value
	shift 2
	while (($#)); do
		word=$1
		shift
		case $word in
		--help | -h) "$help" && exit ;;
		--) OPERANDS+=("$@") && return ;;
		--*=*)
			find_option "$options" "${word%%=*}" || usage "unknown option '${word%%=*}'"
			[[ $value ]] || usage "--$name takes no value"
			set_option "${word#*=}"
			;;
		-?*)
			find_option "$options" "$word" || usage "unknown option '$word'"
			if [[ ! $value ]]; then
				set_option 1
			else
				(($#)) || usage "--$name needs a value"
				set_option "$1"
				shift
			fi
			;;
		*) OPERANDS+=("$word") ;;
		esac
	done
}

# Sets the caller's name and value (the value's name in the table) for --name or -x.
find_option() { # TABLE WORD
	local letter help
	while IFS='|' read -r name letter value help; do
		[[ $name && ($2 == "--$name" || $2 == "-$letter") ]] && return
	done <<<"$1"
	return 1
}

set_option() {
	if [[ $value == *+ ]]; then
		REPEATED+=("$name" "$1")
	else
		OPT[$name]=$1
	fi
}

# The values of a repeatable option, one an element of the array called by the second name.
repeated() { # NAME ARRAY
	local -n out=$2
	local i
	out=()
	for ((i = 0; i < ${#REPEATED[@]}; i += 2)); do
		if [[ ${REPEATED[i]} == "$1" ]]; then out+=("${REPEATED[i + 1]}"); fi
	done
}

help_line() { # LETTER NAME VALUE HELP
	local head="      --$2${3:+=$3}"
	[[ $1 ]] && head="  -$1, --$2${3:+=$3}"
	if ((${#head} + 2 > 30)); then
		printf '%s\n%30s%s\n' "$head" '' "$4"
	else
		printf '%-30s%s\n' "$head" "$4"
	fi
}

help_options() { # TABLE
	local name letter value help
	printf '\nOptions:\n'
	while IFS='|' read -r name letter value help; do
		[[ $name ]] && help_line "$letter" "$name" "${value%+}" "$help"
	done <<<"$1"
	help_line '' help '' 'show this help'
}

# The JSON of --describe. On stdin: a command a line as name|operands|brief, each followed by its
# options' lines with a tab in front. The first is the program itself.
describe() {
	jq -Rsc '
		def text: if . == "" then null else . end;
		def option: split("|") | {name: .[0], letter: (.[1] | text), arg: (.[2] | sub("[+]$"; "") | text),
			type: (if .[2] == "" then "flag" elif .[2] | endswith("+") then "strings" else "string" end),
			help: .[3]};
		def command: split("|") | {name: .[0], synopsis: .[1], brief: .[2], takes_command: false,
			options: [], commands: []};
		split("\n") | map(select(test("[^\t]")))
		| reduce .[] as $line ([]; if $line | startswith("\t")
			then .[-1].options += [$line[1:] | option] else . + [$line | command] end)
		| .[0] + {commands: .[1:]}'
}

# ---- where things are ---------------------------------------------------------------------------

# As every program finds it: LOOP_DIR, else the nearest .loop, else ./.loop.
state_dir() {
	local folder=$PWD
	if [[ ${LOOP_DIR-} ]]; then
		realpath -m -- "$LOOP_DIR"
		return
	fi
	while [[ $folder && ! -e $folder/.loop ]]; do folder=${folder%/*}; done
	[[ -e $folder/.loop ]] || folder=$PWD
	printf '%s/.loop\n' "${folder%/}"
}

# A file of share/: beside this one.
share() { # NAME
	printf '%s/%s\n' "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")" "$1"
}

# ---- small things -------------------------------------------------------------------------------

# git as a supervisor runs it: none of the repository's hooks, no prompts, no pager.
safe_git() {
	GIT_TERMINAL_PROMPT=0 git -c core.hooksPath=/dev/null -c core.fsmonitor=false --no-pager "$@"
}

# Who commits: the user as git knows him, else a name of ours. To be put behind safe_git.
declare -a AUTHOR=()
if ! git var GIT_COMMITTER_IDENT >/dev/null 2>&1; then
	AUTHOR=(-c user.name=loop -c user.email=loop@localhost)
fi

# Words, quoted for sh -c.
quoted() {
	printf '%q ' "$@"
}

# A branch name that git takes, from any text.
branch_name() {
	local name
	name=$(printf '%s' "$1" | tr -c 'A-Za-z0-9._/-' '-' | sed -E 's/([-.\/])[-.\/]+/\1/g; s/\.lock$//; s/^[-.\/]+//; s/[-.\/]+$//')
	printf '%s' "${name:-plan}"
}
