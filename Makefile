# The loop tools. Programs are found by their folder: cmd/NAME/main.c becomes build/BUILD/bin/NAME.
#
#   make                 build everything               make check      unit tests and bats
#   make BUILD=san       address + undefined sanitizers make lint       style, layers, man pages
#   make BUILD=tsan      the thread sanitizer
#   make BUILD=cov       coverage                       make bench      measured side by side
#   make install         DESTDIR= PREFIX=/usr/local     make demo       a whole run on the mock agent
#   make deps            what is missing; installs it   make check-dashboard  in a real browser
#   make dist, make deb  a tarball, a Debian package    make night      a whole night, with every fault
#   make journey         the tarball, the package and a newcomer on a bare Debian 12, timed; as root

BUILD  ?= release
PREFIX ?= /usr/local
CC     ?= cc
MUSL   ?= $(shell command -v musl-gcc)

# Programs that are started once an event: linked statically, with musl where it is, and without libraries.
STATIC := loop-emit loop-lock

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wvla -Wundef -Wswitch-enum -Wconversion
FLAGS_release := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
FLAGS_san     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
FLAGS_cov     := -O0 -g --coverage
LINK_release  := -Wl,-z,relro,-z,now
LINK_san      := -fsanitize=address,undefined
LINK_tsan     := -fsanitize=thread
LINK_cov      := --coverage
ifndef FLAGS_$(BUILD)
$(error BUILD=$(BUILD): choose release, san, tsan or cov)
endif

B        := build/$(BUILD)
CPPFLAGS += -D_GNU_SOURCE -Icommon
CFLAGS   += -std=c17 $(WARNINGS) $(FLAGS_$(BUILD)) $(if $(CI),-Werror)
LDFLAGS  += $(LINK_$(BUILD)) -Wl,--as-needed
LDLIBS   += -ljansson -luv -lwslay

# The one place where the version stands.
VERSION  := $(shell sed -n 's/^.define LOOP_VERSION "\(.*\)"/\1/p' common/version.h)

PROGRAMS := $(patsubst cmd/%/main.c,%,$(wildcard cmd/*/main.c))
SCRIPTS  := $(patsubst cmd/%/main.bash,%,$(wildcard cmd/*/main.bash))
BINS     := $(PROGRAMS:%=$(B)/bin/%) $(SCRIPTS:%=$(B)/bin/%)
MODULES  := $(wildcard common/*.c)
# The modules that need nothing but libc, any libc: those a static program can be made of.
HEAVY    := $(shell grep -l -E '^.include (<(jansson|uv|wslay|hiredis|openssl|sys/pidfd)|"(json|redis|redis_wire|queue_redis|breaker_redis)\.h")' common/*.[ch])
PLAIN    := $(filter-out $(addsuffix .c,$(basename $(HEAVY))),$(MODULES))

# One short line a step; V=1 shows the commands.
Q   := $(if $(V),,@)
comma := ,
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

all: $(BINS) $(B)/man/loop-events.7
.PHONY: all check check-unit check-bats check-failed check-dashboard fuzz model lint bench demo demo-run deps install uninstall \
	clean completions night journey dist deb

# A program's own extra sources (of one foreign folder, so without our warnings) and libraries: cmd/NAME/build.mk sets
# SOURCES_NAME, CPPFLAGS_NAME, LDLIBS_NAME, of a static one STATIC_CPPFLAGS_NAME and STATIC_LDLIBS_NAME; what unit
# tests and fuzzers need of it, UNIT_OBJECTS, UNIT_CPPFLAGS and FUZZ_SOURCES.
-include $(wildcard cmd/*/build.mk)

$(B)/common/%.o: common/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libloop.a: $(MODULES:%.c=$(B)/%.o)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

