#include "redis.h"

#include "io.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>

void redis_url_clear(struct redis_url *u)
{
	char *const texts[] = {
		u->host, u->path, u->user, u->password, u->cacert, u->cert, u->key, u->server};

	for (size_t i = 0; i < countof(texts); i++)
		free(texts[i]);
	*u = (struct redis_url){0};
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c | 32) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* A piece with its %XX resolved, a new string; NULL if one of them is none. */
static char *unescape(const char *text, size_t n)
{
	char *out = mem_new(n + 1), *to = out;

	for (size_t i = 0; i < n; i++) {
		if (text[i] != '%') {
			*to++ = text[i];
			continue;
		}
		if (n - i < 3 || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0 ||
			(hex(text[i + 1]) == 0 && hex(text[i + 2]) == 0)) {
			free(out);
			return NULL;
		}
		*to++ = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
		i += 2;
	}
	*to = '\0';
	return out;
}

static int take(char **to, const char *text, size_t n)
{
	free(*to);
	*to = unescape(text, n);
	return *to ? 0 : -EINVAL;
}

static int read_password(struct redis_url *u, const char *text, size_t n, struct err *e)
{
	AUTO_FREE char *path = unescape(text, n);
	AUTO_BUF struct buf b = {0};
	int r = path ? io_read_file(AT_FDCWD, path, 4096, &b) : -EINVAL;

	if (r < 0)
		return err_sys(e, r, "password-file %s", path ? path : "");
	free(u->password);
	u->password = mem_substring(b.text, strcspn(b.text, "\r\n"));
	return 0;
}

static int take_number(const char *text, size_t n, int64_t max, int64_t *out)
{
	char digits[16];

	if (n >= sizeof digits)
		return -EINVAL;
	snprintf(digits, sizeof digits, "%.*s", (int)n, text);
	return parse_int(digits, 0, max, out) < 0 ? -EINVAL : 0;
}

static int take_option(struct redis_url *u, const char *text, size_t n, struct err *e)
{
	const char *equals = memchr(text, '=', n);
	size_t name = equals ? (size_t)(equals - text) : n;
	const char *value = text + name + (equals != NULL);
	size_t rest = n - name - (equals != NULL);
	const struct {
		const char *name;
		char **to;
	} texts[] = {{"cacert", &u->cacert}, {"cert", &u->cert}, {"key", &u->key},
		{"servername", &u->server}};

	for (size_t i = 0; i < countof(texts); i++)
		if (strlen(texts[i].name) == name && memcmp(texts[i].name, text, name) == 0)
			return take(texts[i].to, value, rest);
	if (name == 2 && memcmp(text, "db", 2) == 0)
		return take_number(value, rest, INT32_MAX, &u->db);
	if (name == 13 && memcmp(text, "password-file", 13) == 0)
		return read_password(u, value, rest, e);
	if (name == 8 && memcmp(text, "insecure", 8) == 0)
		return u->insecure = rest == 1 && *value == '1', 0;
	return -EINVAL;
}

static int take_options(struct redis_url *u, const char *text, struct err *e)
{
	int r = 0;

	while (r == 0 && *text) {
		size_t n = strcspn(text, "&");

		r = take_option(u, text, n, e);
		text += n + (text[n] == '&');
	}
	return r;
}

/* [user]:password, or a password alone. */
static int take_user(struct redis_url *u, const char *text, size_t n)
{
	const char *colon = memchr(text, ':', n);
	int r;

	if (!colon)
		return take(&u->password, text, n);
	r = take(&u->password, colon + 1, n - (size_t)(colon + 1 - text));
	if (r == 0 && colon > text)
		r = take(&u->user, text, (size_t)(colon - text));
	return r;
}

/* host, [v6], host:port; at most the n bytes up to the path. */
static int take_host(struct redis_url *u, const char *text, size_t n)
{
	const char *end = text + n, *close = *text == '[' ? memchr(text, ']', n) : NULL;
	const char *from = close ? close : text;
	const char *colon = memchr(from, ':', (size_t)(end - from));
	const char *last = colon ? colon : end;
	int r;

	u->port = 6379;
	if (close && last != close + 1)
		return -EINVAL;
	r = close ? take(&u->host, text + 1, (size_t)(close - text - 1))
		  : take(&u->host, text, (size_t)(last - text));
	if (r == 0 && colon)
		r = take_number(colon + 1, (size_t)(end - colon - 1), 65535, &u->port);
	if (r == 0 && !*u->host)
		r = take(&u->host, "127.0.0.1", 9);
	return r;
}

static int take_address(struct redis_url *u, const char *text, size_t n)
{
	const char *end = text + n, *at = NULL, *slash;
	int r = 0;

	slash = memchr(text, '/', n);
	for (const char *p = text; p < (slash ? slash : end); p++)
		if (*p == '@')
			at = p;
	if (at)
		r = take_user(u, text, (size_t)(at - text));
	text = at ? at + 1 : text;
	if (r == 0)
		r = take_host(u, text, (size_t)((slash ? slash : end) - text));
	if (r == 0 && slash && slash + 1 < end)
		r = take_number(slash + 1, (size_t)(end - slash - 1), INT32_MAX, &u->db);
	return r;
}

int redis_url_parse(struct redis_url *u, const char *text, struct err *e)
{
	const char *rest = strstr(text, "://");
	size_t scheme = rest ? (size_t)(rest - text) : 0, n;
	bool unix_socket = scheme == 10 && memcmp(text, "redis+unix", 10) == 0;
	int r = -EINVAL;

	*u = (struct redis_url){0};
	u->tls = scheme == 6 && memcmp(text, "rediss", 6) == 0;
	if (!unix_socket && !u->tls && !(scheme == 5 && memcmp(text, "redis", 5) == 0))
		return err_set(e, -EINVAL,
			"%.*s: not a store: file, redis://, rediss:// or redis+unix://",
			rest ? (int)scheme : 20, text);
	rest += 3;
	n = strcspn(rest, "?");
	if (!unix_socket)
		r = take_address(u, rest, n);
	else if (*rest == '/')
		r = take(&u->path, rest, n);
	if (r == 0 && rest[n])
		r = take_options(u, rest + n + 1, e);
	if (r < 0) {
		redis_url_clear(u);
		/* The whole of it may hold a password. */
		return err_set(e, r, "%.*s://...: not a URL of Redis", (int)scheme, text);
	}
	return 0;
}
