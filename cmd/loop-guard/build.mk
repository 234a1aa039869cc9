# Breakers that hosts share: Redis by hiredis.
LDLIBS_loop-guard = -lhiredis
