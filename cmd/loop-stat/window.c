/*
 * Time is the events' own. A window is closed when an event has come that is
 * later than its end by more than the lateness that is allowed.
 */
#include "stat.h"

#include "clock.h"
#include "mem.h"

enum { OPEN_MAX = 1000 }; /* windows at once, however odd the times are */

static void series_free(struct series *s)
{
	for (size_t i = 0; i < LABELS_MAX; i++)
		free(s->label[i]);
	free(s->key);
	sketch_clear(&s->values);
	free(s);
}

static void window_clear(struct window *w)
{
	for (size_t i = 0; i < w->count; i++)
		series_free(w->series[i]);
	free(w->series);
	map_clear(&w->by_key);
}

/* What is asked for lies in the data most often: then the rest need not be walked again. */
static bool find_value(const struct fact *f, const char *path, struct span *value)
{
	if (strncmp(path, "data.", 5) == 0)
		return f->data.n && jscan_path(f->data, path + 5, value);
	return jscan_path(f->line, path, value);
}

/* A member's text, or its JSON where it is no string; empty where it is absent. */
static char *label_of(const struct fact *f, const char *path)
{
	AUTO_BUF struct buf b = {0};
	struct span value;

	buf_add(&b, "", 0);
	if (find_value(f, path, &value) && jscan_text(value, &b) < 0)
		buf_add(&b, value.p, value.n);
	return buf_take(&b);
}

static struct series *series_new(struct window *w, char *const *label, size_t count, char *key)
{
	struct series *s = mem_zero(1, sizeof *s);

	for (size_t i = 0; i < count; i++)
		s->label[i] = mem_string(label[i]);
	s->key = key;
	w->series = mem_grow(w->series, w->count, &w->capacity, sizeof *w->series);
	w->series[w->count++] = s;
	map_add(&w->by_key, s->key, strlen(s->key), s);
	return s;
}

static char *key_of(char *const *label, size_t count)
{
	AUTO_BUF struct buf b = {0};

	for (size_t i = 0; i < count; i++)
		buf_format(&b, "%zu:%s", strlen(label[i]), label[i]);
	return buf_take(&b);
}

/* The series of these labels; where there are too many, one for all the others. */
static struct series *find(struct window *w, const struct question *q, char **label)
{
	char *key = key_of(label, q->by_count);
	struct series *s = map_get(&w->by_key, key);

	if (!s && w->count >= q->groups_max) {
		for (size_t i = 0; i < q->by_count; i++) {
			free(label[i]);
			label[i] = mem_string("(others)");
		}
		free(key);
		key = key_of(label, q->by_count);
		s = map_get(&w->by_key, key);
	}
	if (!s)
		return series_new(w, label, q->by_count, key);
	free(key);
	return s;
}

static struct series *series_of(
	struct window *w, const struct question *q, const struct fact *f)
{
	char *label[LABELS_MAX] = {0};
	struct series *s;

	for (size_t i = 0; i < q->by_count; i++)
		label[i] = label_of(f, q->by[i]);
	s = find(w, q, label);
	for (size_t i = 0; i < q->by_count; i++)
		free(label[i]);
	return s;
}

static bool get_number(const struct fact *f, const char *path, double *out)
{
	struct span value;
	char text[64];

	if (!find_value(f, path, &value) || jscan_kind(value) != '0' || value.n >= sizeof text)
		return false;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	*out = strtod(text, NULL);
	return true;
}

static bool value_of(const struct question *q, const struct fact *f, double *out)
{
	if (q->value)
		return get_number(f, q->value, out);
	return get_number(f, "data.value", out) || get_number(f, "data.ms", out);
}

/* The window that begins there, made where it is missing. */
static struct window *window_at(struct windows *w, int64_t start)
{
	size_t i = w->count;

	while (i && w->open[i - 1].start > start)
		i--;
	if (i && w->open[i - 1].start == start)
		return &w->open[i - 1];
	w->open = mem_grow(w->open, w->count, &w->capacity, sizeof *w->open);
	memmove(w->open + i + 1, w->open + i, (w->count - i) * sizeof *w->open);
	w->count++;
	w->open[i] = (struct window){.start = start};
	return &w->open[i];
}

static void close_first(struct windows *w)
{
	w->closed(w, &w->open[0]);
	window_clear(&w->open[0]);
	w->count--;
	memmove(w->open, w->open + 1, w->count * sizeof *w->open);
}

/* Whether a window that begins there takes no events any more. */
static bool is_over(const struct windows *w, int64_t start)
{
	const struct question *q = w->question;

	return q->length && w->newest - start >= q->length + q->late;
}

void windows_add(struct windows *w, const struct fact *f)
{
	int64_t length = w->question->length;
	int64_t time = f->time, start = length ? time - time % length : INT64_MIN;
	struct series *s;
	double value;

	/* One clock that runs ahead does not close everybody's windows. */
	if (time > w->newest)
		w->newest = MIN(time, clock_real());
	while (w->count && (is_over(w, w->open[0].start) || w->count > OPEN_MAX))
		close_first(w);
	if (is_over(w, start)) {
		w->late++;
		return;
	}
	s = series_of(window_at(w, start), w->question, f);
	s->first = s->events ? MIN(s->first, time) : time;
	s->last = s->events ? MAX(s->last, time) : time;
	s->events++;
	if (value_of(w->question, f, &value))
		sketch_add(&s->values, value);
}

void windows_end(struct windows *w)
{
	while (w->count)
		close_first(w);
	free(w->open);
	w->open = NULL;
}

double series_seconds(const struct windows *w, const struct series *s)
{
	int64_t ns = w->question->length ? w->question->length : s->last - s->first;

	return (double)ns / 1e9;
}
