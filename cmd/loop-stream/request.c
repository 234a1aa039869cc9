/*
 * The order of the checks is the point: bytes, then the request line, then the
 * grammar of the fields, then their meaning; only then does the caller hear of
 * the request. llhttp gets the head in one piece, so what its callbacks lend
 * are pieces of our own buffer.
 */
#include "request.h"

#include "mem.h"

enum { EXTENSION_MAX = 1024 };

static struct intake *self(llhttp_t *parser)
{
	return parser->data;
}

static int on_field(llhttp_t *parser, const char *at, size_t length)
{
	struct intake *in = self(parser);
	struct request *r = &in->request;

	if (in->phase == INTAKE_HEAD && r->fields < FIELDS_MAX)
		r->field[r->fields++].name = (struct span){at, length};
	return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
	struct intake *in = self(parser);
	struct request *r = &in->request;

	if (in->phase == INTAKE_HEAD && r->fields)
		r->field[r->fields - 1].value = (struct span){at, length};
	return 0;
}

static int on_head(llhttp_t *parser)
{
	struct intake *in = self(parser);

	in->refused = strict_fields(&in->request, in->body_max);
	/* Protocols are changed by us, after the request was read as any other. */
	parser->upgrade = 0;
	return in->refused ? -1 : 0;
}

static int refuse(struct intake *in, int status)
{
	in->refused = status;
	return -1;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
	struct intake *in = self(parser);

	if ((int64_t)(in->body.length + length) > in->body_max)
		return refuse(in, 413);
	buf_add(&in->body, at, length);
	return 0;
}

/* The last chunk is followed by the trailer, which is scanned as the head was. */
static int on_chunk(llhttp_t *parser)
{
	struct intake *in = self(parser);

	if (parser->content_length > (uint64_t)(in->body_max - (int64_t)in->body.length))
		return refuse(in, 413);
	if (parser->content_length > 0)
		return 0;
	in->phase = INTAKE_TRAILER;
	in->scan = scan_trailer();
	return HPE_PAUSED;
}

static int on_extension(llhttp_t *parser, const char *at UNUSED, size_t length)
{
	struct intake *in = self(parser);

	in->extension += length;
	return in->extension > EXTENSION_MAX ? refuse(in, 400) : 0;
}

static int on_whole(llhttp_t *parser)
{
	self(parser)->phase = INTAKE_WHOLE;
	return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_chunk_header = on_chunk,
	.on_chunk_extension_name = on_extension,
	.on_chunk_extension_value = on_extension,
	.on_message_complete = on_whole,
};

struct intake *intake_new(int64_t body_max)
{
	struct intake *in = mem_zero(1, sizeof *in);

	in->body_max = body_max;
	llhttp_init(&in->parser, HTTP_REQUEST, &callbacks);
	in->parser.data = in;
	return in;
}

void intake_free(struct intake *in)
{
	if (!in)
		return;
	buf_clear(&in->head);
	buf_clear(&in->body);
	free(in);
}

bool intake_idle(const struct intake *in)
{
	return in->phase == INTAKE_HEAD && in->head.length == 0;
}

/* Hands bytes to the parser; 0 and how many it took, or the status that refuses them. */
static int parse(struct intake *in, const char *bytes, size_t length, size_t *used)
{
	llhttp_errno_t result = llhttp_execute(&in->parser, bytes, length);

	*used = length;
	if (result == HPE_OK)
		return 0;
	if (result != HPE_PAUSED)
		return in->refused ? in->refused : 400;
	*used = (size_t)(llhttp_get_error_pos(&in->parser) - bytes);
	llhttp_resume(&in->parser);
	return 0;
}

/* The request line, without the empty lines in front of it. */
static int read_line(struct intake *in)
{
	size_t blank = strspn(in->head.text, "\r\n");

	buf_drop(&in->head, blank);
	return strict_line(&in->request, in->head.text, strcspn(in->head.text, "\r"));
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * Around a value TAB is as good as SP (RFC 9110, 5.6.3), but behind those it looks at itself the
 * parser takes only SP: it is shown that.
 */
static void untab(struct buf *head)
{
	char *end = head->text, *value;

	while ((value = strchr(end, ':')) && (end = strchr(value, '\r'))) {
		while (blank(*++value))
			*value = ' ';
		for (char *last = end - 1; last > value && blank(*last); last--)
			*last = ' ';
	}
}

/*
 * The parser has to find the end of the head where the scan found it. A request
 * without a body is whole with its head, but is looked at all the same.
 */
static int read_head(struct intake *in)
{
	size_t used;
	int status = read_line(in);

	if (status)
		return status;
	untab(&in->head);
	status = parse(in, in->head.text, in->head.length, &used);
	if (status)
		return status;
	if (used != in->head.length)
		return 400;
	in->whole_with_head = in->phase == INTAKE_WHOLE;
	in->phase = INTAKE_CHECK;
	return 0;
}

static int take_head(struct intake *in, const char *bytes, size_t length, size_t *used)
{
	int status = scan_head(&in->scan, bytes, length, used);

	if (status != SCAN_MORE && status != SCAN_WHOLE)
		return status;
	buf_add(&in->head, bytes, *used);
	return status == SCAN_WHOLE ? read_head(in) : 0;
}

/*
 * Trailers are checked and dropped; the head's own text must stay where it is. In front of a byte
 * that the scan refuses the parser may have found a fault: the answer does not depend on how the
 * bytes were cut.
 */
static int take_trailer(struct intake *in, const char *bytes, size_t length, size_t *used)
{
	int status = scan_head(&in->scan, bytes, length, used);
	bool whole = status == SCAN_WHOLE, refused = !whole && status != SCAN_MORE;
	size_t parsed;
	int fault = parse(in, bytes, *used - refused, &parsed);

	if (fault || refused)
		return fault ? fault : status;
	return whole == (in->phase == INTAKE_WHOLE) ? 0 : 400;
}

int intake_take(struct intake *in, const char *bytes, size_t length, size_t *used)
{
	*used = 0;
	switch (in->phase) {
	case INTAKE_HEAD: return take_head(in, bytes, length, used);
	case INTAKE_CHECK:
		in->phase = in->whole_with_head ? INTAKE_WHOLE : INTAKE_BODY;
		return 0;
	case INTAKE_BODY: return parse(in, bytes, length, used);
	case INTAKE_TRAILER: return take_trailer(in, bytes, length, used);
	case INTAKE_WHOLE: break;
	}
	return 0;
}
