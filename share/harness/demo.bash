# demo: a whole night in ten seconds, with nothing installed but this. To be sourced by loop.
# shellcheck shell=bash disable=SC2154,SC2016,SC2317 # bin is the program's

# A scratch repository, the demo's plan, the mock agent: everything else is as on a real night.
demo() {
	local port
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/loop-demo-XXXXXX") || exit 73
	readonly scratch # the trap runs when this function's own variables are gone
	[[ ${OPT[keep]-} ]] || trap 'rm -rf -- "${scratch:?}"' EXIT
	unset LOOP_DIR "${!LOOP_RUN@}" "${!LOOP_TASK@}"
	cp -R "$(share examples/demo)/project/." "$scratch" && cd "$scratch" || exit 73
	safe_git init -q -b main . && safe_git add -A && safe_git "${AUTHOR[@]}" commit -q -m 'An empty toolbox' || exit 73
	port=$((20000 + RANDOM % 20000))
	LOOP_MOCK_SCRIPT=$(share examples/demo)/mock
	export LOOP_MOCK_SCRIPT
	printf 'A scratch repository in %s; watch it meanwhile with\n    curl -N http://127.0.0.1:%s/events\n\n' "$scratch" "$port"
	printf '$ loop run prd.json --agent mock --listen 127.0.0.1:%s\n' "$port"
	"$bin/loop" run prd.json --agent mock --listen "127.0.0.1:$port"
}
