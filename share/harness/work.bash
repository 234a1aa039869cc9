# work: the endless harness over a queue. To be sourced by loop.
# shellcheck shell=bash
work_queue() {
	die 69 'loop work needs loop-queue, which is not installed'
}
