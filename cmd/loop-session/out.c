#include "out.h"

void out_text(struct buf *b)
{
	if (b->length)
		fwrite(b->text, 1, b->length, stdout);
	b->length = 0;
}

void out_json(json_t *j)
{
	AUTO_BUF struct buf line = {0};

	json_add(&line, j);
	buf_char(&line, '\n');
	out_text(&line);
	json_decref(j);
}
