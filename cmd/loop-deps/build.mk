# The scanners and the globs, which tests and fuzzers look at by themselves.
DEPS_PARTS    := $(addprefix cmd/loop-deps/,glob.c text.c $(notdir $(wildcard cmd/loop-deps/py*.c cmd/loop-deps/js*.c)))
UNIT_OBJECTS  += $(DEPS_PARTS:%.c=$(B)/%.o)
FUZZ_SOURCES  += $(DEPS_PARTS)

.PHONY: oracle
# What is found and resolved beside Python, node and TypeScript: needs python3, node and npm; see tests/oracle/oracle.
oracle: all
	@PATH="$(CURDIR)/$(B)/bin:$$PATH" tests/oracle/oracle
