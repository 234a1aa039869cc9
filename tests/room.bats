load helper

# A disk that fills up in the middle of a run: new work is held, and nothing is lost.

# Where nobody may mount a small disk, statvfs is answered from the file "free".
small_disk() {
	cat >statvfs.c <<-'C'
		#include <stdio.h>
		#include <stdlib.h>
		#include <sys/statvfs.h>
		int statvfs(const char *path, struct statvfs *v)
		{
			FILE *f = fopen(getenv("FREE"), "r");
			unsigned long n = 0;
			if (!path || !f || fscanf(f, "%lu", &n) != 1) return -1;
			fclose(f);
			*v = (struct statvfs){.f_frsize = 1, .f_bavail = n};
			return 0;
		}
	C
	"${CC:-cc}" -shared -fPIC -o statvfs.so statvfs.c
	with_it=(env "LD_PRELOAD=$SCRATCH/statvfs.so" ASAN_OPTIONS=verify_asan_link_order=0 "FREE=$SCRATCH/free")
	free 10000000
}

free() { # BYTES, at once
	echo "$1" >free.new && mv free.new free
}

@test "a run without room is held, says why, and goes on by itself" {
	small_disk
	cat >plan.json <<-'JSON'
		{"name": "p", "tasks": [{"id": "a", "run": "echo 5000 >free.a && mv free.a free"}, {"id": "b", "run": "echo b >b"}]}
	JSON
	start "${with_it[@]}" loop-sched run --id r -j 1 --min-memory 1 plan.json
	wait_for 240 grep -qs '"run":"held"' "$LOOP_DIR/runs/r/run.jsonl"
	has "$("${with_it[@]}" loop-sched status r)" "held"
	has "$("${with_it[@]}" loop-sched status r)" "held: $LOOP_DIR/runs/r: 4.9K free, and new work starts with 1.0M"
	[ "$("${with_it[@]}" loop-sched status --json r | jq -r .state)" = held ]
	has "$("${with_it[@]}" loop-sched why b r)" "the run starts nothing new: $LOOP_DIR/runs/r: 4.9K free"
	wait_for 240 grep -q run.needs_human "$LOOP_DIR/events.jsonl"
	[ ! -e b ]
	free 10000000
	wait_for 240 gone "$started"
	[ "$(cat b)" = b ]
	[ "$(grep -c 'run.needs_human' "$LOOP_DIR/events.jsonl")" = 1 ]
	[ "$(jq -r 'select(.run) | .run' "$LOOP_DIR/runs/r/run.jsonl" | paste -sd ' ')" = 'started held released ended' ]
	[ "$(jq -r 'select(.run == "ended") | .state' "$LOOP_DIR/runs/r/run.jsonl")" = succeeded ]
	events_conform
}

@test "what could not be started for want of room is started when there is some" {
	cat >refuse.c <<-'C'
		#include <errno.h>
		#include <fcntl.h>
		#include <string.h>
		#include <sys/stat.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		int mkdirat(int dir, const char *path, mode_t mode)
		{
			static int refused;
			if (strcmp(path, "slots") == 0 && !refused++) return errno = ENOSPC, -1;
			return (int)syscall(SYS_mkdirat, dir, path, mode);
		}
	C
	"${CC:-cc}" -shared -fPIC -o refuse.so refuse.c
	echo '{"name": "p", "tasks": [{"id": "a", "run": "echo a >>ran"}, {"id": "b", "run": "echo b >>ran"}]}' >plan.json
	start env "LD_PRELOAD=$SCRATCH/refuse.so" ASAN_OPTIONS=verify_asan_link_order=0 \
		loop-sched run --id r -j 1 plan.json
	wait_for 60 gone "$started"
	[ "$(paste -sd ' ' ran)" = 'a b' ]
	[ "$(jq -r 'select(.run) | .run' "$LOOP_DIR/runs/r/run.jsonl" | paste -sd ' ')" = 'started held released ended' ]
}

