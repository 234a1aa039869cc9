# Locks that hosts share: Redis by hiredis.
LDLIBS_loop-lock-redis = -lhiredis
