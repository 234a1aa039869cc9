#include "term.h"

#include "io.h"
#include "mem.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <wchar.h>

enum { COLUMNS_MIN = 20,
	ROWS_MIN = 4 };

static const char hide_cursor[] = "\x1b[?25l";
static const char show_cursor[] = "\x1b[?25h";

bool term_usable(void)
{
	const char *name = getenv("TERM");

	return isatty(STDOUT_FILENO) && name && *name && strcmp(name, "dumb") != 0;
}

void term_style(struct term *t)
{
	const char *no = getenv("NO_COLOR");

	*t = (struct term){.guardian = -1, .columns = 80, .rows = 24};
	t->utf8 = setlocale(LC_CTYPE, "") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	t->colour = term_usable() && !(no && *no);
}

void term_measure(struct term *t)
{
	struct winsize w;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || !w.ws_col || !w.ws_row)
		return;
	t->columns = MAX((int)w.ws_col, COLUMNS_MIN);
	t->rows = MAX((int)w.ws_row, ROWS_MIN);
}

static void set_mode(const struct termios *mode)
{
	while (tcsetattr(STDIN_FILENO, TCSADRAIN, mode) < 0 && errno == EINTR)
		;
}

/* Below our lines, the cursor seen, the keys echoed. */
static void restore(const struct term *t)
{
	/* The terminal may be gone; then there is nothing to restore. */
	(void)!write(STDOUT_FILENO, show_cursor, strlen(show_cursor));
	if (t->keys)
		set_mode(&t->before);
}

/* Lives as long as the pipe is open; silent when we said goodbye ourselves. */
static NORETURN void guard(const struct term *t, int pipe)
{
	char byte;

	for (int i = 1; i < NSIG; i++)
		if (i != SIGKILL && i != SIGSTOP)
			signal(i, SIG_IGN);
	if (io_read_some(pipe, &byte, 1) == 0) {
		(void)!write(STDOUT_FILENO, "\r\n", 2);
		restore(t);
	}
	_exit(0);
}

static void post_guardian(struct term *t)
{
	int ends[2];
	pid_t pid;

	if (io_pipe(ends) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		guard(t, ends[0]);
	}
	close(ends[0]);
	t->guardian = ends[1];
	if (pid < 0)
		close(ends[1]), t->guardian = -1;
}

static void enter(struct term *t)
{
	struct termios mode = t->before;

	if (t->keys) {
		mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		mode.c_cc[VMIN] = 1;
		mode.c_cc[VTIME] = 0;
		set_mode(&mode);
	}
	(void)!write(STDOUT_FILENO, hide_cursor, strlen(hide_cursor));
}

void term_take(struct term *t)
{
	t->keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &t->before) == 0;
	term_measure(t);
	post_guardian(t);
	enter(t);
}

void term_give_back(struct term *t)
{
	/* Our lines stay as they are; what comes next begins below them. */
	if (t->drawn.count)
		(void)!write(STDOUT_FILENO, "\n", 1);
	restore(t);
	if (t->guardian >= 0) {
		(void)!write(t->guardian, "", 1);
		close(t->guardian);
		wait(NULL);
	}
	t->guardian = -1;
	strs_clear(&t->drawn);
}

/* Columns of one character; control characters and what is not printable have none. */
static size_t char_width(const char *p, size_t n)
{
	mbstate_t state = {0};
	wchar_t wide;
	int width;

	if ((unsigned char)*p < 0x80)
		return 1;
	if (mbrtowc(&wide, p, n, &state) != n)
		return 1;
	width = wcwidth(wide);
	return width < 0 ? 1 : (size_t)width;
}

/* Past an escape sequence of our own: ESC [ … letter. */
static const char *skip_sequence(const char *p)
{
	p += strspn(p, "\x1b[");
	p += strspn(p, "0123456789;?");
	return *p ? p + 1 : p;
}

size_t term_width(const char *text)
{
	size_t width = 0;

	while (*text) {
		size_t n;

		if (*text == '\x1b') {
			text = skip_sequence(text);
			continue;
		}
		n = utf8_length(text, strlen(text));
		n = n ? n : 1;
		width += char_width(text, n);
		text += n;
	}
	return width;
}

/* One character as the terminal can show it. */
static void add_char(const struct term *t, struct buf *out, const char *p, size_t n)
{
	if (n > 1 && !t->utf8)
		buf_char(out, '?');
	else
		buf_add(out, p, n);
}

/* Where a text may be cut so that the sign of it still fits. */
struct cut {
	size_t length, width;
};

size_t term_fit(const struct term *t, struct buf *out, const char *text, size_t columns)
{
	AUTO_BUF struct buf safe = {0};
	struct cut cut = {out->length, 0};
	size_t width = 0, n;

	buf_escape(&safe, text, strlen(text));
	buf_add(&safe, "", 0);
	for (const char *p = safe.text; *p && columns; p += n) {
		size_t wide;

		n = MAX(utf8_length(p, strlen(p)), (size_t)1);
		wide = n > 1 && !t->utf8 ? 1 : char_width(p, n);
		if (width + wide > columns) {
			out->length = cut.length;
			buf_str(out, t->utf8 ? "…" : "~");
			return cut.width + 1;
		}
		add_char(t, out, p, n);
		width += wide;
		if (width < columns)
			cut = (struct cut){out->length, width};
	}
	return width;
}

/* The rows our lines take on a screen of this width now, should it have become narrower. */
static size_t rows_of(const struct term *t)
{
	size_t rows = 0, columns = (size_t)t->columns;

	for (size_t i = 0; i < t->drawn.count; i++)
		rows += MAX((term_width(t->drawn.item[i]) + columns - 1) / columns, (size_t)1);
	return rows;
}

static void move_up(const struct term *t, struct buf *b)
{
	size_t rows = rows_of(t);

	buf_char(b, '\r');
	if (rows > 1)
		buf_format(b, "\x1b[%zuA", rows - 1);
}

int term_draw(struct term *t, const struct strs *stay, const struct strs *own)
{
	AUTO_BUF struct buf b = {0};

	buf_str(&b, "\x1b[?2026h"); /* shown at once, where the terminal knows how */
	move_up(t, &b);
	for (size_t i = 0; i < stay->count; i++)
		buf_format(&b, "%s\x1b[K\r\n", stay->item[i]);
	for (size_t i = 0; i < own->count; i++)
		buf_format(&b, "%s%s\x1b[K", i ? "\r\n" : "", own->item[i]);
	buf_str(&b, "\x1b[J\x1b[?2026l");
	strs_clear(&t->drawn);
	for (size_t i = 0; i < own->count; i++)
		strs_add(&t->drawn, own->item[i]);
	return io_write(STDOUT_FILENO, b.text, b.length);
}
