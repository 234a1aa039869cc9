#include "emit.h"

#include "die.h"
#include "io.h"

static void print_records(const struct span *records, size_t count, const struct appended *done)
{
	AUTO_BUF struct buf lines = {0};

	journal_lines(&lines, records, done->count, done->first);
	/* Those put aside have no id yet. */
	for (size_t i = done->count; i < count; i++) {
		buf_str(&lines, "{\"specversion\":\"1.0\"");
		buf_add(&lines, records[i].p, records[i].n);
	}
	if (io_write(STDOUT_FILENO, lines.text, lines.length) < 0)
		die_errno(EX_IOERR, "standard output");
}

int emit_records(const struct emit *emit, const struct span *records, size_t count, unsigned flags)
{
	static bool warned;
	struct appended done;
	struct err e = {0};
	int r = journal_append(emit->journal, records, count, flags, &done, &e);

	if (r < 0) {
		warn("%s", e.text);
		return r;
	}
	if (done.spooled && !warned) {
		warned = true;
		warn("%s: the journal cannot take it now (%s): put aside in spool, to be taken in "
		     "by the next append",
			emit->journal->state->path, strerror(-done.why));
	}
	if (emit->print)
		print_records(records, count, &done);
	return 0;
}
