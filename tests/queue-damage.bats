# What a queue in files makes of damage that no process of its own has done, of folders that cannot
# be written to, and of a clock that jumps.
load helper

queue() { echo "$LOOP_DIR/queues/q/$1"; }

# spoil FILE OFFSET BYTES: overwrites them.
spoil() {
	printf '%s' "$3" | dd of="$(queue "$1")" bs=1 seek="$2" conv=notrunc status=none
}

counts() {
	loop-queue stats --json q | jq -r '"\(.ready) \(.delayed) \(.claimed) \(.buried)"'
}

put_three() {
	printf '{"body":"%s"}\n' one two three | loop-queue put --jsonl q >/dev/null
}

@test "the line of an item is damaged: the others are served, and fsck says which" {
	put_three
	spoil 1.items 100 x
	[ "$(loop-queue peek q | jq -r .body)" = two ]
	[ "$(timeout 10 loop-queue claim -n 9 q | jq -r .body | tr '\n' ' ')" = 'two three ' ]
	status_is 1 timeout 10 loop-queue claim q
	[ "$(jq -r '.type + " " + .data.id + " " + .data.why' "$LOOP_DIR/events.jsonl")" = \
		'queue.buried 1.0 its line is damaged' ]
	status_is 1 loop-queue fsck q
	[ "$output" = 'item 1.0: its line is damaged' ]
	status_is 0 loop-queue fsck --repair q
	status_is 0 loop-queue fsck q
}

@test "the line of a delayed item is damaged" {
	loop-queue put q later --delay 100ms >/dev/null
	spoil 1.items 100 x
	sleep 0.1
	status_is 1 timeout 10 loop-queue claim --wait 200ms q
	status_is 1 loop-queue fsck q
}

@test "a body is damaged: it is nobody's work, export says so, and the rest goes on" {
	put_three
	spoil 1.bodies 14 X
	status_is 65 loop-queue export q
	[ "$(jq -r .body <<<"$output" | tr '\n' ' ')" = 'two three ' ]
	has "$stderr" 'item 1.0 is damaged'
	[ "$(loop-queue list --json q | jq -c '[.body, .damaged]' | head -n 1)" = '["oXe",true]' ]
	[ "$(loop-queue claim q | jq -r .body)" = two ]
	[ "$(counts)" = '1 0 1 1' ]
	[ "$(loop-queue peek q 1.0 | jq -r .why)" = 'its body is damaged' ]
}

@test "the key of an item is damaged: its body is kept" {
	loop-queue put q body --key K >/dev/null
	spoil 1.bodies 18 x
	status_is 1 loop-queue fsck q
	loop-queue fsck --repair q
	status_is 0 loop-queue fsck q
	[ "$(loop-queue peek q 1.0 | jq -r '.state + " " + .body')" = 'buried body' ]
}

@test "the index is damaged, torn, or gone: it is made anew" {
	seq 3000 | sed 's/.*/{"body":"&"}/' | loop-queue put --jsonl q >/dev/null
	spoil index 260 nonsense
	[ "$(counts)" = '3000 0 0 0' ]
	truncate -s 300 "$(queue index)"
	[ "$(counts)" = '3000 0 0 0' ]
	rm "$(queue index)"
	[ "$(counts)" = '3000 0 0 0' ]
	spoil index 171 '         5' # the best priority of the first block
	[ "$(timeout 10 loop-queue claim -n 1 q | jq -r .body)" = 1 ]
	truncate -s 256 "$(queue index)"
	status_is 1 loop-queue fsck q
	[ "$output" = $'block 2: not in the index\nblock 3: not in the index' ]
	loop-queue fsck --repair q
	[ "$(counts)" = '2999 0 1 0' ]
	[ "$(loop-queue claim -n 3000 q | jq -r .body | sort -n | uniq | wc -l)" -eq 2999 ]
}

@test "a folder that cannot be written to" {
	[ "$(id -u)" = 0 ] || skip 'root mounts it'
	put_three
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m sh -c 'mount --bind "$LOOP_DIR" "$LOOP_DIR" && mount -o remount,ro,bind "$LOOP_DIR"' ||
		skip 'nothing can be mounted here'
	# shellcheck disable=SC2016
	for verb in 'put q x' 'claim q' 'stats q' 'pause q' 'drain q' 'fsck q'; do
		status_is 77 unshare -m sh -c 'mount --bind "$LOOP_DIR" "$LOOP_DIR"
			mount -o remount,ro,bind "$LOOP_DIR"; exec loop-queue $1' - "$verb"
		has "$stderr" 'Read-only file system'
	done
	[ "$(counts)" = '3 0 0 0' ]
}

@test "the wall clock jumps an hour: leases and delays are as long as they were" {
	cc -shared -fPIC -o jump.so "$SOURCE_TREE/tests/tools/preload/clockjump.c"
	export CLOCK_JUMP=$SCRATCH/jump LD_PRELOAD=$SCRATCH/jump.so
	export ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS:-}
	local jump id token
	echo 0 >jump
	for jump in 3600 -3600; do
		id=$(loop-queue put q x --lease 10m)
		loop-queue put q later --delay 30m >/dev/null
		token=$(loop-queue claim q | jq -r .token)
		echo "$jump" >jump
		status_is 1 loop-queue claim q
		[ "$(counts)" = '0 1 1 0' ]
		status_is 0 loop-queue touch q "$id" "$token"
		status_is 0 loop-queue ack q "$id" "$token"
		loop-queue put q now >/dev/null
		[ "$(loop-queue claim q | jq -r .body)" = now ]
		loop-queue purge q --state ready,delayed,claimed
		echo 0 >jump
	done
}