@test "an attempt that fails while there is no room does not count" {
	small_disk
	cat >plan.json <<-'JSON'
		{"name": "p", "tasks": [{"id": "a", "run": "[ $LOOP_ATTEMPT = 2 ] || { echo 5 >free.a && mv free.a free && false; }"},
		{"id": "b", "run": "false"}]}
	JSON
	start "${with_it[@]}" loop-sched run --id r -j 1 --attempts 1 plan.json
	wait_for 240 grep -qs '"run":"held"' "$LOOP_DIR/runs/r/run.jsonl"
	free 10000000
	wait_for 240 gone "$started"
	[ "$(jq -r 'select(.run == "ended") | .counts | tostring' "$LOOP_DIR/runs/r/run.jsonl")" = '{"succeeded":1,"failed":1}' ]
	[ "$(jq -r 'select(.state == "retrying") | "\(.task) \(.spared) \(.reason)"' "$LOOP_DIR/runs/r/run.jsonl")" = 'a true there was no room' ]
}

@test "a run that is held can be stopped, and gone on with" {
	small_disk
	free 5
	echo '{"name": "p", "tasks": [{"id": "a", "run": "echo a >a"}]}' >plan.json
	start "${with_it[@]}" loop-sched run --id r plan.json
	wait_for 240 grep -qs '"run":"held"' "$LOOP_DIR/runs/r/run.jsonl"
	kill -TERM "$started"
	wait_for 240 gone "$started"
	[ ! -e a ]
	free 10000000
	status_is 0 "${with_it[@]}" loop-sched resume r
	[ "$(cat a)" = a ]
}

@test "room can be asked for" {
	status_is 0 loop-sched room
	status_is 0 loop-sched room --min-disk 0 --min-memory 1M .
	status_is 1 loop-sched room --min-disk 999999G /none .
	has "$output" ".: "
	has "$output" "free, and new work starts with 977T"
	status_is 64 loop-sched room --min-disk much
}

# ---- a disk that is full --------------------------------------------------------------------------

real_disk() { # SIZE
	mkdir disk
	mount -t tmpfs -o "size=$1" none disk 2>/dev/null || skip 'may not mount'
	export LOOP_DIR=$SCRATCH/disk/.loop
}

teardown_more() {
	if mountpoint -q disk 2>/dev/null; then umount -l disk; fi
}

fill() { # to the last byte
	dd if=/dev/zero of=disk/filler bs=4K 2>/dev/null || true
	dd if=/dev/zero of=disk/filler2 bs=1 2>/dev/null || true
}

@test "a disk that is full in the middle of a run loses nothing that was said" {
	real_disk 4m
	printf '{"project":"p","userStories":[{"id":"A","title":"a","passes":false},{"id":"B","title":"b","passes":false},{"id":"C","title":"c","passes":false,"dependencies":["A"]}]}\n' >disk/plan.json
	echo 'touch at-$LOOP_TASK; until [ -e go ]; do sleep 0.02; done; echo $LOOP_TASK >>ended' >story
	start sh -c 'exec loop-sched run --id r -j 2 --attempts 1 --min-disk 0 --run "sh story" disk/plan.json 2>said'
	wait_for 240 test -e at-B
	fill
	touch go
	wait_for 240 eval '[ "$(sort ended 2>/dev/null | paste -sd " ")" = "A B" ]'
	# With --min-disk 0 only the writes that are refused tell of it.
	wait_for 240 grep -q 'r: held: .*No space left' said
	kill -0 "$started"
	rm disk/filler disk/filler2
	wait_for 240 gone "$started"
	[ "$(sort ended | paste -sd ' ')" = 'A B C' ]
	[ "$(grep -o '"passes":true' disk/plan.json | wc -l)" = 3 ]
	[ "$(jq -r 'select(.run == "ended") | .counts.succeeded' "$LOOP_DIR/runs/r/run.jsonl")" = 3 ]
	[ "$(jq -r 'select(.type == "task.completed" and .data.success) | .data.task' "$LOOP_DIR/events.jsonl" | sort | paste -sd ' ')" = 'A B C' ]
	loop-bus verify
}
