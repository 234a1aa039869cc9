load helper

# kb LETTER: a value of 1024 bytes.
kb() {
	head -c 1024 /dev/zero | tr '\0' "$1"
}

# kept [SCOPE]: the keys of a scope, sorted, on one line.
kept() {
	loop-cache list --json -s "${1:-default}" | jq -r .key | sort | tr '\n' ' '
}

# count NAME [SCOPE]: one of its counts.
count() {
	loop-cache stats --json -s "${2:-default}" | jq ".$1"
}

# held: the bytes of all contents, as one moment has them.
held() {
	flock "$LOOP_DIR/cache/default/lock" find "$LOOP_DIR/cache/default/objects" -type f -printf '%s\n' |
		awk '{ n += $1 } END { print n + 0 }'
}

@test "set, get, has, delete: values of any bytes, by keys of any text" {
	status_is 1 loop-cache get a
	[ ! -e "$LOOP_DIR" ]
	status_is 0 loop-cache set a 'a value'
	[ -z "$output$stderr" ]
	status_is 0 loop-cache get a
	[ "$output" = 'a value' ]
	head -c 300000 /dev/urandom >bytes
	loop-cache set 'some/key with * and ä' <bytes
	loop-cache get 'some/key with * and ä' | cmp - bytes
	loop-cache set empty ''
	status_is 0 loop-cache get empty
	[ -z "$output" ]
	status_is 0 loop-cache has a
	status_is 1 loop-cache has b
	[ "$(count hits)" -eq 3 ]
	[ "$(count misses)" -eq 0 ]
	loop-cache set a other
	[ "$(loop-cache get a)" = other ]
	status_is 1 loop-cache delete a b
	status_is 1 loop-cache get a
	[ "$(count hit_rate)" = 0.8 ]
	status_is 64 loop-cache set ''
	status_is 64 loop-cache set $'\xff' x
	status_is 64 loop-cache get -s ../x a
}

@test "what is too old is a miss, and gc removes it" {
	loop-cache set --ttl 60ms a 1
	loop-cache set --ttl 1h b 2
	wait_for 20 bash -c '! loop-cache has a'
	status_is 1 loop-cache get a
	[ "$(count expired)" -ge 1 ]
	status_is 1 loop-cache get --max-age 0 b
	status_is 0 loop-cache get --max-age 1h b
	[ "$(count entries)" -eq 2 ]
	loop-cache gc
	[ "$(count entries)" -eq 1 ]
}

@test "lru, lfu and ttl evict what they say, and what has expired before all" {
	local policy
	for policy in lru lfu ttl; do
		loop-cache set -s $policy --policy $policy --max-size 3K --ttl 3h a "$(kb a)"
		loop-cache set -s $policy --ttl 2h b "$(kb b)"
		loop-cache set -s $policy --ttl 1h c "$(kb c)"
		for key in a a c b; do loop-cache get -s $policy $key >/dev/null; done
		loop-cache set -s $policy --ttl 9h d "$(kb d)"
		[ "$(count evicted $policy)" -eq 1 ]
	done
	[ "$(kept lru)" = 'b c d ' ]
	[ "$(kept lfu)" = 'a b d ' ]
	[ "$(kept ttl)" = 'a b d ' ]
	loop-cache set -s lru --ttl 1ms c "$(kb c)"
	loop-cache set -s lru e "$(kb e)"
	[ "$(kept lru)" = 'b d e ' ]
}

@test "a bound is taken in by gc, a larger value refused, the old one of its key kept" {
	local key
	for key in a b c d; do loop-cache set $key "$(kb $key)"; done
	loop-cache gc --max-size 2K
	[ "$(kept)" = 'c d ' ]
	status_is 73 loop-cache set c "$(kb c)$(kb c)$(kb c)"
	has "$stderr" 'c: is larger than scope default may be'
	[ "$(loop-cache get c)" = "$(kb c)" ]
	loop-cache set --max-entries 1 e 1
	[ "$(kept)" = 'e ' ]
	loop-cache gc --max-entries 0 --max-size 0
	head -c 5000 /dev/zero | loop-cache set large
	[ "$(kept)" = 'e large ' ]
}

