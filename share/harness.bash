# harness: what the bash programs of the house share: messages, option tables, and how to find
# things. To be sourced by them, with PROGRAM set; not meant for users' scripts (loop.sh is).
# shellcheck shell=bash disable=SC2034 # what is set here is used there

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

# ---- a story's options --------------------------------------------------------------------------
# What loop-story takes, and what therefore loop run, loop work and the configuration take too.

readonly STORY_OPTIONS='
agent|a|AGENT|the agent that does the stories; claude by default
model|m|MODEL|the model to ask it for
verify|v|COMMAND+|a story passes only if this succeeds in its worktree too
verify-timeout||D|the longest that one verify command may take; 10m by default
prompt||FILE|the template of the prompt
timeout||D|the longest that one session may take
budget||USD|the most that one session may cost
total-budget||USD|the most that all sessions of the state directory may cost
quota-wait||D|the longest to wait for a limit of the account; 6h by default
max-failures||N|after so many failures in a row a human is asked; 5 by default, 0 for never
stuck||N|give a story up after the same failure so many times; 3 by default, 0 for never
resource||NAME/N+|a story holds one of so many; which is in LOOP_SLOT_NAME
ports||FROM-TO|a story has a port of its own out of these; it is in PORT
on-conflict||WHAT|again, resolve or ask: what to do about a conflict when merging; again by default
progress||FILE|tell there of each story that was merged
'

# Without it nothing new is started: the scheduler asks for it before it starts a story, and an item of a
# queue, which has no scheduler, for itself.
readonly ROOM_OPTIONS='
min-disk||SIZE|start nothing while less than this is free on the disk; 512M by default
min-memory||SIZE|start nothing while less memory than this is available; 256M by default
'

# What earlier versions took, and a run or a configuration of theirs may still say.
readonly FORMER_OPTIONS='
stagger||D|loop-spawn bounds how many start at once
'

# The words that give these options, as they were set, to loop-story.
story_words() { # ARRAY TABLE
	local -n words=$1
	local name letter value text values
	while IFS='|' read -r name letter value text; do
		if [[ $value == *+ ]]; then
			repeated "$name" values
			for text in "${values[@]}"; do words+=("--$name=$text"); done
		elif [[ $name && ${OPT[$name]-} ]]; then
			words+=("--$name=${OPT[$name]}")
		fi
	done <<<"$2"
}

# ---- the configuration --------------------------------------------------------------------------
# loop.conf holds long options, one a line: "jobs = 4". It is read, never run: what stands behind the
# sign is the value as it stands. What the command line says wins; what may be given several times adds up.

# The nearest loop.conf in this folder or above it, but not outside the repository; then the user's own.
config_files() {
	local folder=$PWD top
	top=$(safe_git rev-parse --show-toplevel 2>/dev/null)
	while [[ $folder && ! -f $folder/loop.conf && $folder != "$top" ]]; do folder=${folder%/*}; done
	[[ ! -f $folder/loop.conf ]] || printf '%s\n' "$folder/loop.conf"
	if [[ -f ${XDG_CONFIG_HOME:-${HOME-}/.config}/loop/loop.conf ]]; then
		printf '%s\n' "${XDG_CONFIG_HOME:-${HOME-}/.config}/loop/loop.conf"
	fi
}

# Takes in what the command line left open. Every mistake is told in one pass; then the status is 78.
read_config() { # TABLE FILE
	local table=$1 file=$2 line key text number=0 bad='' name value
	local -A here=()
	while IFS= read -r line || [[ $line ]]; do
		((number++))
		[[ $line =~ ^[[:space:]]*(#|$) ]] && continue
		if [[ ! $line =~ ^[[:space:]]*([a-z][a-z-]*)[[:space:]]*=[[:space:]]*(.*[^[:space:]])[[:space:]]*$ ]]; then
			warn "$file:$number: error: not of the form 'name = value'" && bad=1
			continue
		fi
		key=${BASH_REMATCH[1]} text=${BASH_REMATCH[2]}
		if find_option "$FORMER_OPTIONS" "--$key"; then
			warn "$file:$number: there is no setting '$key' any more"
		elif ! find_option "$table" "--$key"; then
			warn "$file:$number: error: there is no setting '$key'" && bad=1
		elif [[ ! $value && ! $text =~ ^(yes|no)$ ]]; then
			warn "$file:$number: error: $key is yes or no, not '$text'" && bad=1
		elif [[ ! $value ]]; then
			[[ $text == no || ${OPT[$key]-} ]] || here[$key]=1
		elif [[ $value == *+ ]]; then
			REPEATED+=("$key" "$text")
		elif [[ ! -v OPT[$key] ]]; then
			here[$key]=$text
		fi
	done <"$file" || die 66 "$file: cannot be read"
	for key in "${!here[@]}"; do OPT[$key]=${here[$key]}; done
	[[ ! $bad ]] || exit 78
}

# All of it: the project's before the user's own. LOOP_CONF names one file instead, or none if empty.
read_configs() { # TABLE
	local file
	while IFS= read -r file; do
		if [[ $file ]]; then read_config "$1" "$file"; fi
	done < <(if [[ -v LOOP_CONF ]]; then printf '%s\n' "$LOOP_CONF"; else config_files; fi)
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

# git as a supervisor runs it: none of the repository's hooks, no prompts, no pager; nobody is there who could unlock
# a key, and line ends that are not kept byte for byte are no reason to lose work.
safe_git() {
	GIT_TERMINAL_PROMPT=0 git -c core.hooksPath=/dev/null -c core.fsmonitor=false -c commit.gpgSign=false \
		-c core.safecrlf=warn --no-pager "$@"
}

# Who commits: the user as git knows him, else a name of ours. To be put behind safe_git.
declare -a AUTHOR=()
if ! git var GIT_COMMITTER_IDENT >/dev/null 2>&1; then
	AUTHOR=(-c user.name=loop -c user.email=loop@localhost)
fi

# The whole milliseconds of a duration such as 250ms, 90s, 5m or 1h30m.
milliseconds() { # D
	local text=$1 sum=0 n
	while [[ $text =~ ^([0-9]+)(ms|s|m|h|d)(.*)$ ]]; do
		n=$((10#${BASH_REMATCH[1]})) text=${BASH_REMATCH[3]}
		case ${BASH_REMATCH[2]} in
		ms) sum=$((sum + n)) ;;
		s) sum=$((sum + n * 1000)) ;;
		m) sum=$((sum + n * 60000)) ;;
		h) sum=$((sum + n * 3600000)) ;;
		d) sum=$((sum + n * 86400000)) ;;
		esac
	done
	[[ ! $text || ($text == 0 && $sum -eq 0) ]] || return
	printf '%s\n' "$sum"
}

# A process as the kernel knows it, "PID START BOOT": nobody else will ever be called that.
process_name() { # PID
	local stat
	read -r stat 2>/dev/null <"/proc/$1/stat" || return
	# shellcheck disable=SC2086 # a list of words
	set -- "$1" ${stat##*) }
	[[ $2 != [ZX] ]] && printf '%s %s %s\n' "$1" "${21}" "$(</proc/sys/kernel/random/boot_id)"
}

process_lives() { # PID START BOOT
	[[ $1 =~ ^[0-9]+$ && $(process_name "$1") == "$*" ]]
}

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
