# Started once a lookup, so it is static, as the shortest programs are. BLAKE2b comes from libb2,
# in its archive then; its header lies in glibc's folder, which musl's compiler must not see.
STATIC += loop-cache
LDLIBS_loop-cache := -lb2
STATIC_LDLIBS_loop-cache = $(shell $(CC) -print-file-name=libb2.a)
STATIC_CPPFLAGS_loop-cache := -isystem build/include
BLAKE2_H := $(firstword $(wildcard /usr/include/blake2.h /usr/local/include/blake2.h))

build/include/blake2.h: $(BLAKE2_H)
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(patsubst %.c,$(B)/static/%.o,$(wildcard cmd/loop-cache/*.c)): | build/include/blake2.h