# One set of rules a program: its folder's sources and those build.mk names, then the library.
define program
OBJECTS_$(1) := $$(patsubst %.c,$(B)/%.o,$$(wildcard cmd/$(1)/*.c)) \
	$$(patsubst %.c,$(B)/cmd/$(1)/extra/%.o,$$(notdir $$(SOURCES_$(1))))
$(B)/cmd/$(1)/%.o: cmd/$(1)/%.c $$(wildcard cmd/$(1)/build.mk)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$(Q)$$(CC) $$(CPPFLAGS) $$(CPPFLAGS_$(1)) $$(CFLAGS) -MMD -MP -c -o $$@ $$<
$(B)/cmd/$(1)/extra/%.o: $$(firstword $$(dir $$(SOURCES_$(1))))%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$(Q)$$(CC) $$(CPPFLAGS_$(1)) -std=gnu17 -w $$(FLAGS_$(BUILD)) -c -o $$@ $$<
$(B)/bin/$(1): $$(OBJECTS_$(1)) $(B)/libloop.a
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS) $$(LDLIBS_$(1))
-include $$(OBJECTS_$(1):.o=.d)
endef

# The same, static: by musl-gcc where it is, else by the compiler at hand; never under the sanitizers, which need libc.
# What is not used is left out, and in one mapping: every page of a program that is touched costs its start. So tables
# with addresses in them are constants, and there is nothing that would be made read-only after a loader's work.
STATIC_CC := $(or $(MUSL),$(CC))
STATIC_CFLAGS := -ffunction-sections -fdata-sections -fno-pie
STATIC_LDFLAGS := -static -Wl,--gc-sections,-z,noseparate-code,-z,norelro
define static_program
$(B)/static/cmd/$(1)/%.o: cmd/$(1)/%.c $$(wildcard cmd/$(1)/build.mk)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$(Q)$(STATIC_CC) $$(CPPFLAGS) $$(STATIC_CPPFLAGS_$(1)) $$(CFLAGS) $(STATIC_CFLAGS) -MMD -MP -c -o $$@ $$<
$(B)/bin/$(1): $$(patsubst %.c,$(B)/static/%.o,$$(wildcard cmd/$(1)/*.c)) $(B)/static/libloop.a
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$(Q)$(STATIC_CC) $$(CFLAGS) $(STATIC_LDFLAGS) -o $$@ $$^ $$(STATIC_LDLIBS_$(1))
-include $$(patsubst %.c,$(B)/static/%.d,$$(wildcard cmd/$(1)/*.c))
endef

$(B)/static/common/%.o: common/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(STATIC_CC) $(CPPFLAGS) $(CFLAGS) $(STATIC_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/static/libloop.a: $(PLAIN:%.c=$(B)/static/%.o)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

AS_STATIC := $(if $(filter release,$(BUILD)),$(filter $(STATIC),$(PROGRAMS)))
$(foreach p,$(AS_STATIC),$(eval $(call static_program,$(p))))
$(foreach p,$(filter-out $(AS_STATIC),$(PROGRAMS)),$(eval $(call program,$(p))))

$(SCRIPTS:%=$(B)/bin/%): $(B)/bin/%: cmd/%/main.bash common/version.h
	@mkdir -p $(@D)
	$(call say,COPY,$@)
	$(Q)sed 's/@VERSION@/$(VERSION)/' $< >$@.new && chmod 755 $@.new && mv $@.new $@

# The page of the events is made from their schemas.
MADE_PAGES := $(B)/man/loop-events.7
$(B)/man/loop-events.7: share/doc/loop-events.7.in share/doc/events.jq $(wildcard share/schemas/*.json)
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$(Q)for f in $(filter %.json,$^); do jq --arg name "$$(basename $$f .json)" '{($$name): .}' $$f || exit; done | \
		jq -s add | jq -r -f share/doc/events.jq >$@.types
	$(Q)sed -e '/^@TYPES@/{r $@.types' -e 'd}' $< >$@.new && mv $@.new $@

# Unit tests: one binary; every system call named here can be made to fail by a test.
WRAPPED := write writev pread fsync fdatasync openat renameat fstatfs statvfs
UNITS   := $(wildcard tests/unit/*.c)
$(B)/tests/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(UNIT_CPPFLAGS) -Itests/unit -Icmd $(CFLAGS) -MMD -MP -c -o $@ $<
$(B)/tests/unit/unit: $(UNITS:%.c=$(B)/%.o) $(UNIT_OBJECTS) $(B)/libloop.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(LDLIBS)

# Programs that only tests run: each source is one, and each folder. The locks' stress meets its end at system calls.
TOOL_FOLDERS := $(patsubst tests/tools/%/main.c,%,$(wildcard tests/tools/*/main.c))
TOOL_LDFLAGS_lock-stress := $(addprefix -Wl$(comma)--wrap=,fcntl pread pwrite close fstat ppoll)
define tool_of_parts
$(B)/tests/tools/$(1): $$(wildcard tests/tools/$(1)/*.[ch]) $(B)/libloop.a
	@mkdir -p $$(@D)
	$$(call say,TOOL,$$@)
	$(Q)$$(CC) $$(CPPFLAGS) $$(CFLAGS) $$(LDFLAGS) $$(TOOL_LDFLAGS_$(1)) -o $$@ $$(filter %.c %.a,$$^) $$(LDLIBS)
endef
$(foreach t,$(TOOL_FOLDERS),$(eval $(call tool_of_parts,$(t))))
TOOL_FILES := $(patsubst tests/tools/%.c,$(B)/tests/tools/%,$(wildcard tests/tools/*.c))
TOOLS := $(TOOL_FOLDERS:%=$(B)/tests/tools/%) $(TOOL_FILES)
$(B)/tests/tools/%: tests/tools/%.c $(B)/libloop.a
	@mkdir -p $(@D)
	$(call say,TOOL,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(B)/libloop.a $(LDLIBS)

# Fuzzers, by clang: "make fuzz FUZZ_TIME=600" runs each for so many seconds on what earlier runs found.
FUZZ_TIME ?= 10
FUZZERS   := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c))
build/fuzz/%: tests/fuzz/%.c $(MODULES) $(FUZZ_SOURCES)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)clang -g -O1 -w -fsanitize=fuzzer,address,undefined $(CPPFLAGS) $(UNIT_CPPFLAGS) -Icmd \
		-o $@ $< $(MODULES) $(FUZZ_SOURCES) $(LDLIBS) $(FUZZ_LDLIBS)

fuzz: $(FUZZERS)
	@for f in $(FUZZERS); do mkdir -p $$f.corpus; seeds=tests/fuzz/seeds/$${f##*/}; \
		$$f -max_total_time=$(FUZZ_TIME) -artifact_prefix=$$f. $$f.corpus $$(ls -d $$seeds 2>/dev/null) || exit; done

