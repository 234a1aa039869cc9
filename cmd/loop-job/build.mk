# Jobs and their answers go through a queue's store: Redis by hiredis.
LDLIBS_loop-job = -lhiredis
