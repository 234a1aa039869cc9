load helper

make_quietly() {
	env -u MAKEFLAGS make -s -C "$SOURCE_TREE" BUILD="$(basename "$BUILD_DIR")" "$@" >made 2>&1 || { cat made && false; }
}

@test "what is installed is whole, runs from where it lies, and can be taken away" {
	make_quietly install DESTDIR="$SCRATCH/root" PREFIX=/usr
	local main program
	for main in "$SOURCE_TREE"/cmd/*/main.*; do
		program=$(basename "$(dirname "$main")")
		[ -x "root/usr/bin/$program" ]
		[ -f "root/usr/share/man/man1/$program.1" ]
	done
	[ -f root/usr/share/man/man7/loop-events.7 ] && [ -f root/usr/share/man/man5/loop-plan.5 ]
	grep -q '^ExecStart=/usr/bin/loop run ' root/usr/lib/systemd/user/loop-run@.service
	PATH=$SCRATCH/root/usr/bin:/usr/bin:/bin status_is 0 loop story --version
	has "$output" "$(sed -n 's/^.define LOOP_VERSION "\(.*\)"/\1/p' "$SOURCE_TREE/common/version.h")"
	TMPDIR=$SCRATCH PATH=$SCRATCH/root/usr/bin:/usr/bin:/bin status_is 0 loop demo
	has "$output" "7 of 7 stories done"
	make_quietly uninstall DESTDIR="$SCRATCH/root" PREFIX=/usr
	[ -z "$(find root -type f)" ]
}

@test "the page of events has every schema, and each of its members" {
	local file page=$BUILD_DIR/man/loop-events.7
	for file in "$SOURCE_TREE"/share/schemas/*.json; do
		case $file in */plan.json | */event.json) continue ;; esac
		grep -qx ".It Ic $(basename "$file" .json)" "$page"
	done
	grep -q '^.It cost_usd$' "$page"
	if command -v mandoc >/dev/null; then [ -z "$(mandoc -Tlint -Wwarning "$page")" ]; fi
}

@test "whatever the scripts of systemd name is there" {
	local unit program
	for unit in "$SOURCE_TREE"/share/systemd/*.service; do
		program=$(sed -n 's|^ExecStart=/usr/local/bin/\([a-z-]*\).*|\1|p' "$unit")
		command -v "$program"
	done
}
