#include "reply.h"

#include "clock.h"

#include <time.h>

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{200, "OK"},
	{202, "Accepted"},
	{204, "No Content"},
	{303, "See Other"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{421, "Misdirected Request"},
	{426, "Upgrade Required"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

const char *reply_phrase(int status)
{
	for (size_t i = 0; i < countof(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}

/* RFC 9110's fixed format; made once a second. */
void reply_date(struct buf *out)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	static time_t made = -1;
	static char line[64];
	time_t now = (time_t)(clock_real() / NS_PER_S);
	struct tm t;

	if (now != made && gmtime_r(&now, &t)) {
		made = now;
		snprintf(line, sizeof line,
			"Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n\r\n",
			days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon, t.tm_year + 1900,
			t.tm_hour, t.tm_min, t.tm_sec);
	}
	buf_str(out, line);
}

void reply_format(struct buf *out, const struct reply *r, bool last, bool head_only)
{
	buf_format(out, "HTTP/1.1 %d %s\r\n", r->status, reply_phrase(r->status));
	if (r->type)
		buf_format(out, "Content-Type: %s\r\n", r->type);
	if (r->status != 204)
		buf_format(out, "Content-Length: %zu\r\n", r->body.n);
	if (r->fields)
		buf_str(out, r->fields);
	buf_str(out, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
	if (last)
		buf_str(out, "Connection: close\r\n");
	reply_date(out);
	if (!head_only)
		buf_add(out, r->body.p, r->body.n);
}
