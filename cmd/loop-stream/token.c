#include "token.h"

#include "buf.h"
#include "id.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

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

/* Whoever can read it may do what its owner may. */
static int check_mode(const struct state *s, struct err *e)
{
	AUTO_CLOSE int fd = state_file(s, "token", O_RDONLY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, fd < 0 ? fd : -errno, "%s/token", s->path);
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return err_set(e, -EPERM, "%s/token: others may read it: chmod 600 %s/token",
			s->path, s->path);
	return 0;
}

static int load(const struct state *s, struct buf *text, struct err *e)
{
	int r = check_mode(s, e);

	if (r == 0)
		r = io_read_file(s->dir, "token", TOKEN_MAX, text);
	return r < 0 ? err_sys(e, r, "%s/token", s->path) : 0;
}

int token_load(const struct state *s, char **token, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	int r = 0;

	if (faccessat(s->dir, "token", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		r = make(s, e);
	if (r == 0)
		r = load(s, &text, e);
	if (r < 0)
		return r;
	buf_add(&text, "", 0);
	text.length = strcspn(text.text, "\r\n");
	text.text[text.length] = '\0';
	if (text.length < TOKEN_MIN)
		return err_set(e, -EINVAL, "%s/token: shorter than %d characters", s->path,
			TOKEN_MIN);
	*token = buf_take(&text);
	return 0;
}
