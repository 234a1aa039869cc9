load helper

# The display in a terminal emulator (tmux), as its user sees it: what is on the screen, and what has
# scrolled above it.

setup_more() {
	command -v tmux >/dev/null || skip 'tmux is not installed'
	export TERM=screen
	unset TMUX NO_COLOR
}

teardown_more() {
	tm kill-server 2>/dev/null || true
}

tm() {
	tmux -S "$SCRATCH/tmux" -f /dev/null "$@" 3>&-
}

# terminal WIDTH HEIGHT: one with a shell in it that says "ready" when it waits for a command.
terminal() {
	tm new-session -d -x "$1" -y "$2" -e PS1='ready ' "env PS1='ready ' bash --norc --noprofile"
	tm set-option -g window-size manual
	wait_for 40 on_screen '^ready'
}

type() {
	tm send-keys "$@"
}

# clear_to WORD: an empty screen but for the word, one that was not on it: what is waited for next was
# not there before.
clear_to() {
	type "clear; echo $1" Enter
	wait_for 40 on_screen "^$1"
}

on_screen() { # REGEX
	screen | grep -qE "$1"
}

screen() {
	tm capture-pane -p "$@" | sed 's/ *$//'
}

# Everything, the scrollback too, without empty lines at the end.
all_lines() {
	screen -S - | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

plan_of() { # TASKS COMMAND
	jq -nc --argjson n "$1" --arg run "$2" '{name: "night", tasks: [range($n) | {id: "T\(.)", title: "Zählt 日本語 e\u0301 \(.)", run: $run}]}' \
		>plan.json
}

@test "fifty tasks leave exactly their lines in the scrollback" {
	plan_of 50 'sleep 0.05'
	terminal 80 24
	echo 'loop-sched run plan.json --id night -j 8 >/dev/null & loop-stream show night; echo "status $?"' >both
	type 'set +m; clear; . ./both' Enter
	wait_for 240 on_screen '^status 0'
	all_lines >lines
	[ "$(grep -c '^✓ T' lines)" = 50 ]
	[ "$(grep -o '^✓ T[0-9]*' lines | sort -u | wc -l)" = 50 ]
	grep -q '^night succeeded: 50 of 50 succeeded' lines
	[ "$(grep -vcE '^✓ T|^night succeeded|^status 0|^ready|^$' lines)" = 0 ]
}

@test "a resize leaves no remains, narrower or wider" {
	plan_of 6 'until [ -e go ]; do sleep 0.1; done'
	terminal 80 24
	start loop-sched run plan.json --id night -j 3
	type 'clear; loop-stream show night' Enter
	wait_for 80 on_screen 'detach'
	for width in 40 120 30 80; do
		tm resize-window -x "$width" -y 24
		drawn() { screen >now && [ "$(grep -c ▶ now)" = 3 ] && [ "$(grep -c '▕' now)" = 1 ] &&
			[ "$(grep -c 'waiting' now)" = 1 ] && [ "$(wc -L <now)" -le "$width" ] && wide_enough; }
		wide_enough() { ((width < 80)) || grep -qF '0/6' now; }
		wait_for 40 drawn
	done
	touch go
	wait_for 80 on_screen '^night succeeded'
	all_lines >lines
	! grep -E '▕|detach|waiting|▶' lines || false
	[ "$(grep -c '^✓ T' lines)" = 6 ]
}

@test "wide and combining characters keep the box in line" {
	plan_of 3 'until [ -e go ]; do sleep 0.1; done'
	terminal 60 16
	start loop-sched run plan.json --id night -j 3
	type 'clear; loop-stream show --style box night' Enter
	wait_for 80 on_screen 'T2 Z'
	screen | grep '^[│┌└]' >box
	[ "$(wc -l <box)" -ge 6 ]
	while IFS= read -r line; do [ "$(wc -L <<<"$line")" = 59 ]; done <box
	touch go
}

@test "Ctrl-Z, Ctrl-C and kill -9 leave the terminal as it was" {
	plan_of 2 'until [ -e go ]; do sleep 0.1; done'
	terminal 80 24
	start loop-sched run plan.json --id night
	type 'stty -a >before; loop-stream show night' Enter
	wait_for 80 on_screen 'detach'
	type C-z
	wait_for 40 on_screen 'Stopped'
	type 'stty -a >stopped' Enter
	clear_to stopped
	type fg Enter
	wait_for 80 on_screen 'detach'
	cmp before stopped
	type C-c
	wait_for 40 on_screen '^ready$'
	type 'stty -a >after; echo "status $?"' Enter
	wait_for 40 on_screen '^status 0'
	cmp before after
	[ "$(tm display-message -p '#{cursor_flag}')" = 1 ]
	clear_to again
	type 'loop-stream show night' Enter
	wait_for 80 on_screen 'detach'
	kill -KILL "$(pgrep -f "loop-stream show night" -P "$(tm display-message -p '#{pane_pid}')")"
	wait_for 40 on_screen 'Killed'
	type 'stty -a >killed; echo "status $?"' Enter
	wait_for 40 on_screen '^status 0'
	cmp before killed
	[ "$(tm display-message -p '#{cursor_flag}')" = 1 ]
	kill -0 "$started" # the run goes on
	touch go
}

@test "colour, unless NO_COLOR asks for none; a dumb terminal gets lines" {
	plan_of 2 true
	terminal 80 24
	type 'loop-sched run plan.json --id night >/dev/null; clear; loop-stream show night' Enter
	wait_for 80 on_screen '^night succeeded'
	plan_of 1 'until [ -e go ]; do sleep 0.1; done'
	start loop-sched run plan.json --id day
	coloured() { screen -e | grep -q $'▶' && screen -e | grep '▶' | grep -q $'\033\[3'; }
	type 'clear; loop-stream show day' Enter
	wait_for 80 coloured
	type d
	wait_for 40 on_screen 'come back with'
	type 'clear; NO_COLOR=1 loop-stream show day' Enter
	wait_for 80 on_screen '▶'
	! screen -e | grep '▶' | grep $'\033\[' || false
	type d
	wait_for 40 on_screen 'come back with'
	type 'clear; TERM=dumb loop-stream show day' Enter
	wait_for 40 on_screen '^[0-9:]* \[0/1\] T0 running'
	! on_screen 'detach' || false
	touch go
	wait_for 80 on_screen '^day succeeded'
}

@test "the time that is left is shown once runs of this plan have been seen" {
	plan_of 8 'sleep 0.5'
	loop-sched run plan.json --id first -j 4 >/dev/null
	jq '.tasks[7].run = "sleep 30"' plan.json >more.json
	sed -i 's/"sleep 0.5"/"sleep 4"/g' more.json && mv more.json plan.json
	terminal 110 24
	start loop-sched run plan.json --id night -j 1
	type 'clear; loop-stream show night' Enter
	wait_for 120 on_screen '[0-9]+s left'
	loop-sched cancel night
}