check: deps
	@$(MAKE) --no-print-directory check-unit check-bats

check-unit: $(B)/tests/unit/unit
	$(B)/tests/unit/unit

# Most tests wait more than they work: several at once, where GNU parallel is there to run them.
AT_ONCE = $(if $(shell parallel --version 2>/dev/null | grep '^GNU'),--jobs 4)

check-bats: all $(B)/tests/unit/unit $(TOOLS)
	PATH="$(CURDIR)/$(B)/bin:$$PATH" BUILD_DIR="$(CURDIR)/$(B)" bats --print-output-on-failure $(if $(T),$(T),$(AT_ONCE) tests)

# Those that failed in the last run, if that was one of tests/ with tests/.bats/run-logs there.
check-failed: all $(B)/tests/unit/unit $(TOOLS)
	PATH="$(CURDIR)/$(B)/bin:$$PATH" BUILD_DIR="$(CURDIR)/$(B)" bats --print-output-on-failure --filter-status failed tests

# The dashboard, as its user meets it, in a real browser.
check-dashboard: all
	@PATH="$(CURDIR)/$(B)/bin:$$PATH" BUILD_DIR="$(CURDIR)/$(B)" tests/dashboard/check

# Every interleaving of the locks' protocol, with kills, by spin where it is installed.
model:
	@tests/model/check

