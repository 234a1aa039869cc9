# Redis: its protocol by hiredis.
LDLIBS_loop-queue = -lhiredis
FUZZ_LDLIBS += -lhiredis
# The lines of JSON that come in, which a fuzzer looks at by itself.
FUZZ_SOURCES += $(addprefix cmd/loop-queue/,item.c put_line.c)
