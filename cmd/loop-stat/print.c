#include "stat.h"

#include "parse.h"

static const struct {
	const char *name;
	const char *share;
	double q;
} quantiles[] = {{"p50", "0.5", 0.5}, {"p95", "0.95", 0.95}, {"p99", "0.99", 0.99}};

static double rate_of(const struct windows *w, const struct series *s)
{
	double seconds = series_seconds(w, s);

	return seconds > 0 ? (double)s->events / seconds : 0;
}

/* A column of a number; "-" where there are no values. */
static void add_column(struct buf *b, const struct series *s, double value)
{
	if (s->values.count)
		buf_format(b, " %9.4g", value);
	else
		buf_format(b, " %9s", "-");
}

static void add_labels(struct buf *b, const struct windows *w, const struct series *s)
{
	for (size_t i = 0; i < w->question->by_count; i++) {
		buf_str(b, "  ");
		buf_escape(b, s->label[i], strlen(s->label[i]));
	}
}

void print_head(const struct windows *w, struct buf *b)
{
	buf_format(b, "%-20s %8s %9s %9s %9s", w->question->length ? "from" : "", "count",
		"per_sec", "min", "mean");
	for (size_t i = 0; i < countof(quantiles); i++)
		buf_format(b, " %9s", quantiles[i].name);
	buf_format(b, " %9s", "max");
	for (size_t i = 0; i < w->question->by_count; i++)
		buf_format(b, "  %s", w->question->by[i]);
	buf_char(b, '\n');
}

void print_text(const struct windows *w, const struct window *window, struct buf *b)
{
	char from[TIME_SIZE] = "";

	if (w->question->length)
		format_time(from, window->start);
	from[MIN(strlen(from), 19)] = '\0'; /* whole seconds */
	for (size_t i = 0; i < window->count; i++) {
		const struct series *s = window->series[i];

		buf_format(b, "%-20s %8llu %9.4g", from, (unsigned long long)s->events,
			rate_of(w, s));
		add_column(b, s, s->values.min);
		add_column(b, s, sketch_mean(&s->values));
		for (size_t q = 0; q < countof(quantiles); q++)
			add_column(b, s, sketch_quantile(&s->values, quantiles[q].q));
		add_column(b, s, s->values.max);
		add_labels(b, w, s);
		buf_char(b, '\n');
	}
}

/* A sum may be too large for a number, and JSON has no infinity. */
static void json_number(struct buf *b, const char *name, double value)
{
	if (value - value == 0)
		buf_format(b, ",\"%s\":%.12g", name, value);
	else
		buf_format(b, ",\"%s\":null", name);
}

static void json_values(struct buf *b, const struct sketch *v)
{
	buf_format(b, ",\"values\":%llu", (unsigned long long)v->count);
	if (!v->count)
		return;
	json_number(b, "min", v->min);
	json_number(b, "mean", sketch_mean(v));
	for (size_t q = 0; q < countof(quantiles); q++)
		buf_format(b, ",\"%s\":%.6g", quantiles[q].name,
			sketch_quantile(v, quantiles[q].q));
	json_number(b, "max", v->max);
	json_number(b, "sum", v->sum);
}

static void json_series(const struct windows *w, const struct window *window,
	const struct series *s, struct buf *b)
{
	char text[TIME_SIZE];

	buf_char(b, '{');
	if (w->question->length)
		buf_format(b, "\"from\":\"%s\",", format_time(text, window->start));
	buf_str(b, "\"by\":{");
	for (size_t i = 0; i < w->question->by_count; i++) {
		buf_str(b, i ? "," : "");
		buf_json(b, w->question->by[i], strlen(w->question->by[i]));
		buf_char(b, ':');
		buf_json(b, s->label[i], strlen(s->label[i]));
	}
	buf_format(b, "},\"count\":%llu,\"rate\":%.6g", (unsigned long long)s->events,
		rate_of(w, s));
	json_values(b, &s->values);
	buf_str(b, "}\n");
}

void print_json(const struct windows *w, const struct window *window, struct buf *b)
{
	for (size_t i = 0; i < window->count; i++)
		json_series(w, window, window->series[i], b);
}

/* [a-zA-Z_][a-zA-Z0-9_]*; "quantile" is Prometheus' own. */
static void add_label_name(struct buf *b, const char *path)
{
	if (*path >= '0' && *path <= '9')
		buf_char(b, '_');
	for (const char *p = path; *p; p++) {
		bool fits = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			(*p >= '0' && *p <= '9');

		buf_char(b, fits ? *p : '_');
	}
	if (strcmp(path, "quantile") == 0)
		buf_char(b, '_');
}

static void add_label_value(struct buf *b, const char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			buf_str(b, "\\n");
		else if (*text == '"' || *text == '\\')
			buf_format(b, "\\%c", *text);
		else
			buf_char(b, *text);
}

/* One line: the name, the labels of the series with one more, the value. */
static void sample(struct buf *b, const struct windows *w, const struct series *s,
	const char *name, const char *share, double value)
{
	const char *next = "{";

	buf_str(b, name);
	for (size_t i = 0; i < w->question->by_count; i++, next = ",") {
		buf_str(b, next);
		add_label_name(b, w->question->by[i]);
		buf_str(b, "=\"");
		add_label_value(b, s->label[i]);
		buf_char(b, '"');
	}
	if (share) {
		buf_format(b, "%squantile=\"%s\"", next, share);
		next = ",";
	}
	buf_format(b, "%s %.12g\n", *next == ',' ? "}" : "", value);
}

void print_prometheus(const struct windows *w, const struct window *window, struct buf *b)
{
	buf_str(b, "# HELP loop_events_total Events counted.\n# TYPE loop_events_total counter\n");
	for (size_t i = 0; i < window->count; i++)
		sample(b, w, window->series[i], "loop_events_total", NULL,
			(double)window->series[i]->events);
	buf_str(b, "# HELP loop_value Numbers in events.\n# TYPE loop_value summary\n");
	for (size_t i = 0; i < window->count; i++) {
		const struct series *s = window->series[i];

		if (!s->values.count)
			continue;
		for (size_t q = 0; q < countof(quantiles); q++)
			sample(b, w, s, "loop_value", quantiles[q].share,
				sketch_quantile(&s->values, quantiles[q].q));
		sample(b, w, s, "loop_value_sum", NULL, s->values.sum);
		sample(b, w, s, "loop_value_count", NULL, (double)s->values.count);
	}
}
