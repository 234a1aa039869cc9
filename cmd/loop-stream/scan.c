/*
 * One automaton of places by kinds of bytes. An entry is the next place; the
 * zero that stands in every entry not named is a refusal.
 */
#include "scan.h"

enum place { REFUSED,
	START,	  /* in front of the request line, where empty lines may stand */
	START_LF, /* after the CR of such a line */
	METHOD,
	TARGET_FIRST, /* after the one space in front of it */
	TARGET,
	VERSION,
	LINE_LF, /* after the CR of the request line */
	FIELD,	 /* at the start of a line */
	NAME,
	VALUE,
	VALUE_LF,
	END_LF, /* after the CR of the empty line */
	DONE,
	PLACES };

enum kind { CONTROL, /* and DEL: nowhere */
	CR,
	LF,
	SPACE,
	TAB,
	TOKEN, /* RFC 9110's tchar */
	COLON,
	VISIBLE, /* the rest of printable ASCII */
	HIGH,
	KINDS };

static const uint8_t next_place[PLACES][KINDS] = {
	[START] = {[TOKEN] = METHOD, [CR] = START_LF},
	[START_LF] = {[LF] = START},
	[METHOD] = {[TOKEN] = METHOD, [SPACE] = TARGET_FIRST},
	[TARGET_FIRST] = {[TOKEN] = TARGET, [COLON] = TARGET, [VISIBLE] = TARGET},
	[TARGET] = {[TOKEN] = TARGET, [COLON] = TARGET, [VISIBLE] = TARGET, [SPACE] = VERSION},
	[VERSION] = {[TOKEN] = VERSION, [VISIBLE] = VERSION, [CR] = LINE_LF},
	[LINE_LF] = {[LF] = FIELD},
	[FIELD] = {[TOKEN] = NAME, [CR] = END_LF},
	[NAME] = {[TOKEN] = NAME, [COLON] = VALUE},
	[VALUE] = {[SPACE] = VALUE,
		[TAB] = VALUE,
		[TOKEN] = VALUE,
		[COLON] = VALUE,
		[VISIBLE] = VALUE,
		[HIGH] = VALUE,
		[CR] = VALUE_LF},
	[VALUE_LF] = {[LF] = FIELD},
	[END_LF] = {[LF] = DONE},
};

enum { BLANK_MAX = 4 };

static bool letter_or_digit(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static enum kind kind_of(unsigned char c)
{
	if (c >= 0x80)
		return HIGH;
	if (letter_or_digit(c))
		return TOKEN;
	switch (c) {
	case '\r': return CR;
	case '\n': return LF;
	case ' ': return SPACE;
	case '\t': return TAB;
	case ':': return COLON;
	default: break;
	}
	if (c < ' ' || c == 0x7f)
		return CONTROL;
	return strchr("!#$%&'*+-.^_`|~", c) ? TOKEN : VISIBLE;
}

struct scan scan_trailer(void)
{
	return (struct scan){.place = FIELD};
}

/* Counts what is bounded; 0, or the status of the bound that was passed. */
static int count(struct scan *s, enum place from)
{
	s->length++;
	s->target += s->place == TARGET;
	s->blank = (uint8_t)(s->blank + (from == START_LF));
	s->fields = (uint16_t)(s->fields + (from == FIELD && s->place == NAME));
	if (s->target > TARGET_MAX)
		return 414;
	if (s->length > HEAD_MAX)
		return s->place <= VERSION ? 414 : 431;
	if (s->fields > FIELDS_MAX)
		return 431;
	return s->blank > BLANK_MAX ? 400 : 0;
}

int scan_head(struct scan *s, const char *bytes, size_t length, size_t *used)
{
	if (s->place == REFUSED && s->length == 0)
		s->place = START;
	for (size_t i = 0; i < length; i++) {
		enum place from = (enum place)s->place;
		int status;

		s->place = next_place[from][kind_of((unsigned char)bytes[i])];
		status = s->place == REFUSED ? 400 : count(s, from);
		*used = i + 1;
		if (status)
			return status;
		if (s->place == DONE)
			return SCAN_WHOLE;
	}
	*used = length;
	return SCAN_MORE;
}
