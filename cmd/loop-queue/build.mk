# Redis is spoken to by hiredis.
# LDLIBS_loop-queue = -lhiredis_ssl -lhiredis -lssl -lcrypto
