#include "die.h"

#include "buf.h"
#include "err.h"

#include <errno.h>
#include <stdarg.h>

static const char *program = "loop";
static int own;

void die_init(const char *name, int own_status)
{
	program = name;
	own = own_status;
}

const char *die_program(void)
{
	return program;
}

/* The message is made in one piece: two processes on one terminal do not mix their lines. */
static void PRINTF_LIKE(2, 0) say(int errnum, const char *format, va_list args)
{
	char text[2048];
	char line[sizeof text + 256];
	size_t n;

	vsnprintf(text, sizeof text, format, args);
	n = (size_t)snprintf(line, sizeof line, "%s: ", program);
	n += escape_text(line + n, sizeof line - n, text);
	if (errnum && n < sizeof line)
		n += (size_t)snprintf(line + n, sizeof line - n, ": %s", strerror(errnum));
	n = MIN(n, sizeof line - 1);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nobody is left to be told */
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(0, format, args);
	va_end(args);
}

void warn_errno(const char *format, ...)
{
	int errnum = errno;
	va_list args;

	va_start(args, format);
	say(errnum, format, args);
	va_end(args);
}

static int own_or(int status)
{
	return own && status >= EX__BASE && status <= EX__MAX ? own : status;
}

void die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(0, format, args);
	va_end(args);
	exit(own_or(status));
}

void die_errno(int status, const char *format, ...)
{
	int errnum = errno;
	va_list args;

	va_start(args, format);
	say(errnum, format, args);
	va_end(args);
	exit(own_or(status));
}

void die_usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(0, format, args);
	va_end(args);
	die(EX_USAGE, "try '%s --help'", program);
}

int die_status(int code)
{
	switch (-code) {
	case EACCES:
	case EPERM:
	case EROFS: return EX_NOPERM;
	case ENOENT:
	case ENOTDIR:
	case ELOOP: return EX_NOINPUT;
	case EINVAL:
	case EILSEQ:
	case EMSGSIZE:
	case EBADMSG: return EX_DATAERR;
	case EAGAIN:
	case EBUSY:
	case ETIMEDOUT:
	case EDEADLK: return EX_TEMPFAIL;
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENOTCONN: return EX_UNAVAILABLE;
	case EPROTO: return EX_PROTOCOL;
	case ENOTSUP: return EX_CONFIG;
	default: return EX_IOERR;
	}
}

void die_err(int code, const struct err *e)
{
	die(die_status(code), "%s", e->text[0] ? e->text : strerror(-code));
}

int finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	warn_errno("standard output");
	return own_or(EX_IOERR);
}
