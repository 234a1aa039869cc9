# Jobs and their answers go through a queue's store: Redis by hiredis.
LDLIBS_loop-job = -lhiredis
# The texts that a job and its answer are sent as, which are looked at by themselves.
UNIT_OBJECTS += $(B)/cmd/loop-job/parcel.o
FUZZ_SOURCES += cmd/loop-job/parcel.c