@test "equal contents are stored once, between a scope and its parent too" {
	loop-cache set a "$(kb x)"
	loop-cache set b "$(kb x)"
	[ "$(count bytes)" -eq 1024 ]
	[ "$(count objects)" -eq 1 ]
	loop-cache set -s child --parent default c "$(kb x)"
	[ "$(find "$LOOP_DIR/cache" -path '*objects*' -type f -printf '%i\n' | sort -u | wc -l)" -eq 1 ]
	loop-cache delete a
	[ "$(loop-cache get b)" = "$(kb x)" ]
	loop-cache delete b
	[ "$(held)" -eq 0 ]
	[ "$(loop-cache get -s child c)" = "$(kb x)" ]
}

@test "scopes inherit, hide and keep to themselves" {
	loop-cache set a project
	loop-cache set -s mid --parent default b mid
	loop-cache set -s run --parent mid c run
	[ "$(loop-cache get -s run a)" = project ]
	[ "$(LOOP_CACHE_SCOPE=run loop-cache get b)" = mid ]
	loop-cache set -s run a own
	[ "$(loop-cache get -s run a)" = own ]
	[ "$(loop-cache get a)" = project ]
	loop-cache delete -s run a
	[ "$(loop-cache get -s run a)" = project ]
	status_is 1 loop-cache get b
	status_is 64 loop-cache set --parent run x 1
	has "$stderr" 'scope default cannot inherit from run'
	loop-cache gc -s run --parent -
	status_is 1 loop-cache get -s run a
}

@test "invalidate by pattern, list by pattern" {
	local key
	for key in 'src/a' 'src/b/c' 'test/a' $'new\nline'; do loop-cache set "$key" 1; done
	status_is 0 loop-cache invalidate --print 'src/*'
	[ "$(sort <<<"$output" | tr '\n' ' ')" = 'src/a src/b/c ' ]
	status_is 1 loop-cache invalidate 'src/*'
	has "$(loop-cache list)" 'new\nline'
	[ "$(loop-cache list --json 'test*' | jq -c '[.key, .size, .uses]')" = '["test/a",1,0]' ]
	status_is 0 loop-cache invalidate '*'
	[ -z "$(kept)" ]
}

@test "export and import: what is torn or changed is refused, what came before is in" {
	head -c 100000 /dev/urandom >bytes
	loop-cache set a <bytes
	loop-cache set --ttl 1h b 'a value'
	loop-cache run -k build -o out -- sh -c 'mkdir out; echo made >out/x; echo said'
	loop-cache export >all
	loop-cache export 'a' >one
	LOOP_DIR=$SCRATCH/other loop-cache import all
	LOOP_DIR=$SCRATCH/other loop-cache get a | cmp - bytes
	[ "$(LOOP_DIR=$SCRATCH/other loop-cache list --json b | jq 'has("expires")')" = true ]
	rm -rf out
	[ "$(LOOP_DIR=$SCRATCH/other loop-cache run -k build -o out -- sh -c 'mkdir out; echo made >out/x; echo said')" = said ]
	[ "$(<out/x)" = made ]
	head -c 50000 one | status_is 65 env LOOP_DIR="$SCRATCH/torn" loop-cache import
	has "$(LOOP_DIR=$SCRATCH/torn loop-cache list)" KEY
	sed 's/a value/b value/' all >changed
	status_is 65 loop-cache import changed
	status_is 65 loop-cache import bytes
	status_is 66 loop-cache import missing
}

@test "damaged entries, contents and tables are noticed" {
	local file
	loop-cache set a one
	loop-cache set b one
	loop-cache set c three
	for file in "$LOOP_DIR"/cache/default/objects/*/*; do
		[ "$(<"$file")" != one ] || printf 'two' >"$file"
	done
	status_is 1 loop-cache get a
	status_is 1 loop-cache has b
	[ "$(loop-cache get c)" = three ]
	[ "$(count damaged)" -eq 2 ]
	loop-cache set a one
	[ "$(loop-cache get a)" = one ]
	for file in "$LOOP_DIR"/cache/default/entries/*/*; do sed -i 's/three\|"c"/"d"/' "$file"; done
	status_is 1 loop-cache get c
	status_is 1 loop-cache get d
	truncate -s 700 "$LOOP_DIR/cache/default/table"
	[ "$(loop-cache get a)" = one ]
	loop-cache set e 5
	tr 'e' 'q' <"$LOOP_DIR/cache/default/table" >table
	cp table "$LOOP_DIR/cache/default/table"
	[ "$(loop-cache get e)" = 5 ]
	loop-cache gc
	[ "$(kept)" = 'a e ' ]
}

