# A queue may be in Redis.
LDLIBS_loop-pool = -lhiredis
UNIT_OBJECTS += $(B)/cmd/loop-pool/scale.o
