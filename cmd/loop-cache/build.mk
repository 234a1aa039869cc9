# Started once a lookup, so it is static, as the shortest programs are. BLAKE2b comes from libb2,
# in its archive then; its header lies in glibc's folder, which musl's compiler must not see.
STATIC += loop-cache
LDLIBS_loop-cache := -lb2
STATIC_LDLIBS_loop-cache = $(shell $(CC) -print-file-name=libb2.a)
STATIC_CPPFLAGS_loop-cache := -isystem build/include
# Where that holds a variant for every processor, it asks the processor each time, and in a virtual machine one such
# question costs as much as everything else that a lookup does: the plain variant is called by its own name.
STATIC_CPPFLAGS_loop-cache += $(if $(shell nm $(STATIC_LDLIBS_loop-cache) 2>/dev/null | grep 'T blake2b_update_ref'),\
	$(foreach f,init update final,-Dblake2b_$(f)=blake2b_$(f)_ref))
BLAKE2_H := $(firstword $(wildcard /usr/include/blake2.h /usr/local/include/blake2.h))

build/include/blake2.h: $(BLAKE2_H)
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(patsubst %.c,$(B)/static/%.o,$(wildcard cmd/loop-cache/*.c)): | build/include/blake2.h
