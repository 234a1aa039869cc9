# spawn: sessions with the scripted agent, for the .bats files of loop-spawn and of the agents.
# shellcheck shell=bash disable=SC2154 # run sets status, output and stderr

setup_more() {
	export LOOP_MOCK_SCRIPT=$SCRATCH/script.json
	echo 'do it' >prompt
}

script() {
	printf '%s' "$1" >"$LOOP_MOCK_SCRIPT"
}

mock() {
	loop-spawn --agent mock --prompt prompt "$@"
}

result() { # FILTER: over the newest result.json
	local newest
	newest=$(find "$LOOP_DIR/sessions" -name result.json -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
	jq -r "$1" "$newest"
}

events() { # TYPE
	jq -c --arg type "$1" 'select(.type == $type)' "$LOOP_DIR/events.jsonl"
}

# ends REASON STATUS COMMAND…
ends() {
	local reason=$1 want=$2
	shift 2
	status_is "$want" "$@"
	[ "$(result .reason)" = "$reason" ] || {
		echo "reason $(result .reason): $(result .message)" >&2
		return 1
	}
}

# The agent of this name with its own map, its words played by loop-mock.
stand_in() { # AGENT [DIALECT]
	mkdir -p "$LOOP_DIR/agents/$1"
	printf '#!/bin/sh\nexec loop-mock --dialect "%s"\n' "${2:-claude}" >"$LOOP_DIR/agents/$1/run"
	chmod +x "$LOOP_DIR/agents/$1/run"
	jq -n --arg map "$SOURCE_TREE/share/agents/$1/map.jq" '{map: $map}' >"$LOOP_DIR/agents/$1/agent.json"
}
