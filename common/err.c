#include "err.h"

#include <stdarg.h>

static size_t PRINTF_LIKE(2, 0) format_into(struct err *e, const char *format, va_list args)
{
	int n = vsnprintf(e->text, sizeof e->text, format, args);

	return n < 0 ? 0 : MIN((size_t)n, sizeof e->text - 1);
}

int err_set(struct err *e, int code, const char *format, ...)
{
	va_list args;

	if (!e || e->text[0])
		return code;
	va_start(args, format);
	format_into(e, format, args);
	va_end(args);
	return code;
}

int err_sys(struct err *e, int code, const char *format, ...)
{
	va_list args;
	size_t n;

	if (!e || e->text[0])
		return code;
	va_start(args, format);
	n = format_into(e, format, args);
	va_end(args);
	snprintf(e->text + n, sizeof e->text - n, ": %s", strerror(-code));
	return code;
}
