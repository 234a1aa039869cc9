# Redis: its protocol by hiredis.
LDLIBS_loop-queue = -lhiredis
FUZZ_LDLIBS += -lhiredis
