#include "document.h"

#include "io.h"
#include "jscan.h"

#include <fcntl.h>

enum { DOCUMENT_MAX = 64 << 20 };

void document_add(struct buf *b, int dir, const char *path)
{
	AUTO_BUF struct buf text = {0};
	AUTO_CLOSE int fd = io_open(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	const char *what;
	size_t at;

	if (fd < 0 || io_read_all(fd, DOCUMENT_MAX, &text) < 0 ||
		jscan_check(text.text, text.length, &at, &what) < 0) {
		buf_str(b, "null");
		return;
	}
	while (text.length && strchr("\r\n ", text.text[text.length - 1]))
		text.length--;
	buf_add(b, text.text, text.length);
}

void document_string(struct buf *b, const char *key, const char *value)
{
	buf_format(b, "\"%s\":", key);
	buf_json(b, value, strlen(value));
	buf_char(b, ',');
}
