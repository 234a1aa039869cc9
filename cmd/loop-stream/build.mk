# HTTP's grammar: the library where the system has one, else the C sources of Debian's node-llhttp.
LLHTTP := $(shell pkg-config --exists libllhttp 2>/dev/null && echo system)
LLHTTP_SOURCES ?= /usr/share/llhttp
ifeq ($(LLHTTP),system)
CPPFLAGS_loop-stream := $(shell pkg-config --cflags libllhttp)
LDLIBS_loop-stream   := $(shell pkg-config --libs libllhttp)
else
SOURCES_loop-stream  := $(addprefix $(LLHTTP_SOURCES)/,api.c http.c llhttp.c)
CPPFLAGS_loop-stream := -DLLHTTP_STRICT_MODE=1 -isystem /usr/share/include/llhttp
endif

# The parts that tests look at by themselves.
STREAM_PARTS  := $(addprefix cmd/loop-stream/,scan.c strict.c text.c request.c sha1.c \
	ws_handshake.c eio_packet.c sio_packet.c)
UNIT_OBJECTS  += $(STREAM_PARTS:%.c=$(B)/%.o)
UNIT_OBJECTS  += $(patsubst %.c,$(B)/cmd/loop-stream/extra/%.o,$(notdir $(SOURCES_loop-stream)))
UNIT_CPPFLAGS += $(CPPFLAGS_loop-stream)
FUZZ_SOURCES  += $(STREAM_PARTS) $(SOURCES_loop-stream)
