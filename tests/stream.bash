# stream.bash: a loop-stream server on a free port, and clients of it; loaded behind helper.

setup_more() {
	PATH=$BUILD_DIR/tests/tools:$PATH
}

# serve OPTION…: sets $port and $url.
# shellcheck disable=SC2034 # they are for the tests
serve() {
	rm -f port
	start loop-stream serve --listen 127.0.0.1:0 --port-file port "$@"
	wait_for 40 test -s port
	port=$(<port)
	url=http://127.0.0.1:$port
}

get() {
	curl --silent --show-error --max-time 10 "$@"
}

# follow FILE PATH…: curl in the background, its stream in a file.
follow() {
	local file=$1
	shift
	start curl --silent --no-buffer --max-time 30 --output "$file" "$@"
	wait_for 40 grep -qs '^retry' "$file"
}

# talk PATH: a WebSocket whose messages are what is written to descriptor 7; what it gets is in got.
talk() {
	rm -f messages
	mkfifo messages
	exec 7<>messages
	rm messages
	: >got
	wstalk "$port" "$1" <&7 >got 3>&- &
	started=$!
	STARTED+=("$started")
}

heard() {
	wait_for 40 grep -qF -- "$1" got
}
