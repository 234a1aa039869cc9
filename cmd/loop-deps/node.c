/* The modules that node provides itself, and that no package can take the place of. */
#include "package.h"

/* Sorted. */
static const char *const provided[] = {
	"assert", "assert/strict", "async_hooks", "buffer", "child_process", "cluster",
	"console", "constants", "crypto", "dgram", "diagnostics_channel", "dns",
	"dns/promises", "domain", "events", "fs", "fs/promises", "http", "http2", "https",
	"inspector", "inspector/promises", "module", "net", "os", "path", "path/posix",
	"path/win32", "perf_hooks", "process", "punycode", "querystring", "readline",
	"readline/promises", "repl", "stream", "stream/consumers", "stream/promises",
	"stream/web", "string_decoder", "sys", "timers", "timers/promises", "tls",
	"trace_events", "tty", "url", "util", "util/types", "v8", "vm", "wasi",
	"worker_threads", "zlib"};

static int by_name(const void *name, const void *entry)
{
	return strcmp(name, *(const char *const *)entry);
}

bool node_provides(const char *name)
{
	return bsearch(name, provided, countof(provided), sizeof *provided, by_name);
}
