# Queues that hosts share (--on): Redis by hiredis.
LDLIBS_loop-sched = -lhiredis
