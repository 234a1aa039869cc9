#include "token.h"

#include "buf.h"
#include "id.h"
#include "io.h"

#include <errno.h>

enum { TOKEN_BYTES = 24,
	TOKEN_MIN = 16,
	TOKEN_MAX = 4096 };

static int make(const struct state *s, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	unsigned char bytes[TOKEN_BYTES];
	int r;

	id_random(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		buf_format(&text, "%02x", bytes[i]);
	buf_char(&text, '\n');
	r = io_replace(s->dir, "token", text.text, text.length, 0600);
	return r < 0 ? err_sys(e, r, "%s/token", s->path) : 0;
}

char *token_load(const struct state *s, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	int r = io_read_file(s->dir, "token", TOKEN_MAX, &text);

	if (r == -ENOENT && make(s, e) < 0)
		return NULL;
	if (r == -ENOENT)
		r = io_read_file(s->dir, "token", TOKEN_MAX, &text);
	if (r < 0) {
		err_sys(e, r, "%s/token", s->path);
		return NULL;
	}
	text.length = strcspn(text.text, "\r\n");
	text.text[text.length] = '\0';
	if (text.length < TOKEN_MIN) {
		err_set(e, -EINVAL, "%s/token: shorter than %d characters", s->path, TOKEN_MIN);
		return NULL;
	}
	return buf_take(&text);
}
