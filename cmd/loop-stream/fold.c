#include "fold.h"

#include "mem.h"

struct newest {
	uint64_t number;
	char key[];
};

/* Type, subject, run and session; between JSON strings a line feed is no part of any. */
static void key_of(const struct topic *t, struct buf *out)
{
	const struct span *const parts[] = {&t->type, &t->subject, &t->run, &t->session};

	for (size_t i = 0; i < countof(parts); i++) {
		buf_add(out, parts[i]->p, parts[i]->n);
		buf_char(out, '\n');
	}
}

static struct newest *newest_new(const struct buf *key)
{
	struct newest *n = mem_new(sizeof *n + key->length + 1);

	memcpy(n->key, key->text, key->length + 1);
	return n;
}

void fold_in(struct feed *f, uint64_t number)
{
	struct feed_event *event = &f->event[number & (f->capacity - 1)];
	AUTO_BUF struct buf key = {0};
	struct newest *n;

	event->newer = 0;
	if (!f->folds || !event->topic.folds)
		return;
	key_of(&event->topic, &key);
	n = map_get_n(&f->newest, key.text, key.length);
	if (n) {
		f->event[n->number & (f->capacity - 1)].newer = number;
	} else {
		n = newest_new(&key);
		map_add(&f->newest, n->key, key.length, n);
	}
	n->number = number;
}

void fold_out(struct feed *f, uint64_t number)
{
	const struct feed_event *event = feed_at(f, number);
	AUTO_BUF struct buf key = {0};

	if (!f->folds || !event->topic.folds || event->newer)
		return;
	key_of(&event->topic, &key);
	free(map_remove(&f->newest, key.text));
}

void fold_clear(struct feed *f)
{
	map_each (&f->newest, s)
		free(s->value);
	map_clear(&f->newest);
}
