/*
 * Where a handler begins in the journal.
 */
#include "handler.h"

#include "choose.h"

int handler_place(struct handler *h, const struct state *s, const char *durable, const char *from,
	struct err *e)
{
	AUTO_BUF struct buf behind = {0};
	int64_t position;
	int r = 0;

	if (durable)
		r = cursor_open(&h->cursor, s, durable, CURSOR_PATIENCE, e);
	if (r == 0 && durable && !h->cursor.fresh) {
		r = cursor_next(&h->cursor, s, h->cursor.id, &position, e);
		buf_int(&behind, position);
	}
	if (r < 0)
		return r;
	h->reader = open_journal(s, behind.length ? behind.text : from, "now");
	if (h->cursor.fresh)
		r = cursor_set(&h->cursor, id_before(s, journal_position(h->reader)));
	return r < 0 ? err_sys(e, r, "cursors/%s", durable) : 0;
}
