# bridge: Redis, its protocol by hiredis.
LDLIBS_loop-bus = -lhiredis
