#!/usr/bin/env bash
# loop: the harness. Runs a plan of stories with coding agents, unattended, and is composed of the
# other programs: loop-sched decides what may run, loop-story brings one story to merged work,
# loop-stream shows it. Whatever it does can be done by hand with the parts. Here are its commands and
# options; what each command does is in share/harness, a file a command.
set -uo pipefail
PROGRAM=loop
LOOP_VERSION=@VERSION@ # make writes it, out of common/version.h
bin=$(dirname -- "$(realpath -- "$0")")
for data in ${LOOP_SHARE:+"$LOOP_SHARE"} "$bin/../share/loop" "$bin/../../../share"; do
	# shellcheck source=share/harness.bash
	if [[ -e $data/harness.bash ]]; then . "$data/harness.bash" && break; fi
done
declare -F parse >/dev/null || { echo "loop: harness.bash: not found; is the installation whole?" >&2; exit 66; }

for part in run control report init doctor gc work demo; do
	# shellcheck source=/dev/null
	. "$(share "harness/$part.bash")"
done

readonly COMMANDS='
init||write a configuration for this project, with an agent that can run here
run|PLAN|do the stories of a plan and merge them onto its branch
work|QUEUE|do the items of a queue, one fresh session each, until stopped
resume|[RUN]|go on with a run that was interrupted
retry|[RUN]|try again what failed in a run, and what hung on it
status||say what is at work, what waits for you, and what is spent
watch|[RUN]|the display of a run that goes on
why|STORY [RUN]|say what a story waits for, or what it failed on
pause|[RUN]|start no more stories
continue|[RUN]|go on after a pause
cancel|[RUN [STORY]]|end a run for good, or one story of it
stop|[RUN]|end what is at work in order; a resume goes on
report|[RUN]|say what came of a run
doctor||look for what keeps a night from going well, with what to do
gc||remove what runs left and nobody needs
demo||a whole run of a small plan with the mock agent
'
readonly FOLLOW_OPTIONS='
config||FILE|read this configuration, and no other
listen|l|ADDRESS|show the run over HTTP meanwhile, e.g. 127.0.0.1:18790
quiet|q||show nothing while it runs, and nothing at all if all is well
'
declare -rA OPTIONS=(
	[init]='
agent|a|AGENT|this agent; by default the first that can run here
force|f||write over a configuration that is there
'
	[run]="
jobs|j|N|how many stories at a time, or auto; 2 by default
attempts||N|how often a story is tried at most; 3 by default
retries||N|how many further attempts there are in the whole run at most
branch|b|NAME|where the stories are merged; by default what the plan says
base||REF|where that branch starts if it is new; HEAD by default
id||RUN|the id of the run; by default made from the time
$STORY_OPTIONS$ROOM_OPTIONS$FOLLOW_OPTIONS"
	[work]="
jobs|j|N|how many items at a time; 1 by default
branch|b|NAME|where the items are merged; loop/QUEUE by default
base||REF|where that branch starts if it is new; HEAD by default
delay||D|the time between one item and the next; 5s by default
until-empty|||end when the queue is empty
$STORY_OPTIONS$ROOM_OPTIONS
config||FILE|read this configuration, and no other
quiet|q||say nothing of items that are done
"
	[resume]="
jobs|j|N|how many stories at a time, from now on
total-budget||USD|the most that all sessions may cost, from now on
$FOLLOW_OPTIONS"
	[retry]="
jobs|j|N|how many stories at a time, from now on
total-budget||USD|the most that all sessions may cost, from now on
$FOLLOW_OPTIONS"
	[status]='
json|||for programs
'
	[watch]=''
	[why]=''
	[pause]=''
	[continue]=''
	[cancel]=''
	[stop]='
quiet|q||say nothing
'
	[report]='
markdown|||as Markdown
html|||as a page of HTML
'
	[doctor]='
agent|a|AGENT|look whether this agent can run here; by default the configured one
quiet|q||say only what is wrong
config||FILE|read this configuration, and no other
'
	[gc]='
dry-run|n||remove nothing; say what would go
older-than||D|remove runs and sessions that ended longer ago, too
verbose|v||say what stays, and why
'
	[demo]='
keep|k||keep the scratch repository and say where it is
'
)

