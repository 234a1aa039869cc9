/*
 * What a request means, after its bytes and its grammar were found sound.
 * Wherever two recipients could disagree about where a request ends or whom it
 * is for, it is refused. RFC 9110 and 9112.
 */
#include "request.h"

#include <ctype.h>
#include <strings.h>

const struct field *request_field(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->fields; i++)
		if (span_is(r->field[i].name, name))
			return &r->field[i];
	return NULL;
}

size_t request_field_count(const struct request *r, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < r->fields; i++)
		count += span_is(r->field[i].name, name);
	return count;
}

bool request_has_body(const struct request *r)
{
	return r->chunked || r->content_length > 0;
}

static const struct {
	const char *name;
	enum method method;
} methods[] = {
	{"GET", METHOD_GET},
	{"HEAD", METHOD_HEAD},
	{"POST", METHOD_POST},
	{"OPTIONS", METHOD_OPTIONS},
	{"PUT", METHOD_OTHER},
	{"DELETE", METHOD_OTHER},
	{"PATCH", METHOD_OTHER},
	{"CONNECT", METHOD_OTHER},
	{"TRACE", METHOD_OTHER},
};

static int check_method(struct request *r, struct span word)
{
	for (size_t i = 0; i < countof(methods); i++)
		if (word.n == strlen(methods[i].name) &&
			memcmp(word.p, methods[i].name, word.n) == 0)
			return r->method = methods[i].method, 0;
	return 501;
}

static int check_version(struct request *r, struct span v)
{
	if (v.n != 8 || memcmp(v.p, "HTTP/", 5) != 0 || !isdigit((unsigned char)v.p[5]) ||
		v.p[6] != '.' || !isdigit((unsigned char)v.p[7]))
		return 400;
	r->minor = v.p[7] - '0';
	return v.p[5] == '1' && r->minor <= 1 ? 0 : 505;
}

static int check_escapes(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '#' || (s.p[i] == '%' && escape_at(s, i) <= 0))
			return 400;
	return 0;
}

/* Origin form, "*" for OPTIONS, or the absolute form of our own scheme. */
static int check_target(struct request *r)
{
	static const char scheme[] = "http://";
	struct span rest = r->target;

	if (check_escapes(rest))
		return 400;
	if (span_is(rest, "*"))
		return r->path = rest, r->method == METHOD_OPTIONS ? 0 : 400;
	if (rest.n > strlen(scheme) && strncasecmp(rest.p, scheme, strlen(scheme)) == 0) {
		size_t n = strlen(scheme);

		r->host = (struct span){rest.p + n, rest.n - n};
		r->host.n = strcspn(r->host.p, "/? ");
		if (!r->host.n)
			return 400;
		rest = (struct span){r->host.p + r->host.n, rest.n - n - r->host.n};
	} else if (*rest.p != '/') {
		return 400;
	}
	r->path = rest.n && *rest.p == '/' ? span_cut(&rest, '?') : (struct span){"/", 1};
	r->query = rest;
	return 0;
}

int strict_line(struct request *r, const char *line, size_t length)
{
	struct span rest = {line, length};
	struct span method = span_cut(&rest, ' ');
	int status;

	r->target = span_cut(&rest, ' ');
	status = check_version(r, rest);
	if (status == 0)
		status = check_method(r, method);
	/* Known, but with targets or answers of their own: 405 before they are looked at. */
	if (status == 0 && (span_is(method, "CONNECT") || span_is(method, "TRACE")))
		return 405;
	return status ? status : check_target(r);
}

static bool port_valid(struct span port)
{
	unsigned value = 0;

	for (size_t i = 0; i < port.n; i++) {
		if (!isdigit((unsigned char)port.p[i]) || i >= 5)
			return false;
		value = value * 10 + (unsigned)(port.p[i] - '0');
	}
	return port.n && value <= 65535;
}

/* Of an address in brackets; 0 if it is none. */
static size_t literal_length(struct span a)
{
	size_t n = 1;

	while (n < a.n && (hex_digit(a.p[n]) >= 0 || a.p[n] == ':' || a.p[n] == '.'))
		n++;
	return n > 2 && n < a.n && a.p[n] == ']' ? n + 1 : 0;
}

static size_t name_length(struct span a)
{
	static const char marks[] = "-._~!$&'()*+;=%";
	size_t n = 0;

	while (n < a.n && (isalnum((unsigned char)a.p[n]) || strchr(marks, a.p[n])))
		n++;
	return n;
}

/* "name", "name:port", "[::1]:port": a host of RFC 3986, without user information. */
static bool authority_valid(struct span a)
{
	size_t n = a.n && a.p[0] == '[' ? literal_length(a) : name_length(a);

	if (n == 0 || n == a.n)
		return n > 0;
	return a.p[n] == ':' && port_valid((struct span){a.p + n + 1, a.n - n - 1});
}

static int check_host(struct request *r)
{
	const struct field *host = request_field(r, "host");
	struct span wanted = r->host; /* of an absolute target */
	size_t count = request_field_count(r, "host");

	if (count > 1 || (count == 0 && r->minor == 1))
		return 400;
	if (host)
		r->host = host->value;
	if ((host || wanted.n) && !authority_valid(r->host))
		return 400;
	if (!wanted.n || !host)
		return 0;
	return wanted.n == r->host.n && strncasecmp(wanted.p, r->host.p, wanted.n) == 0 ? 0 : 421;
}

/* Decimal digits only; what does not fit is larger than any limit. */
static int check_length(struct request *r, int64_t body_max)
{
	const struct field *f = request_field(r, "content-length");
	int64_t value = 0;

	r->content_length = -1;
	if (!f)
		return 0;
	if (request_field_count(r, "content-length") > 1 || !f->value.n)
		return 400;
	for (size_t i = 0; i < f->value.n; i++) {
		if (!isdigit((unsigned char)f->value.p[i]))
			return 400;
		if (value > (INT64_MAX - 9) / 10)
			return 400;
		value = value * 10 + (f->value.p[i] - '0');
	}
	r->content_length = value;
	return value > body_max ? 413 : 0;
}

/* One "chunked" and nothing else; never beside a length, never in 1.0. */
static int check_coding(struct request *r)
{
	const struct field *f = request_field(r, "transfer-encoding");

	if (!f)
		return 0;
	if (r->minor == 0 || request_field(r, "content-length") ||
		request_field_count(r, "transfer-encoding") > 1)
		return 400;
	r->chunked = span_is(f->value, "chunked");
	return r->chunked ? 0 : 501;
}

static int check_expect(struct request *r)
{
	const struct field *f = request_field(r, "expect");

	if (!f || r->minor == 0)
		return 0;
	if (!span_is(f->value, "100-continue") || request_field_count(r, "expect") > 1)
		return 417;
	r->expects = request_has_body(r);
	return 0;
}

static void read_connection(struct request *r)
{
	r->close = r->minor == 0;
	for (size_t i = 0; i < r->fields; i++) {
		if (!span_is(r->field[i].name, "connection"))
			continue;
		r->close |= list_has(r->field[i].value, "close");
		r->upgrade |= list_has(r->field[i].value, "upgrade");
	}
}

int strict_fields(struct request *r, int64_t body_max)
{
	int status;

	for (size_t i = 0; i < r->fields; i++)
		r->field[i].value = span_trim(r->field[i].value);
	status = check_host(r);
	if (status == 0)
		status = check_coding(r);
	if (status == 0)
		status = check_length(r, body_max);
	if (status == 0)
		status = check_expect(r);
	read_connection(r);
	return status;
}
