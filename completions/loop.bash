# Completions of the loop tools for bash: made by completions/generate, not by hand.
_loop_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }
_loop_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); }
_loop_folders() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); }
_loop_commands() { mapfile -t COMPREPLY < <(compgen -c -- "$word"); }

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
	_loop_table "$name${sub:+ $sub}" || _loop_table "$name" || return
	[[ ${COMPREPLY[*]+set} ]] && return
	case $word in
	-*) _loop_words "$options" ;;
	*)
		if [[ $commands && ! $sub ]]; then
			_loop_words "$commands"
		else
			_loop_files
		fi
		;;
	esac
}

# Sets options and commands for one command, or completes the value of the option before the cursor.
_loop_table() {
	case $1 in
	"loop")
		options='--help --version'
		commands='init run work resume retry status watch why pause continue cancel stop report doctor gc demo'
		;;
	"loop init")
		case $before in
		-a|--agent) COMPREPLY=(); return ;;
		esac
		options='--agent --force --help --version'
		commands=''
		;;
	"loop run")
		case $before in
		-j|--jobs) COMPREPLY=(); return ;;
		--attempts) COMPREPLY=(); return ;;
		--retries) COMPREPLY=(); return ;;
		-b|--branch) COMPREPLY=(); return ;;
		--base) COMPREPLY=(); return ;;
		--id) COMPREPLY=(); return ;;
		-a|--agent) COMPREPLY=(); return ;;
		-m|--model) COMPREPLY=(); return ;;
		-v|--verify) _loop_commands; return ;;
		--verify-timeout) COMPREPLY=(); return ;;
		--prompt) _loop_files; return ;;
		--timeout) COMPREPLY=(); return ;;
		--budget) COMPREPLY=(); return ;;
		--total-budget) COMPREPLY=(); return ;;
		--quota-wait) COMPREPLY=(); return ;;
		--max-failures) COMPREPLY=(); return ;;
		--stuck) COMPREPLY=(); return ;;
		--resource) COMPREPLY=(); return ;;
		--ports) COMPREPLY=(); return ;;
		--on-conflict) COMPREPLY=(); return ;;
		--progress) _loop_files; return ;;
		--min-disk) COMPREPLY=(); return ;;
		--min-memory) COMPREPLY=(); return ;;
		--config) _loop_files; return ;;
		-l|--listen) COMPREPLY=(); return ;;
		esac
		options='--jobs --attempts --retries --branch --base --id --agent --model --verify --verify-timeout --prompt --timeout --budget --total-budget --quota-wait --max-failures --stuck --resource --ports --on-conflict --progress --min-disk --min-memory --config --listen --quiet --help --version'
		commands=''
		;;
	"loop work")
		case $before in
		-j|--jobs) COMPREPLY=(); return ;;
		-b|--branch) COMPREPLY=(); return ;;
		--base) COMPREPLY=(); return ;;
		--delay) COMPREPLY=(); return ;;
		-a|--agent) COMPREPLY=(); return ;;
		-m|--model) COMPREPLY=(); return ;;
		-v|--verify) _loop_commands; return ;;
		--verify-timeout) COMPREPLY=(); return ;;
		--prompt) _loop_files; return ;;
		--timeout) COMPREPLY=(); return ;;
		--budget) COMPREPLY=(); return ;;
		--total-budget) COMPREPLY=(); return ;;
		--quota-wait) COMPREPLY=(); return ;;
		--max-failures) COMPREPLY=(); return ;;
		--stuck) COMPREPLY=(); return ;;
		--resource) COMPREPLY=(); return ;;
		--ports) COMPREPLY=(); return ;;
		--on-conflict) COMPREPLY=(); return ;;
		--progress) _loop_files; return ;;
		--min-disk) COMPREPLY=(); return ;;
		--min-memory) COMPREPLY=(); return ;;
		--config) _loop_files; return ;;
		esac
		options='--jobs --branch --base --delay --until-empty --agent --model --verify --verify-timeout --prompt --timeout --budget --total-budget --quota-wait --max-failures --stuck --resource --ports --on-conflict --progress --min-disk --min-memory --config --quiet --help --version'
		commands=''
		;;
	"loop resume")
		case $before in
		-j|--jobs) COMPREPLY=(); return ;;
		--total-budget) COMPREPLY=(); return ;;
		--config) _loop_files; return ;;
		-l|--listen) COMPREPLY=(); return ;;
		esac
		options='--jobs --total-budget --config --listen --quiet --help --version'
		commands=''
		;;
	"loop retry")
		case $before in
		-j|--jobs) COMPREPLY=(); return ;;
		--total-budget) COMPREPLY=(); return ;;
		--config) _loop_files; return ;;
		-l|--listen) COMPREPLY=(); return ;;
		esac
		options='--jobs --total-budget --config --listen --quiet --help --version'
		commands=''
		;;
	"loop status")
		options='--json --help --version'
		commands=''
		;;
	"loop watch")
		options='--help --version'
		commands=''
		;;
	"loop why")
		options='--help --version'
		commands=''
		;;
	"loop pause")
		options='--help --version'
		commands=''
		;;
	"loop continue")
		options='--help --version'
		commands=''
		;;
	"loop cancel")
		options='--help --version'
		commands=''
		;;
	"loop stop")
		options='--quiet --help --version'
		commands=''
		;;
	"loop report")
		options='--markdown --html --help --version'
		commands=''
		;;
	"loop doctor")
		case $before in
		-a|--agent) COMPREPLY=(); return ;;
		--config) _loop_files; return ;;
		esac
		options='--agent --quiet --config --help --version'
		commands=''
		;;
	"loop gc")
		case $before in
		--older-than) COMPREPLY=(); return ;;
		esac
		options='--dry-run --older-than --verbose --help --version'
		commands=''
		;;
	"loop demo")
		options='--keep --help --version'
		commands=''
		;;
	"loop-bus")
		options='--help --version'
		commands='serve stop status sub history replay verify on redrive route bridge'
		;;
	"loop-bus serve")
		case $before in
		--silence) COMPREPLY=(); return ;;
		esac
		options='--daemon --no-fifo --silence --help --version'
		commands=''
		;;
	"loop-bus stop")
		case $before in
		--timeout) COMPREPLY=(); return ;;
		esac
		options='--timeout --help --version'
		commands=''
		;;
	"loop-bus status")
		options='--json --help --version'
		commands=''
		;;
	"loop-bus sub")
		case $before in
		-t|--type) COMPREPLY=(); return ;;
		-s|--subject) COMPREPLY=(); return ;;
		-w|--where) COMPREPLY=(); return ;;
		-p|--priority) _loop_words 'critical high normal low background'; return ;;
		--from) COMPREPLY=(); return ;;
		--order) _loop_words 'journal priority'; return ;;
		--durable) COMPREPLY=(); return ;;
		-n|--number) COMPREPLY=(); return ;;
		esac
		options='--type --subject --where --priority --from --order --durable --number --direct --help --version'
		commands=''
		;;
	"loop-bus history")
		case $before in
		-n|--number) COMPREPLY=(); return ;;
		-t|--type) COMPREPLY=(); return ;;
		-s|--subject) COMPREPLY=(); return ;;
		-w|--where) COMPREPLY=(); return ;;
		-p|--priority) _loop_words 'critical high normal low background'; return ;;
		--since) COMPREPLY=(); return ;;
		--until) COMPREPLY=(); return ;;
		-g|--grep) COMPREPLY=(); return ;;
		esac
		options='--number --all --reverse --type --subject --where --priority --since --until --grep --help --version'
		commands=''
		;;
	"loop-bus replay")
		case $before in
		--speed) COMPREPLY=(); return ;;
		-t|--type) COMPREPLY=(); return ;;
		-s|--subject) COMPREPLY=(); return ;;
		-w|--where) COMPREPLY=(); return ;;
		-p|--priority) _loop_words 'critical high normal low background'; return ;;
		--from) COMPREPLY=(); return ;;
		--since) COMPREPLY=(); return ;;
		--until) COMPREPLY=(); return ;;
		esac
		options='--speed --type --subject --where --priority --from --since --until --help --version'
		commands=''
		;;
	"loop-bus verify")
		options='--quiet --help --version'
		commands=''
		;;
	"loop-bus on")
		case $before in
		-t|--type) COMPREPLY=(); return ;;
		-s|--subject) COMPREPLY=(); return ;;
		-w|--where) COMPREPLY=(); return ;;
		-p|--priority) _loop_words 'critical high normal low background'; return ;;
		--from) COMPREPLY=(); return ;;
		-j|--jobs) COMPREPLY=(); return ;;
		--timeout) COMPREPLY=(); return ;;
		--retries) COMPREPLY=(); return ;;
		--backoff) COMPREPLY=(); return ;;
		--durable) COMPREPLY=(); return ;;
		--name) COMPREPLY=(); return ;;
		-n|--number) COMPREPLY=(); return ;;
		esac
		options='--type --subject --where --priority --from --jobs --timeout --retries --backoff --durable --name --number --help --version'
		commands=''
		;;
	"loop-bus redrive")
		case $before in
		-t|--type) COMPREPLY=(); return ;;
		-s|--subject) COMPREPLY=(); return ;;
		-w|--where) COMPREPLY=(); return ;;
		esac
		options='--list --type --subject --where --help --version'
		commands=''
		;;
	"loop-bus route")
		case $before in
		--from) COMPREPLY=(); return ;;
		esac
		options='--check --from --help --version'
		commands=''
		;;
	"loop-bus bridge")
		case $before in
		--name) COMPREPLY=(); return ;;
		-t|--type) COMPREPLY=(); return ;;
		-s|--subject) COMPREPLY=(); return ;;
		-w|--where) COMPREPLY=(); return ;;
		-p|--priority) _loop_words 'critical high normal low background'; return ;;
		--keep) COMPREPLY=(); return ;;
		esac
		options='--name --type --subject --where --priority --start --keep --daemon --help --version'
		commands=''
		;;
	"loop-cache")
		options='--help --version'
		commands='run get has set delete invalidate list stats export import gc'
		;;
	"loop-cache run")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		-k|--key) COMPREPLY=(); return ;;
		-i|--input) _loop_folders; return ;;
		-o|--output) _loop_folders; return ;;
		--input-var) COMPREPLY=(); return ;;
		--output-var) COMPREPLY=(); return ;;
		-e|--env) COMPREPLY=(); return ;;
		--status) COMPREPLY=(); return ;;
		--report) _loop_files; return ;;
		-t|--ttl) COMPREPLY=(); return ;;
		-p|--parent) COMPREPLY=(); return ;;
		--max-size) COMPREPLY=(); return ;;
		--max-entries) COMPREPLY=(); return ;;
		--policy) _loop_words 'lru lfu ttl'; return ;;
		esac
		options='--scope --key --input --output --input-var --output-var --env --strict-env --stdin --status --refresh --dry-run --why --report --ttl --parent --max-size --max-entries --policy --help --version'
		commands=''
		;;
	"loop-cache get")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		--max-age) COMPREPLY=(); return ;;
		esac
		options='--scope --max-age --help --version'
		commands=''
		;;
	"loop-cache has")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		--max-age) COMPREPLY=(); return ;;
		esac
		options='--scope --max-age --help --version'
		commands=''
		;;
	"loop-cache set")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		-t|--ttl) COMPREPLY=(); return ;;
		-p|--parent) COMPREPLY=(); return ;;
		--max-size) COMPREPLY=(); return ;;
		--max-entries) COMPREPLY=(); return ;;
		--policy) _loop_words 'lru lfu ttl'; return ;;
		esac
		options='--scope --ttl --parent --max-size --max-entries --policy --help --version'
		commands=''
		;;
	"loop-cache delete")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		esac
		options='--scope --help --version'
		commands=''
		;;
	"loop-cache invalidate")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		esac
		options='--scope --print --help --version'
		commands=''
		;;
	"loop-cache list")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		esac
		options='--scope --json --help --version'
		commands=''
		;;
	"loop-cache stats")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		esac
		options='--scope --json --help --version'
		commands=''
		;;
	"loop-cache export")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		esac
		options='--scope --help --version'
		commands=''
		;;
	"loop-cache import")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		-t|--ttl) COMPREPLY=(); return ;;
		-p|--parent) COMPREPLY=(); return ;;
		--max-size) COMPREPLY=(); return ;;
		--max-entries) COMPREPLY=(); return ;;
		--policy) _loop_words 'lru lfu ttl'; return ;;
		esac
		options='--scope --ttl --parent --max-size --max-entries --policy --help --version'
		commands=''
		;;
	"loop-cache gc")
		case $before in
		-s|--scope) COMPREPLY=(); return ;;
		-p|--parent) COMPREPLY=(); return ;;
		--max-size) COMPREPLY=(); return ;;
		--max-entries) COMPREPLY=(); return ;;
		--policy) _loop_words 'lru lfu ttl'; return ;;
		esac
		options='--scope --parent --max-size --max-entries --policy --help --version'
		commands=''
		;;
	"loop-canary")
		options='--help --version'
		commands='run check simulate status list promote pause resume abort retry'
		;;
	"loop-canary run")
		options='--again --no-wait --help --version'
		commands=''
		;;
	"loop-canary check")
		options='--help --version'
		commands=''
		;;
	"loop-canary simulate")
		case $before in
		--rates) COMPREPLY=(); return ;;
		--samples) COMPREPLY=(); return ;;
		--window) COMPREPLY=(); return ;;
		--runs) COMPREPLY=(); return ;;
		--seed) COMPREPLY=(); return ;;
		esac
		options='--rates --samples --window --runs --seed --json --help --version'
		commands=''
		;;
	"loop-canary status")
		options='--json --help --version'
		commands=''
		;;
	"loop-canary list")
		options='--json --help --version'
		commands=''
		;;
	"loop-canary promote")
		case $before in
		--by) COMPREPLY=(); return ;;
		--why) COMPREPLY=(); return ;;
		esac
		options='--full --by --why --help --version'
		commands=''
		;;
	"loop-canary pause")
		case $before in
		--by) COMPREPLY=(); return ;;
		--why) COMPREPLY=(); return ;;
		esac
		options='--by --why --help --version'
		commands=''
		;;
	"loop-canary resume")
		case $before in
		--by) COMPREPLY=(); return ;;
		--why) COMPREPLY=(); return ;;
		esac
		options='--by --why --help --version'
		commands=''
		;;
	"loop-canary abort")
		case $before in
		--by) COMPREPLY=(); return ;;
		--why) COMPREPLY=(); return ;;
		esac
		options='--by --why --help --version'
		commands=''
		;;
	"loop-canary retry")
		case $before in
		--by) COMPREPLY=(); return ;;
		--why) COMPREPLY=(); return ;;
		esac
		options='--by --why --help --version'
		commands=''
		;;
	"loop-deps")
		case $before in
		-f|--format) _loop_words 'stats json dot plan levels'; return ;;
		--by) _loop_words 'file directory'; return ;;
		--edges) _loop_words 'all runtime load'; return ;;
		-a|--affected) _loop_files; return ;;
		-I|--include) COMPREPLY=(); return ;;
		-x|--exclude) COMPREPLY=(); return ;;
		-r|--root) _loop_folders; return ;;
		--max-size) COMPREPLY=(); return ;;
		esac
		options='--format --by --edges --affected --cycles --external --unresolved --check --include --exclude --root --max-size --no-ignore --help --version'
		commands=''
		;;
	"loop-emit")
		case $before in
		-s|--subject) COMPREPLY=(); return ;;
		-p|--priority) _loop_words 'critical high normal low background'; return ;;
		-d|--data) COMPREPLY=(); return ;;
		-t|--type) COMPREPLY=(); return ;;
		--source) COMPREPLY=(); return ;;
		--run) COMPREPLY=(); return ;;
		--session) COMPREPLY=(); return ;;
		--time) COMPREPLY=(); return ;;
		-a|--attribute) COMPREPLY=(); return ;;
		esac
		options='--subject --priority --data --type --source --run --session --time --attribute --sync --print --help --version'
		commands=''
		;;
	"loop-gate")
		options='--help --version'
		commands='ask wait approve reject answer list'
		;;
	"loop-gate ask")
		case $before in
		-i|--id) COMPREPLY=(); return ;;
		-c|--choices) COMPREPLY=(); return ;;
		-d|--deadline) COMPREPLY=(); return ;;
		--default) COMPREPLY=(); return ;;
		--subject) COMPREPLY=(); return ;;
		esac
		options='--id --choices --text --deadline --default --subject --wait --print --help --version'
		commands=''
		;;
	"loop-gate wait")
		case $before in
		-t|--timeout) COMPREPLY=(); return ;;
		esac
		options='--timeout --print --help --version'
		commands=''
		;;
	"loop-gate approve")
		case $before in
		--why) COMPREPLY=(); return ;;
		--by) COMPREPLY=(); return ;;
		esac
		options='--why --by --help --version'
		commands=''
		;;
	"loop-gate reject")
		case $before in
		--why) COMPREPLY=(); return ;;
		--by) COMPREPLY=(); return ;;
		esac
		options='--why --by --help --version'
		commands=''
		;;
	"loop-gate answer")
		case $before in
		--why) COMPREPLY=(); return ;;
		--by) COMPREPLY=(); return ;;
		esac
		options='--why --by --help --version'
		commands=''
		;;
	"loop-gate list")
		options='--pending --json --help --version'
		commands=''
		;;
	"loop-guard")
		case $before in
		-r|--retry) COMPREPLY=(); return ;;
		--base) COMPREPLY=(); return ;;
		--factor) COMPREPLY=(); return ;;
		--cap) COMPREPLY=(); return ;;
		--jitter) _loop_words 'equal full none'; return ;;
		--on) COMPREPLY=(); return ;;
		--never-on) COMPREPLY=(); return ;;
		-t|--timeout) COMPREPLY=(); return ;;
		-k|--kill-after) COMPREPLY=(); return ;;
		--max-elapsed) COMPREPLY=(); return ;;
		-b|--breaker) COMPREPLY=(); return ;;
		-w|--wait) COMPREPLY=(); return ;;
		--rate) COMPREPLY=(); return ;;
		--consecutive) COMPREPLY=(); return ;;
		--window) COMPREPLY=(); return ;;
		--min-calls) COMPREPLY=(); return ;;
		--max-age) COMPREPLY=(); return ;;
		--cooldown) COMPREPLY=(); return ;;
		--cooldown-cap) COMPREPLY=(); return ;;
		--probes) COMPREPLY=(); return ;;
		--lease) COMPREPLY=(); return ;;
		--count) COMPREPLY=(); return ;;
		--ignore) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--retry --base --factor --cap --jitter --on --never-on --timeout --kill-after --max-elapsed --breaker --wait --rate --consecutive --window --min-calls --max-age --cooldown --cooldown-cap --probes --lease --count --ignore --keep-background --verbose --store --patience --help --version'
		commands='list trip reset hold observe'
		;;
	"loop-guard list")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--json --store --patience --help --version'
		commands=''
		;;
	"loop-guard trip")
		case $before in
		--why) COMPREPLY=(); return ;;
		--for) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--why --for --store --patience --help --version'
		commands=''
		;;
	"loop-guard reset")
		case $before in
		--why) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--why --store --patience --help --version'
		commands=''
		;;
	"loop-guard hold")
		case $before in
		--why) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--why --store --patience --help --version'
		commands=''
		;;
	"loop-guard observe")
		case $before in
		--why) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--why --store --patience --help --version'
		commands=''
		;;
	"loop-job")
		options='--help --version'
		commands='call run'
		;;
	"loop-job call")
		case $before in
		-n|--name) COMPREPLY=(); return ;;
		-e|--env) COMPREPLY=(); return ;;
		--input-var) COMPREPLY=(); return ;;
		--output-var) COMPREPLY=(); return ;;
		-d|--dir) _loop_folders; return ;;
		-p|--priority) COMPREPLY=(); return ;;
		-t|--timeout) COMPREPLY=(); return ;;
		--stall) COMPREPLY=(); return ;;
		-k|--kill-after) COMPREPLY=(); return ;;
		-l|--lease) COMPREPLY=(); return ;;
		--tries) COMPREPLY=(); return ;;
		--report) _loop_files; return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--name --env --input-var --output-var --dir --priority --timeout --stall --kill-after --lease --tries --report --store --patience --help --version'
		commands=''
		;;
	"loop-job run")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-lock")
		case $before in
		-t|--timeout) COMPREPLY=(); return ;;
		-p|--priority) _loop_words 'background low normal high critical'; return ;;
		--label) COMPREPLY=(); return ;;
		-l|--lease) COMPREPLY=(); return ;;
		--on-loss) _loop_words 'end warn'; return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--shared --timeout --nonblock --priority --label --close --lease --on-loss --store --patience --help --version'
		commands='path acquire release list why stats cancel break'
		;;
	"loop-lock path")
		options='--help --version'
		commands=''
		;;
	"loop-lock acquire")
		case $before in
		-f|--fd) COMPREPLY=(); return ;;
		-t|--timeout) COMPREPLY=(); return ;;
		-p|--priority) _loop_words 'background low normal high critical'; return ;;
		--label) COMPREPLY=(); return ;;
		-l|--lease) COMPREPLY=(); return ;;
		--on-loss) _loop_words 'end warn'; return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--fd --shared --timeout --nonblock --priority --label --print --lease --on-loss --store --patience --help --version'
		commands=''
		;;
	"loop-lock release")
		case $before in
		-f|--fd) COMPREPLY=(); return ;;
		esac
		options='--fd --help --version'
		commands=''
		;;
	"loop-lock list")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--json --store --patience --help --version'
		commands=''
		;;
	"loop-lock why")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-lock stats")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--json --store --patience --help --version'
		commands=''
		;;
	"loop-lock cancel")
		case $before in
		--pid) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--pid --store --patience --help --version'
		commands=''
		;;
	"loop-lock break")
		case $before in
		--pid) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--pid --yes --store --patience --help --version'
		commands=''
		;;
	"loop-lock-redis")
		case $before in
		-t|--timeout) COMPREPLY=(); return ;;
		-p|--priority) _loop_words 'background low normal high critical'; return ;;
		--label) COMPREPLY=(); return ;;
		-l|--lease) COMPREPLY=(); return ;;
		--on-loss) _loop_words 'end warn'; return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--shared --timeout --nonblock --priority --label --close --lease --on-loss --store --patience --help --version'
		commands='acquire list why stats cancel break'
		;;
	"loop-lock-redis acquire")
		case $before in
		-f|--fd) COMPREPLY=(); return ;;
		-t|--timeout) COMPREPLY=(); return ;;
		-p|--priority) _loop_words 'background low normal high critical'; return ;;
		--label) COMPREPLY=(); return ;;
		-l|--lease) COMPREPLY=(); return ;;
		--on-loss) _loop_words 'end warn'; return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--fd --shared --timeout --nonblock --priority --label --print --lease --on-loss --store --patience --help --version'
		commands=''
		;;
	"loop-lock-redis list")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--json --store --patience --help --version'
		commands=''
		;;
	"loop-lock-redis why")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-lock-redis stats")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--json --store --patience --help --version'
		commands=''
		;;
	"loop-lock-redis cancel")
		case $before in
		--pid) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--pid --store --patience --help --version'
		commands=''
		;;
	"loop-lock-redis break")
		case $before in
		--pid) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--pid --yes --store --patience --help --version'
		commands=''
		;;
	"loop-mock")
		case $before in
		--script) _loop_files; return ;;
		--dialect) _loop_words 'claude codex gemini text'; return ;;
		--story) COMPREPLY=(); return ;;
		--attempt) COMPREPLY=(); return ;;
		--session-id) COMPREPLY=(); return ;;
		--model) COMPREPLY=(); return ;;
		--spent) COMPREPLY=(); return ;;
		--budget) COMPREPLY=(); return ;;
		--max-turns) COMPREPLY=(); return ;;
		esac
		options='--script --dialect --story --attempt --session-id --model --spent --budget --max-turns --help --version'
		commands=''
		;;
	"loop-pool")
		case $before in
		--min) COMPREPLY=(); return ;;
		--max) COMPREPLY=(); return ;;
		--scale-up) COMPREPLY=(); return ;;
		--scale-down) COMPREPLY=(); return ;;
		--age) COMPREPLY=(); return ;;
		--drain-time) COMPREPLY=(); return ;;
		--cooldown) COMPREPLY=(); return ;;
		--every) COMPREPLY=(); return ;;
		-b|--breaker) COMPREPLY=(); return ;;
		-l|--lease) COMPREPLY=(); return ;;
		-t|--timeout) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--min --max --scale-up --scale-down --age --drain-time --cooldown --every --breaker --lease --timeout --raw --store --patience --help --version'
		commands='run status'
		;;
	"loop-pool run")
		case $before in
		--min) COMPREPLY=(); return ;;
		--max) COMPREPLY=(); return ;;
		--scale-up) COMPREPLY=(); return ;;
		--scale-down) COMPREPLY=(); return ;;
		--age) COMPREPLY=(); return ;;
		--drain-time) COMPREPLY=(); return ;;
		--cooldown) COMPREPLY=(); return ;;
		--every) COMPREPLY=(); return ;;
		-b|--breaker) COMPREPLY=(); return ;;
		-l|--lease) COMPREPLY=(); return ;;
		-t|--timeout) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--min --max --scale-up --scale-down --age --drain-time --cooldown --every --breaker --lease --timeout --raw --store --patience --help --version'
		commands=''
		;;
	"loop-pool status")
		options='--json --help --version'
		commands=''
		;;
	"loop-queue")
		options='--help --version'
		commands='put claim ack nack bury touch work peek list stats wait kick pause resume drain age purge sweep fsck export import migrate'
		;;
	"loop-queue put")
		case $before in
		-p|--priority) COMPREPLY=(); return ;;
		-d|--delay) COMPREPLY=(); return ;;
		-l|--lease) COMPREPLY=(); return ;;
		-t|--tries) COMPREPLY=(); return ;;
		-k|--key) COMPREPLY=(); return ;;
		--key-ttl) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--priority --delay --lease --tries --key --key-ttl --jsonl --sync --store --patience --help --version'
		commands=''
		;;
	"loop-queue claim")
		case $before in
		-w|--wait) COMPREPLY=(); return ;;
		-n|--count) COMPREPLY=(); return ;;
		-l|--lease) COMPREPLY=(); return ;;
		--id) COMPREPLY=(); return ;;
		--body-to) _loop_files; return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--wait --count --lease --id --body-to --sync --store --patience --help --version'
		commands=''
		;;
	"loop-queue ack")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--jsonl --sync --store --patience --help --version'
		commands=''
		;;
	"loop-queue nack")
		case $before in
		-d|--delay) COMPREPLY=(); return ;;
		-p|--priority) COMPREPLY=(); return ;;
		--why) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--delay --priority --no-count --why --jsonl --sync --store --patience --help --version'
		commands=''
		;;
	"loop-queue bury")
		case $before in
		--why) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--why --jsonl --sync --store --patience --help --version'
		commands=''
		;;
	"loop-queue touch")
		case $before in
		-l|--lease) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--lease --jsonl --sync --store --patience --help --version'
		commands=''
		;;
	"loop-queue work")
		case $before in
		-j|--jobs) COMPREPLY=(); return ;;
		-n|--count) COMPREPLY=(); return ;;
		--idle-exit) COMPREPLY=(); return ;;
		-t|--timeout) COMPREPLY=(); return ;;
		-l|--lease) COMPREPLY=(); return ;;
		-b|--breaker) COMPREPLY=(); return ;;
		--error-delay) COMPREPLY=(); return ;;
		--min-disk) COMPREPLY=(); return ;;
		--min-memory) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--jobs --count --idle-exit --timeout --lease --breaker --error-delay --min-disk --min-memory --store --patience --help --version'
		commands=''
		;;
	"loop-queue peek")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-queue list")
		case $before in
		-s|--state) COMPREPLY=(); return ;;
		-n|--count) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--state --count --json --store --patience --help --version'
		commands=''
		;;
	"loop-queue stats")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--json --store --patience --help --version'
		commands=''
		;;
	"loop-queue wait")
		case $before in
		-t|--timeout) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--empty --timeout --store --patience --help --version'
		commands=''
		;;
	"loop-queue kick")
		case $before in
		-n|--count) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--count --all --reset --store --patience --help --version'
		commands=''
		;;
	"loop-queue pause")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-queue resume")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-queue drain")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-queue age")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-queue purge")
		case $before in
		--id) COMPREPLY=(); return ;;
		-s|--state) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--id --state --store --patience --help --version'
		commands=''
		;;
	"loop-queue sweep")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-queue fsck")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--repair --store --patience --help --version'
		commands=''
		;;
	"loop-queue export")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-queue import")
		case $before in
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--store --patience --help --version'
		commands=''
		;;
	"loop-queue migrate")
		case $before in
		--to) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		--patience) COMPREPLY=(); return ;;
		esac
		options='--to --store --patience --help --version'
		commands=''
		;;
	"loop-sched")
		options='--help --version'
		commands='check graph import optimize simulate run resume retry undo dirty forget pause continue cancel status list show why room'
		;;
	"loop-sched check")
		options='--json --help --version'
		commands=''
		;;
	"loop-sched graph")
		case $before in
		-f|--format) _loop_words 'dot mermaid levels json tree'; return ;;
		esac
		options='--format --reduce --help --version'
		commands=''
		;;
	"loop-sched import")
		options='--help --version'
		commands=''
		;;
	"loop-sched optimize")
		case $before in
		--trivial) COMPREPLY=(); return ;;
		esac
		options='--trivial --help --version'
		commands=''
		;;
	"loop-sched simulate")
		case $before in
		-j|--jobs) COMPREPLY=(); return ;;
		esac
		options='--jobs --json --help --version'
		commands=''
		;;
	"loop-sched run")
		case $before in
		-j|--jobs) COMPREPLY=(); return ;;
		--min) COMPREPLY=(); return ;;
		--max) COMPREPLY=(); return ;;
		--launcher) _loop_commands; return ;;
		--on) COMPREPLY=(); return ;;
		--store) COMPREPLY=(); return ;;
		-r|--run) _loop_commands; return ;;
		-a|--attempts) COMPREPLY=(); return ;;
		--never-on) COMPREPLY=(); return ;;
		--retries) COMPREPLY=(); return ;;
		--id) COMPREPLY=(); return ;;
		--on-failure) _loop_words 'continue stop undo'; return ;;
		--min-disk) COMPREPLY=(); return ;;
		--min-memory) COMPREPLY=(); return ;;
		-t|--timeout) COMPREPLY=(); return ;;
		--grace) COMPREPLY=(); return ;;
		esac
		options='--jobs --min --max --jobserver --launcher --on --store --run --attempts --never-on --retries --id --on-failure --min-disk --min-memory --timeout --grace --verbose --help --version'
		commands=''
		;;
	"loop-sched resume")
		case $before in
		-j|--jobs) COMPREPLY=(); return ;;
		--plan-changed) _loop_words 'ask keep new fail'; return ;;
		esac
		options='--jobs --plan-changed --verbose --help --version'
		commands=''
		;;
	"loop-sched retry")
		case $before in
		-j|--jobs) COMPREPLY=(); return ;;
		--plan-changed) _loop_words 'ask keep new fail'; return ;;
		esac
		options='--jobs --plan-changed --verbose --help --version'
		commands=''
		;;
	"loop-sched undo")
		case $before in
		-j|--jobs) COMPREPLY=(); return ;;
		--plan-changed) _loop_words 'ask keep new fail'; return ;;
		esac
		options='--jobs --plan-changed --verbose --help --version'
		commands=''
		;;
	"loop-sched dirty")
		options='--help --version'
		commands=''
		;;
	"loop-sched forget")
		case $before in
		--note) COMPREPLY=(); return ;;
		esac
		options='--note --help --version'
		commands=''
		;;
	"loop-sched pause")
		options='--help --version'
		commands=''
		;;
	"loop-sched continue")
		options='--help --version'
		commands=''
		;;
	"loop-sched cancel")
		options='--help --version'
		commands=''
		;;
	"loop-sched status")
		options='--json --calibration --todo --help --version'
		commands=''
		;;
	"loop-sched list")
		options='--json --help --version'
		commands=''
		;;
	"loop-sched show")
		options='--json --help --version'
		commands=''
		;;
	"loop-sched why")
		options='--help --version'
		commands=''
		;;
	"loop-sched room")
		case $before in
		--min-disk) COMPREPLY=(); return ;;
		--min-memory) COMPREPLY=(); return ;;
		esac
		options='--min-disk --min-memory --help --version'
		commands=''
		;;
	"loop-session")
		options='--help --version'
		commands='list latest summary tools errors timeline metrics watch transcript export report gc trace'
		;;
	"loop-session list")
		case $before in
		--run) COMPREPLY=(); return ;;
		--since) COMPREPLY=(); return ;;
		--until) COMPREPLY=(); return ;;
		--state) _loop_words 'any starting running waiting verifying ended lost unreadable'; return ;;
		--reason) COMPREPLY=(); return ;;
		-a|--agent) COMPREPLY=(); return ;;
		-n|--number) COMPREPLY=(); return ;;
		esac
		options='--run --since --until --state --reason --agent --number --json --help --version'
		commands=''
		;;
	"loop-session latest")
		case $before in
		--run) COMPREPLY=(); return ;;
		-a|--agent) COMPREPLY=(); return ;;
		esac
		options='--run --agent --path --help --version'
		commands=''
		;;
	"loop-session summary")
		case $before in
		-a|--agent) COMPREPLY=(); return ;;
		esac
		options='--json --agent --help --version'
		commands=''
		;;
	"loop-session tools")
		case $before in
		-a|--agent) COMPREPLY=(); return ;;
		esac
		options='--calls --json --agent --help --version'
		commands=''
		;;
	"loop-session errors")
		case $before in
		-a|--agent) COMPREPLY=(); return ;;
		esac
		options='--json --agent --help --version'
		commands=''
		;;
	"loop-session timeline")
		case $before in
		-a|--agent) COMPREPLY=(); return ;;
		esac
		options='--json --agent --help --version'
		commands=''
		;;
	"loop-session metrics")
		case $before in
		-a|--agent) COMPREPLY=(); return ;;
		esac
		options='--json --agent --help --version'
		commands=''
		;;
	"loop-session watch")
		options='--new --json --help --version'
		commands=''
		;;
	"loop-session transcript")
		case $before in
		-a|--agent) COMPREPLY=(); return ;;
		esac
		options='--agent --help --version'
		commands=''
		;;
	"loop-session export")
		case $before in
		-a|--agent) COMPREPLY=(); return ;;
		esac
		options='--agent --help --version'
		commands=''
		;;
	"loop-session report")
		case $before in
		--since) COMPREPLY=(); return ;;
		--until) COMPREPLY=(); return ;;
		--run) COMPREPLY=(); return ;;
		esac
		options='--since --until --run --markdown --html --json --help --version'
		commands=''
		;;
	"loop-session gc")
		case $before in
		--older-than) COMPREPLY=(); return ;;
		esac
		options='--older-than --dry-run --verbose --json --help --version'
		commands=''
		;;
	"loop-session trace")
		case $before in
		--run) COMPREPLY=(); return ;;
		--since) COMPREPLY=(); return ;;
		-n|--number) COMPREPLY=(); return ;;
		esac
		options='--run --since --number --help --version'
		commands=''
		;;
	"loop-spawn")
		case $before in
		-a|--agent) COMPREPLY=(); return ;;
		-p|--prompt) _loop_files; return ;;
		--var) COMPREPLY=(); return ;;
		--system) _loop_files; return ;;
		--model) COMPREPLY=(); return ;;
		--tools) COMPREPLY=(); return ;;
		--dir) _loop_folders; return ;;
		--branch) COMPREPLY=(); return ;;
		--base) COMPREPLY=(); return ;;
		--verify) _loop_commands; return ;;
		--verify-timeout) COMPREPLY=(); return ;;
		--done-tag) COMPREPLY=(); return ;;
		--blocked-tag) COMPREPLY=(); return ;;
		--timeout) COMPREPLY=(); return ;;
		--stall) COMPREPLY=(); return ;;
		--start-timeout) COMPREPLY=(); return ;;
		--tool-timeout) COMPREPLY=(); return ;;
		--linger) COMPREPLY=(); return ;;
		--grace) COMPREPLY=(); return ;;
		--max-turns) COMPREPLY=(); return ;;
		--budget) COMPREPLY=(); return ;;
		--total-budget) COMPREPLY=(); return ;;
		--memory) COMPREPLY=(); return ;;
		--retry) COMPREPLY=(); return ;;
		--retry-delay) COMPREPLY=(); return ;;
		--quota-wait) COMPREPLY=(); return ;;
		--resume) COMPREPLY=(); return ;;
		--session) COMPREPLY=(); return ;;
		--max-output) COMPREPLY=(); return ;;
		esac
		options='--agent --prompt --var --system --model --tools --dir --worktree --branch --base --verify --verify-timeout --done-tag --blocked-tag --timeout --stall --start-timeout --tool-timeout --linger --grace --max-turns --budget --sandbox --total-budget --memory --retry --retry-delay --quota-wait --resume --session --max-output --keep-background --keep-env --json --print --check --help --version'
		commands=''
		;;
	"loop-stat")
		case $before in
		-w|--window) COMPREPLY=(); return ;;
		--late) COMPREPLY=(); return ;;
		-b|--by) _loop_folders; return ;;
		--value) _loop_folders; return ;;
		-t|--type) COMPREPLY=(); return ;;
		-s|--subject) COMPREPLY=(); return ;;
		--since) COMPREPLY=(); return ;;
		--groups) COMPREPLY=(); return ;;
		esac
		options='--window --late --by --value --type --subject --since --groups --follow --watch --json --prometheus --help --version'
		commands=''
		;;
	"loop-story")
		case $before in
		-b|--branch) COMPREPLY=(); return ;;
		--delay) COMPREPLY=(); return ;;
		-a|--agent) COMPREPLY=(); return ;;
		-m|--model) COMPREPLY=(); return ;;
		-v|--verify) _loop_commands; return ;;
		--verify-timeout) COMPREPLY=(); return ;;
		--prompt) _loop_files; return ;;
		--timeout) COMPREPLY=(); return ;;
		--budget) COMPREPLY=(); return ;;
		--total-budget) COMPREPLY=(); return ;;
		--quota-wait) COMPREPLY=(); return ;;
		--max-failures) COMPREPLY=(); return ;;
		--stuck) COMPREPLY=(); return ;;
		--resource) COMPREPLY=(); return ;;
		--ports) COMPREPLY=(); return ;;
		--on-conflict) COMPREPLY=(); return ;;
		--progress) _loop_files; return ;;
		--min-disk) COMPREPLY=(); return ;;
		--min-memory) COMPREPLY=(); return ;;
		esac
		options='--branch --item --delay --agent --model --verify --verify-timeout --prompt --timeout --budget --total-budget --quota-wait --max-failures --stuck --resource --ports --on-conflict --progress --min-disk --min-memory --help --version'
		commands=''
		;;
	"loop-stream")
		options='--help --version'
		commands='serve stop status show'
		;;
	"loop-stream serve")
		case $before in
		-l|--listen) COMPREPLY=(); return ;;
		--host) COMPREPLY=(); return ;;
		--port-file) _loop_files; return ;;
		--keep-alive) COMPREPLY=(); return ;;
		--retry) COMPREPLY=(); return ;;
		--head-timeout) COMPREPLY=(); return ;;
		--body-timeout) COMPREPLY=(); return ;;
		--idle-timeout) COMPREPLY=(); return ;;
		--max-body) COMPREPLY=(); return ;;
		--max-message) COMPREPLY=(); return ;;
		--max-fragments) COMPREPLY=(); return ;;
		--max-clients) COMPREPLY=(); return ;;
		--frame-rate) COMPREPLY=(); return ;;
		--eio-ping-interval) COMPREPLY=(); return ;;
		--eio-ping-timeout) COMPREPLY=(); return ;;
		--eio-upgrade-timeout) COMPREPLY=(); return ;;
		--eio-max-payload) COMPREPLY=(); return ;;
		--sio-connect-timeout) COMPREPLY=(); return ;;
		--sio-namespace) COMPREPLY=(); return ;;
		--ring) COMPREPLY=(); return ;;
		esac
		options='--listen --host --port-file --daemon --keep-alive --retry --head-timeout --body-timeout --idle-timeout --max-body --max-message --max-fragments --max-clients --frame-rate --eio-ping-interval --eio-ping-timeout --eio-upgrade-timeout --eio-max-payload --sio-connect-timeout --sio-namespace --echo --ring --help --version'
		commands=''
		;;
	"loop-stream stop")
		case $before in
		--timeout) COMPREPLY=(); return ;;
		esac
		options='--timeout --help --version'
		commands=''
		;;
	"loop-stream status")
		case $before in
		--timeout) COMPREPLY=(); return ;;
		esac
		options='--json --timeout --help --version'
		commands=''
		;;
	"loop-stream show")
		case $before in
		--style) _loop_words 'plain box'; return ;;
		--wait) COMPREPLY=(); return ;;
		--url) COMPREPLY=(); return ;;
		--token-file) _loop_files; return ;;
		esac
		options='--style --lines --wait --url --token-file --help --version'
		commands=''
		;;
	*) return 1 ;;
	esac
}

complete -F _loop loop loop-bus loop-cache loop-canary loop-deps loop-emit loop-gate loop-guard loop-job loop-lock loop-lock-redis loop-mock loop-pool loop-queue loop-sched loop-session loop-spawn loop-stat loop-story loop-stream
