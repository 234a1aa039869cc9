#include "queue_line.h"

#include <inttypes.h>

static const char state_letters[] = "rdcb-";

/* Pads with blanks and ends the line. */
static void finish_line(char out[QUEUE_LINE], const char *text)
{
	size_t n = strlen(text);

	memcpy(out, text, n);
	memset(out + n, ' ', QUEUE_LINE - 1 - n);
	out[QUEUE_LINE - 1] = '\n';
}

void item_line_format(char out[QUEUE_LINE], const struct item_line *l)
{
	char text[QUEUE_LINE];

	snprintf(text, sizeof text,
		"%c%c %10" PRId64 " %13" PRId64 " %13" PRId64 " %5" PRId64 " %5" PRId64
		" %12" PRId64 " %16s %11" PRId64 " %9" PRId64 " %3" PRId64 " %10" PRId64,
		state_letters[l->state], l->keyed ? 'k' : ' ', l->priority, l->due, l->created,
		l->tries, l->max_tries, l->lease, l->token[0] ? l->token : "-", l->offset,
		l->length, l->head, l->sum);
	finish_line(out, text);
}

/* The next number behind blanks; *p behind it. A line is ended by a byte that is neither. */
static bool take_number(const char **p, int64_t *out)
{
	const char *s = *p;
	int64_t n = 0;

	while (*s == ' ')
		s++;
	if (*s < '0' || *s > '9' || s - *p > 20)
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *s - '0', &n))
			return false;
	*out = n;
	*p = s;
	return true;
}

static bool take_numbers(const char **p, int64_t *const *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!take_number(p, out[i]))
			return false;
	return true;
}

static bool take_word(const char **p, char out[TOKEN_SIZE])
{
	const char *s = *p + strspn(*p, " ");
	size_t n = strcspn(s, " \n");

	if (!n || n >= TOKEN_SIZE)
		return false;
	memcpy(out, s, n);
	out[n] = '\0';
	if (strcmp(out, "-") == 0)
		out[0] = '\0';
	*p = s + n;
	return true;
}

static bool take_state(char letter, enum item_state *out)
{
	const char *found = letter ? strchr(state_letters, letter) : NULL;

	if (found)
		*out = (enum item_state)(found - state_letters);
	return found != NULL;
}

/* What a line of ours may hold: larger numbers would be damage, and not fit when they are ns. */
#define TIME_MAX (INT64_MAX / NS_PER_MS)
#define OFFSET_MAX INT64_C(99999999999)

static bool is_sane(const struct item_line *l)
{
	return l->priority <= QUEUE_PRIORITY_MAX && l->due <= TIME_MAX &&
		l->created <= TIME_MAX && l->tries <= QUEUE_TRIES_MAX &&
		l->max_tries <= QUEUE_TRIES_MAX && l->lease <= QUEUE_TIME_MAX / NS_PER_MS &&
		l->offset <= OFFSET_MAX && l->length <= QUEUE_BODY_MAX && l->sum <= UINT32_MAX;
}

bool item_line_parse(const char line[QUEUE_LINE], struct item_line *l)
{
	int64_t *const front[] = {
		&l->priority, &l->due, &l->created, &l->tries, &l->max_tries, &l->lease};
	int64_t *const behind[] = {&l->offset, &l->length, &l->head, &l->sum};
	const char *p = line + 2;

	if (line[QUEUE_LINE - 1] != '\n' || !take_state(line[0], &l->state))
		return false;
	l->keyed = line[1] == 'k';
	return take_numbers(&p, front, countof(front)) && take_word(&p, l->token) &&
		take_numbers(&p, behind, countof(behind)) && is_sane(l);
}

int64_t item_line_since(const struct item_line *l)
{
	return l->due ? l->due : l->created;
}

void block_line_format(char out[QUEUE_LINE], const struct block_line *b)
{
	char text[QUEUE_LINE];

	snprintf(text, sizeof text,
		"%c%c %10" PRId64 " %4" PRId64 " %4" PRId64 " %4" PRId64 " %4" PRId64 " %4" PRId64
		" %4" PRId64 " %10" PRId64 " %13" PRId64 " %13" PRId64,
		b->changing ? '*' : ' ', b->full ? 'f' : ' ', b->number, b->items,
		b->count[ITEM_READY], b->count[ITEM_DELAYED], b->count[ITEM_CLAIMED],
		b->count[ITEM_BURIED], b->count[ITEM_DONE], b->best, b->oldest, b->next);
	finish_line(out, text);
}

bool block_line_parse(const char line[QUEUE_LINE], struct block_line *b)
{
	int64_t *const numbers[] = {&b->number, &b->items, &b->count[ITEM_READY],
		&b->count[ITEM_DELAYED], &b->count[ITEM_CLAIMED], &b->count[ITEM_BURIED],
		&b->count[ITEM_DONE], &b->best, &b->oldest, &b->next};
	const char *p = line + 2;

	b->changing = line[0] == '*';
	b->full = line[1] == 'f';
	return line[QUEUE_LINE - 1] == '\n' && take_numbers(&p, numbers, countof(numbers)) &&
		b->items <= BLOCK_ITEMS && b->best <= BLOCK_NO_READY && b->oldest <= TIME_MAX &&
		b->next <= TIME_MAX;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a && a < b ? a : b;
}

/* Only what is needed of a line is read: this is what claiming spends its time with. */
void block_line_count(struct block_line *b, const char line[QUEUE_LINE])
{
	int64_t priority = 0, due = 0, created = 0;
	int64_t *const numbers[] = {&priority, &due, &created};
	enum item_state state;
	const char *p = line + 2;

	b->items++;
	if (!take_state(line[0], &state) || line[QUEUE_LINE - 1] != '\n')
		return;
	if (state == ITEM_DONE || state == ITEM_BURIED) {
		b->count[state]++;
		return;
	}
	if (!take_numbers(&p, numbers, 3) || priority > QUEUE_PRIORITY_MAX || due > TIME_MAX ||
		created > TIME_MAX)
		return;
	b->count[state]++;
	if (state == ITEM_READY) {
		b->best = MIN(b->best, priority);
		b->oldest = sooner(b->oldest, due ? due : created);
	} else {
		b->next = sooner(b->next, due);
	}
}

uint32_t crc32_of(struct span s)
{
	static uint32_t table[256];
	uint32_t crc = ~UINT32_C(0);

	if (!table[1])
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = i;

			for (int bit = 0; bit < 8; bit++)
				c = c & 1 ? UINT32_C(0xedb88320) ^ (c >> 1) : c >> 1;
			table[i] = c;
		}
	for (size_t i = 0; i < s.n; i++)
		crc = table[(crc ^ (unsigned char)s.p[i]) & 255] ^ (crc >> 8);
	return ~crc;
}