# A whole night in miniature: six plans, eight agents, everything killed three times.
NIGHT ?= 10 3
night: all
	PATH="$(CURDIR)/$(B)/bin:$$PATH" tests/fault/night $(NIGHT)

# How the tools come to a machine: "make journey DEBIAN=FOLDER" copies the bare Debian 12 that lies there.
journey:
	@tests/journey all $(DEBIAN)

lint:
	@tests/lint/lint

bench: all
	@tests/bench/bench

demo: deps
	@$(MAKE) --no-print-directory demo-run

demo-run: all
	@PATH="$(CURDIR)/$(B)/bin:$$PATH" loop demo

deps:
	@.ci/deps

completions: all
	@PATH="$(CURDIR)/$(B)/bin:$$PATH" completions/generate

BINDIR   := $(DESTDIR)$(PREFIX)/bin
SHAREDIR := $(DESTDIR)$(PREFIX)/share/loop
MANDIR   := $(DESTDIR)$(PREFIX)/share/man
BASHDIR  := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR   := $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISHDIR  := $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
UNITDIR  := $(DESTDIR)$(PREFIX)/lib/systemd/user
UNITS_OF_SYSTEMD := $(wildcard share/systemd/*)
PAGES    := $(wildcard cmd/*/*.[1-8] share/doc/*.[1-8]) $(MADE_PAGES)
SHARED   := $(filter-out %.7.in %/events.jq share/doc/%.5 share/doc/%.7 share/systemd/%,$(shell find share -type f 2>/dev/null))

install: all
	install -d $(BINDIR) $(SHAREDIR)
	install -m 755 $(BINS) $(BINDIR)
	@for f in $(SHARED); do \
		mode=644; if [ -x $$f ]; then mode=755; fi; \
		install -D -m $$mode $$f $(SHAREDIR)/$${f#share/} || exit 1; done
	@for f in $(PAGES); do install -D -m 644 $$f $(MANDIR)/man$${f##*.}/$${f##*/} || exit 1; done
	@for p in loop $(PROGRAMS); do install -D -m 644 completions/loop.bash $(BASHDIR)/$$p || exit 1; done
	install -d $(UNITDIR)
	@for f in $(notdir $(UNITS_OF_SYSTEMD)); do \
		sed 's|/usr/local/bin/loop|$(PREFIX)/bin/loop|' share/systemd/$$f >$(UNITDIR)/$$f || exit 1; done
	install -D -m 644 completions/_loop $(ZSHDIR)/_loop
	install -D -m 644 completions/loop.fish $(FISHDIR)/loop.fish

uninstall:
	rm -f $(addprefix $(BINDIR)/,$(PROGRAMS) $(SCRIPTS)) $(addprefix $(BASHDIR)/,loop $(PROGRAMS))
	rm -f $(ZSHDIR)/_loop $(FISHDIR)/loop.fish $(foreach p,$(PAGES),$(MANDIR)/man$(patsubst .%,%,$(suffix $(p)))/$(notdir $(p)))
	rm -f $(addprefix $(UNITDIR)/,$(notdir $(UNITS_OF_SYSTEMD)))
	rm -rf $(SHAREDIR)

# A tarball of what is committed, and a Debian package of what is built.
DISTNAME := loop-tools-$(VERSION)
dist:
	@mkdir -p build
	git archive --format=tar --prefix=$(DISTNAME)/ HEAD | gzip -9n >build/$(DISTNAME).tar.gz
	@echo build/$(DISTNAME).tar.gz

deb: all
	@.ci/deb $(VERSION)

clean:
	rm -rf build

-include $(MODULES:%.c=$(B)/%.d) $(PLAIN:%.c=$(B)/static/%.d) $(UNITS:%.c=$(B)/%.d) $(TOOL_FILES:%=%.d)
