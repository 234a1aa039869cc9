/*
 * pty: runs a command on a terminal of its own and tells what is to be seen.
 *
 *	pty COLUMNSxROWS [PATTERN ACTION]… -- COMMAND…
 *
 * Each ACTION is done once its PATTERN has been written (after the one before
 * it): "=SIZE" resizes, "!SIGNAL" (a number) signals the command, anything else
 * is typed. At the end the screen is printed, with what has scrolled off it,
 * then "status N" and whether keys and cursor are as they were.
 */
#include "base.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "io.h"

#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <utmp.h>
#include <wchar.h>

#define PATIENCE (20 * NS_PER_S)

enum { COLUMNS_MAX = 200,
	ROWS_MAX = 60 };

/* What a terminal keeps: one text a cell; the second cell of a wide character is empty. */
struct screen {
	int columns, rows, x, y;
	bool hidden;
	char cell[ROWS_MAX][COLUMNS_MAX][8];
	struct strs gone; /* lines that scrolled off */
};

static char *line_text(const struct screen *s, int y)
{
	struct buf b = {0};

	buf_add(&b, "", 0);
	for (int x = 0; x < s->columns; x++)
		buf_str(&b, s->cell[y][x]);
	while (b.length && b.text[b.length - 1] == ' ')
		b.text[--b.length] = '\0';
	return buf_take(&b);
}

static void erase(struct screen *s, int y, int from)
{
	for (int x = from; x < COLUMNS_MAX; x++)
		memcpy(s->cell[y][x], " ", 2);
}

static void line_feed(struct screen *s)
{
	if (++s->y < s->rows)
		return;
	strs_take(&s->gone, line_text(s, 0));
	memmove(s->cell[0], s->cell[1], sizeof s->cell[0] * (ROWS_MAX - 1));
	s->y = s->rows - 1;
	erase(s, s->y, 0);
}

static void put(struct screen *s, const char *p, size_t n)
{
	wchar_t wide;
	mbstate_t state = {0};
	int width = mbrtowc(&wide, p, n, &state) == n ? wcwidth(wide) : 1;

	if (s->x + width > s->columns) {
		s->x = 0;
		line_feed(s);
	}
	memcpy(s->cell[s->y][s->x], p, n);
	s->cell[s->y][s->x][n] = '\0';
	if (width == 2)
		s->cell[s->y][s->x + 1][0] = '\0';
	s->x += MAX(width, 0);
}

/* ESC [ parameters letter: those that a display in place needs. */
static const char *sequence(struct screen *s, const char *p)
{
	const char *from = p + 2;
	int value;

	p = from + strspn(from, "?0123456789;");
	value = (int)strtol(from, NULL, 10);
	switch (*p) {
	case 'A': s->y = MAX(s->y - MAX(value, 1), 0); break;
	case 'K': erase(s, s->y, s->x); break;
	case 'J':
		erase(s, s->y, s->x);
		for (int y = s->y + 1; y < s->rows; y++)
			erase(s, y, 0);
		break;
	case 'h':
	case 'l':
		if (strncmp(from, "?25", 3) == 0)
			s->hidden = *p == 'l';
		break;
	default: break;
	}
	return p + 1;
}

static void show(struct screen *s, const char *p)
{
	while (*p) {
		size_t n = MAX(utf8_length(p, strlen(p)), (size_t)1);

		if (p[0] == '\x1b' && p[1] == '[') {
			p = sequence(s, p);
			continue;
		}
		if (*p == '\r')
			s->x = 0;
		else if (*p == '\n')
			line_feed(s);
		else
			put(s, p, n);
		p += n;
	}
}

static void parse_size(const char *text, struct winsize *w)
{
	char *end;
	long columns = strtol(text, &end, 10);
	long rows = *end == 'x' ? strtol(end + 1, NULL, 10) : 0;

	if (columns < 1 || columns > COLUMNS_MAX || rows < 1 || rows > ROWS_MAX)
		die(EX_USAGE, "%s: not COLUMNSxROWS", text);
	*w = (struct winsize){.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
}

static void act(const char *action, int fd, pid_t pid)
{
	struct winsize w;

	if (*action == '=') {
		parse_size(action + 1, &w);
		if (ioctl(fd, TIOCSWINSZ, &w) < 0)
			die_errno(EX_OSERR, "resize");
	} else if (*action == '!') {
		kill(pid, (int)strtol(action + 1, NULL, 10));
	} else if (io_write(fd, action, strlen(action)) < 0) {
		die_errno(EX_IOERR, "type");
	}
}

/* Reads until the command's end, doing what the script says; all that was written is in out. */
static void drive(int fd, pid_t pid, char **script, struct buf *out)
{
	int64_t deadline = clock_after(PATIENCE);
	size_t seen = 0;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;
		const char *at;

		if (poll(&p, 1, clock_poll_timeout(deadline)) <= 0) {
			kill(pid, SIGKILL);
			die(EX_TEMPFAIL, "no end; waited for '%s'", *script ? *script : "");
		}
		n = io_read_some(fd, buf_reserve(out, 4096), 4096);
		if (n <= 0)
			return;
		out->length += (size_t)n;
		out->text[out->length] = '\0';
		if (*script && (at = strstr(out->text + seen, *script))) {
			seen = (size_t)(at - out->text) + strlen(*script);
			act(script[1], fd, pid);
			script += 2;
		}
	}
}

static void print_screen(struct screen *s)
{
	for (size_t i = 0; i < s->gone.count; i++)
		puts(s->gone.item[i]);
	for (int y = 0; y <= s->y; y++) {
		AUTO_FREE char *line = line_text(s, y);

		puts(line);
	}
}

int main(int argc, char **argv)
{
	static struct screen screen;
	AUTO_BUF struct buf out = {0};
	char **command = argv + 2;
	struct termios before, after;
	struct winsize size;
	int fd, slave, status = 0;
	pid_t pid;

	die_init("pty", 0);
	setlocale(LC_CTYPE, "");
	while (argc > 2 && *command && strcmp(*command, "--") != 0)
		command++;
	if (argc < 4 || !*command || (command - argv) % 2)
		die(EX_USAGE, "usage: pty COLUMNSxROWS [PATTERN ACTION]... -- COMMAND...");
	parse_size(argv[1], &size);
	*command++ = NULL;
	/* Asked before the command is there to change it. */
	if (openpty(&fd, &slave, NULL, NULL, &size) < 0 || tcgetattr(fd, &before) < 0)
		die_errno(EX_OSERR, "a terminal");
	pid = fork();
	if (pid == 0) {
		close(fd);
		if (login_tty(slave) == 0)
			execvp(*command, command);
		_exit(EXIT_NOT_FOUND);
	}
	close(slave);
	if (pid < 0)
		die_errno(EX_OSERR, "fork");
	drive(fd, pid, argv + 2, &out);
	waitpid(pid, &status, 0);
	if (tcgetattr(fd, &after) < 0)
		die_errno(EX_OSERR, "a terminal");
	screen.columns = size.ws_col;
	screen.rows = size.ws_row;
	for (int y = 0; y < ROWS_MAX; y++)
		erase(&screen, y, 0);
	show(&screen, out.length ? out.text : "");
	print_screen(&screen);
	printf("status %d, keys %s, cursor %s\n",
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
		before.c_lflag == after.c_lflag ? "restored" : "changed",
		screen.hidden ? "hidden" : "shown");
	return finish(0);
}
