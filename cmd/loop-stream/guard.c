#include "guard.h"

#include <strings.h>

/* Equal in time that does not depend on where they differ. */
static bool same_secret(const char *a, const char *b, size_t n)
{
	unsigned char difference = 0;

	for (size_t i = 0; i < n; i++)
		difference = (unsigned char)(difference | (a[i] ^ b[i]));
	return !difference;
}

bool guard_token_is(const struct guard *g, const char *text, size_t n)
{
	return n == strlen(g->token) && same_secret(text, g->token, n);
}

bool guard_token(const struct guard *g, const struct request *r)
{
	static const char scheme[] = "bearer ";
	const struct field *f = request_field(r, "authorization");
	AUTO_BUF struct buf value = {0};
	size_t n = strlen(scheme);

	if (!g->token)
		return false;
	if (f && f->value.n > n && strncasecmp(f->value.p, scheme, n) == 0)
		return guard_token_is(g, f->value.p + n, f->value.n - n);
	return query_get(r->query, "token", &value) > 0 &&
		guard_token_is(g, value.text, value.length);
}

/* The cookie that the page was given; never enough for a change. */
static bool cookie_good(const struct guard *g, const struct request *r)
{
	static const char name[] = "loop_token=";
	const struct field *f = request_field(r, "cookie");
	struct span rest = f ? f->value : (struct span){0};
	size_t n = strlen(name);

	while (rest.n) {
		struct span part = span_trim(span_cut(&rest, ';'));

		if (part.n <= n || memcmp(part.p, name, n) != 0)
			continue;
		if (guard_token_is(g, part.p + n, part.n - n))
			return true;
	}
	return false;
}

static bool host_known(const struct guard *g, struct span host)
{
	if (!g->hosts.count || !host.n)
		return true;
	for (size_t i = 0; i < g->hosts.count; i++)
		if (span_is(host, g->hosts.item[i]))
			return true;
	return false;
}

/* Absent, or exactly our own: "null" and every other scheme, name and port are foreign. */
static bool origin_ours(const struct request *r)
{
	static const char scheme[] = "http://";
	const struct field *f = request_field(r, "origin");
	size_t n = strlen(scheme);

	if (!f)
		return true;
	return request_field_count(r, "origin") == 1 && f->value.n == r->host.n + n && r->host.n &&
		memcmp(f->value.p, scheme, n) == 0 &&
		strncasecmp(f->value.p + n, r->host.p, r->host.n) == 0;
}

static bool site_ours(const struct request *r)
{
	for (size_t i = 0; i < r->fields; i++)
		if (span_is(r->field[i].name, "sec-fetch-site") &&
			!span_is(r->field[i].value, "same-origin") &&
			!span_is(r->field[i].value, "none"))
			return false;
	return true;
}

int guard_check(const struct guard *g, const struct request *r)
{
	if (!host_known(g, r->host))
		return 421;
	if (!origin_ours(r) || !site_ours(r))
		return 403;
	return g->open && !guard_token(g, r) && !cookie_good(g, r) ? 401 : 0;
}

void guard_clear(struct guard *g)
{
	strs_clear(&g->hosts);
	free(g->token);
	*g = (struct guard){0};
}