@test "run replays output, error, status and files, for the same inputs, words and variables" {
	run_it() {
		CC=$1 loop-cache run --why -k build -i in -i src -o out -o made/file -e CC --status 0,3 -- \
			sh -c 'echo run >>runs; cat in; echo oops >&2; mkdir -p out/sub made; cp in out/sub/x
				chmod 755 out/sub/x; ln -sf sub/x out/link; echo f >made/file; exit 3'
	}
	mkdir src
	echo 1 >in
	echo 1 >src/a
	status_is 3 run_it gcc
	[ "$output" = 1 ]
	[ "$stderr" = "loop-cache: build: it was not run before
oops" ]
	rm -rf out made
	status_is 3 run_it gcc
	[ "$output" = 1 ]
	[ "$stderr" = oops ]
	[ "$(wc -l <runs)" -eq 1 ]
	[ "$(<out/link)" = 1 ]
	[ -x out/sub/x ]
	[ -L out/link ]
	[ "$(<made/file)" = f ]
	status_is 3 run_it clang
	has "$stderr" 'build: environment CC has changed'
	echo 2 >src/a
	status_is 3 run_it clang
	has "$stderr" 'build: input src/a has changed'
	touch src/b
	status_is 3 run_it clang
	has "$stderr" 'build: input src has changed' || has "$stderr" 'input src/b is new'
	rm src/b
	echo 1 >src/a
	status_is 3 run_it gcc
	[ "$stderr" = oops ]
	[ "$(wc -l <runs)" -eq 4 ]
}

@test "run says why: command, expiry, eviction, a status that is not kept" {
	status_is 3 loop-cache run -w -k k -- sh -c 'exit 3'
	status_is 3 loop-cache run -w -k k -- sh -c 'exit 3'
	has "$stderr" 'k: the last run was not kept: status 3'
	status_is 0 loop-cache run -w -k k --ttl 1ms -- true
	has "$stderr" 'k: command has changed'
	status_is 0 loop-cache run -w -k k -- true
	has "$stderr" 'k: what was kept has expired'
	loop-cache invalidate 'k@*'
	status_is 1 loop-cache run -n -w -k k -- true
	has "$stderr" 'k: what was kept has been removed or evicted'
	status_is 0 loop-cache run -k k --report report -- true
	jq -e '.hit == false and .status == 0 and (.key | startswith("k@"))' report
	status_is 0 loop-cache run -k k --report report -- true
	jq -e '.hit and (.age_ms >= 0)' report
	status_is 0 loop-cache run -n -k k -- true
	status_is 0 loop-cache run -r -w -k k -- true
	has "$stderr" 'k: it was to be refreshed'
}

@test "run: what cannot be kept is not, and the command runs all the same" {
	status_is 0 loop-cache run -k a -o never -- true
	has "$stderr" 'a: not kept: output never was not made'
	status_is 0 loop-cache run -k b --max-size 10 -- echo 'more than ten bytes'
	has "$stderr" 'b: not kept: what it wrote: File too large'
	[ "$output" = 'more than ten bytes' ]
	echo 1 >in
	status_is 0 loop-cache run -k c -i in --max-size 1M -- sh -c 'echo 2 >in'
	has "$stderr" 'c: not kept: input in has changed while it ran'
	status_is 143 loop-cache run -k d --status 0-255 -- sh -c 'kill $$'
	[ -z "$(kept)" ]
	LOOP_DIR=/proc/no status_is 0 loop-cache run -- echo fine
	[ "$output" = fine ]
	has "$stderr" 'nothing is kept'
	status_is 125 loop-cache run -i missing -- true
	has "$stderr" 'input missing: No such file or directory'
	status_is 127 loop-cache run -- no-such-command
	status_is 126 loop-cache run -- /etc/passwd
	status_is 125 loop-cache run -- </dev/null
}

@test "run: outputs below an input, outputs by variable, standard input, a strict environment" {
	mkdir work && echo 1 >work/src
	for _ in 1 2; do loop-cache run -k all -i work -o work/out -- sh -c 'echo r >>runs; cp work/src work/out'; done
	[ "$(wc -l <runs)" -eq 1 ]
	for n in 1 2; do
		LOOP_OUTPUT=$SCRATCH/$n.json loop-cache run -k v --output-var LOOP_OUTPUT -- \
			sh -c 'echo r >>runs; echo "{}" >"$LOOP_OUTPUT"'
	done
	[ "$(<2.json)" = '{}' ]
	[ "$(wc -l <runs)" -eq 2 ]
	[ "$(echo a | loop-cache run -k in --stdin -- cat)" = a ]
	[ "$(echo b | loop-cache run -k in --stdin -- cat)" = b ]
	[ -z "$(echo c | loop-cache run -k no -- cat)" ]
	[ "$(SEEN=1 HIDDEN=2 loop-cache run -k s --strict-env -e SEEN -- sh -c 'echo $SEEN$HIDDEN')" = 1 ]
}

@test "sixteen runs of one key at once compute once; a part of it does not wait for itself" {
	local i pids=()
	for i in {1..16}; do
		loop-cache run -k one -- sh -c 'echo r >>runs; sleep 0.2; echo out' >"out.$i" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(wc -l <runs)" -eq 1 ]
	[ "$(cat out.* | sort | uniq -c | tr -s ' ')" = ' 16 out' ]
	[ "$(count hits)" -eq 15 ]
	[ "$(count misses)" -eq 1 ]
	status_is 0 timeout 20 loop-cache run -k twice -- loop-cache run -k twice -- loop-cache run -k twice -- echo deep
	[ "$output" = deep ]
}

@test "the bound holds while many write at once" {
	local i pids=()
	writer() {
		local n
		for n in {1..12}; do
			head -c $((RANDOM % 3000)) /dev/urandom | loop-cache set --max-size 20K "$1.$n"
			[ "$(held)" -le 20480 ] || echo over
		done
	}
	for i in {1..8}; do writer "$i" >"over.$i" 2>&1 3>&- & pids+=($!); done
	wait "${pids[@]}"
	! grep . over.* || false
	[ "$(count bytes)" -eq "$(held)" ]
	[ "$(count stored)" -eq 96 ]
	[ "$(count entries)" -eq $((96 - $(count evicted))) ]
}

@test "a run that is killed leaves nothing running, nothing kept and no one waiting" {
	start loop-cache run -k k -- sh -c 'echo r >>runs; sleep 60 & sleep 61'
	wait_for 20 test -s runs
	kill -KILL "$started"
	wait_for 80 nothing_left
	[ -z "$(kept)" ]
	status_is 0 timeout 10 loop-cache run -k k -- echo free
	start loop-cache run -k t -- sh -c 'trap "echo ended >>runs; exit 5" TERM; echo >>runs; while :; do sleep 0.05; done'
	wait_for 20 bash -c '[ $(wc -l <runs) -eq 2 ]'
	kill -TERM "$started"
	wait_for 20 grep -q ended runs
	wait_for 80 nothing_left
}

@test "killed at any moment, and at every one of set, no entry is wrong" {
	"$SOURCE_TREE/tests/fault/kill-cache" 8 1
	command -v strace >/dev/null || skip 'no strace: only at random moments'
	[[ $BUILD_DIR != */san ]] || skip 'most calls are those of the sanitizers'
	KINDS=KILL "$SOURCE_TREE/tests/fault/sweep-cache" set
}

@test "hits are counted without a lock: all of them, by many at once, and of what is inherited" {
	local i pids=()
	loop-cache set -s base k v
	loop-cache set -s heir -p base own v
	for ((i = 0; i < 8; i++)); do
		(for j in 1 2 3 4 5; do loop-cache get -s heir k && loop-cache get -s heir own; done >/dev/null) &
		pids+=($!)
	done
	wait "${pids[@]}"
	[ "$(loop-cache stats --json -s heir | jq .hits)" -eq 80 ]
	[ "$(loop-cache stats --json -s base | jq .hits)" -eq 0 ]
	[ "$(loop-cache list -s base --json | jq .uses)" -eq 40 ]
	[ "$(loop-cache list -s heir --json | jq .uses)" -eq 40 ]
	printf 'rubbish\n' >>"$LOOP_DIR/cache/heir/hits"
	loop-cache get -s heir own
	loop-cache get -s heir own
	[ "$(loop-cache stats --json -s heir | jq .hits)" -ge 81 ]
	truncate -s 0 "$LOOP_DIR/cache/heir/hits"
	loop-cache get -s heir own
	[ "$(loop-cache stats --json -s heir | jq .hits)" -ge 82 ]
}