help() {
	local name operands brief
	cat <<-'TEXT'
		Usage: loop COMMAND [OPTION]... [OPERAND]...
		       loop PROGRAM ...        is loop-PROGRAM ..., as in loop emit, loop lock, loop sched

		Run coding agents over a plan of stories, unattended and in parallel.

		Commands:
	TEXT
	while IFS='|' read -r name operands brief; do
		[[ $name ]] && printf '  %-28s%s\n' "$name${operands:+ $operands}" "$brief"
	done <<<"$COMMANDS"
	printf '\nOptions:\n'
	help_line '' help '' 'show this help, or with a command before it that command'\''s'
	help_line '' version '' 'show the version'
	help_line '' describe '' 'show the options as JSON'
}

help_command() { # the one that is being parsed
	local name operands brief
	while IFS='|' read -r name operands brief; do
		[[ $name == "$command" ]] || continue
		printf 'Usage: loop %s [OPTION]...%s\n\n%s\n' "$name" "${operands:+ $operands}" "$brief"
	done <<<"$COMMANDS"
	help_options "${OPTIONS[$command]}"
}

describe_all() {
	local name operands brief
	{
		echo 'loop|COMMAND [OPTION]... [OPERAND]...|run coding agents over a plan of stories'
		while IFS='|' read -r name operands brief; do
			[[ $name ]] || continue
			printf '%s|[OPTION]...%s|%s\n' "$name" "${operands:+ $operands}" "$brief"
			sed -n 's/^./\t&/p' <<<"${OPTIONS[$name]}"
		done <<<"$COMMANDS"
	} | describe
}

# ---- dispatch -----------------------------------------------------------------------------------

# The configuration holds the settings of run and work; the other commands take from it what they know.
configure() {
	[[ $command =~ ^(run|work|doctor)$ ]] || return 0
	if [[ -v OPT[config] ]]; then
		[[ -r ${OPT[config]} ]] || die 66 "${OPT[config]}: cannot be read"
		LOOP_CONF=${OPT[config]}
	fi
	read_configs "${OPTIONS[run]}${OPTIONS[work]}"
}

operands_at_most() { # N
	((${#OPERANDS[@]} <= $1)) || usage "one operand too many: '${OPERANDS[$1]}'"
}

main() {
	local command=${1---help}
	shift || true
	case $command in
	--help | -h) help && exit ;;
	--version) echo "loop $LOOP_VERSION" && exit ;;
	--describe) describe_all && exit ;;
	-*) usage "unknown option '$command'" ;;
	esac
	if [[ ! -v OPTIONS[$command] ]]; then
		command -v "loop-$command" >/dev/null || usage "unknown command '$command'"
		exec "loop-$command" "$@"
	fi
	parse "${OPTIONS[$command]}" help_command "$@"
	case $command in
	why | cancel) operands_at_most 2 ;;
	init | status | doctor | gc | demo) operands_at_most 0 ;;
	*) operands_at_most 1 ;;
	esac
	LOOP_DIR=$(state_dir)
	export LOOP_DIR PATH="$bin:$PATH"
	configure
	case $command in
	init) init_project ;;
	run) run_plan ;;
	work) work_queue ;;
	resume) resume_run ;;
	retry) retry_run ;;
	status) show_status ;;
	watch) watch_run ;;
	why) why_task ;;
	pause | continue | cancel) ask_scheduler "$command" ;;
	stop) stop_runs ;;
	report) report_run ;;
	doctor) see_doctor ;;
	gc) collect_garbage ;;
	demo) demo ;;
	esac
}

main "$@"
