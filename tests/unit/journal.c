#include "unit.h"

#include "clock.h"
#include "event.h"
#include "io.h"
#include "journal.h"
#include "mem.h"
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct state state;

/* A state directory in the test's own folder, with segments of this size. */
static void open_state(const char *segment)
{
	struct err e = {0};

	setenv("LOOP_DIR", "loop", 1);
	if (segment)
		setenv("LOOP_JOURNAL_SEGMENT", segment, 1);
	CHECK_INT(state_open(&state, &e), 0);
}

static void add_record(struct buf *b, int number)
{
	char data[32];
	int n = snprintf(data, sizeof data, "{\"n\":%d}", number);
	struct event ev = {.type = "test.run",
		.source = "/unit",
		.priority = NORMAL,
		.data = {data, (size_t)n}};

	CHECK_INT(event_record(b, &ev, NULL), 0);
}

/* Appends events numbered from first on, count of them in one append. */
static int append(struct journal *j, int first, int count, struct appended *done)
{
	AUTO_BUF struct buf b = {0};
	struct span records[100];
	size_t ends[101] = {0};

	for (int i = 0; i < count; i++) {
		add_record(&b, first + i);
		ends[i + 1] = b.length;
	}
	for (int i = 0; i < count; i++)
		records[i] = (struct span){b.text + ends[i], ends[i + 1] - ends[i]};
	return journal_append(j, records, (size_t)count, 0, done, NULL);
}

static int append_record(struct journal *j, const struct buf *record, struct appended *done)
{
	struct span span = {record->text, record->length};

	return journal_append(j, &span, 1, JOURNAL_SYNC, done, NULL);
}

static int64_t append_one(int number)
{
	struct journal j;
	struct appended done;

	journal_init(&j, &state);
	CHECK_INT(append(&j, number, 1, &done), 0);
	CHECK_INT(done.count, 1);
	journal_close(&j);
	return done.first;
}

static void remove_segment(int64_t first)
{
	AUTO_FREE char *name = mem_format("events.%lld.jsonl", (long long)first);

	CHECK_INT(unlinkat(state.dir, name, 0), 0);
}

static int number_of(const struct journal_line *line)
{
	struct span value;
	int64_t n;

	CHECK(jscan_path((struct span){line->text, line->length}, "data.n", &value));
	CHECK_INT(jscan_int(value, &n), 0);
	return (int)n;
}

/* The numbers of all events as "0 1 2", read on or back; *damaged as the reader counts. */
static const char *read_all(bool back, uint64_t *damaged)
{
	static struct buf text;
	struct journal_reader *r;
	struct journal_line line;
	int more;

	buf_clear(&text);
	buf_str(&text, "");
	CHECK_INT(journal_reader_new(&r, &state, back ? JOURNAL_FROM_NOW : JOURNAL_FROM_START, 0,
			  NULL),
		0);
	while ((more = back ? journal_read_back(r, &line) : journal_read(r, &line)) > 0)
		buf_format(&text, "%s%d", text.length ? " " : "", number_of(&line));
	CHECK_INT(more, 0);
	*damaged = journal_damaged(r);
	journal_reader_free(r);
	return text.text;
}

static const char *journal(void)
{
	static uint64_t damaged;

	return read_all(false, &damaged);
}

static void write_raw(const char *name, const char *text, int flags)
{
	AUTO_CLOSE int fd = state_file(&state, name, O_WRONLY | O_CREAT | flags, 0600);

	CHECK(fd >= 0);
	CHECK_INT(io_write(fd, text, strlen(text)), 0);
}

static int count_files(const char *folder, const char *prefix)
{
	AUTO_FREE char *path = mem_format("%s/%s", state.path, folder);
	DIR *d = opendir(path);
	const struct dirent *entry;
	int n = 0;

	if (!d)
		return 0;
	while ((entry = readdir(d)))
		n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && entry->d_name[0] != '.';
	closedir(d);
	return n;
}

TEST(journal_ids_are_positions)
{
	struct journal j;
	struct appended a, b;
	AUTO_BUF struct buf text = {0};

	open_state(NULL);
	journal_init(&j, &state);
	CHECK_INT(append(&j, 0, 1, &a), 0);
	CHECK_INT(append(&j, 1, 2, &b), 0);
	CHECK_INT(a.first, 0);
	CHECK_INT(b.first, a.next);
	CHECK_INT(b.count, 2);
	CHECK(!b.spooled);
	CHECK_INT(io_read_file(state.dir, "events.jsonl", 1 << 20, &text), 0);
	CHECK_INT(text.length, b.next);
	CHECK(strncmp(text.text, "{\"specversion\":\"1.0\",\"id\":\"0\",\"source\":", 39) == 0);
	CHECK_STR(journal(), "0 1 2");
	journal_close(&j);
	state_close(&state);
}

TEST(journal_ends_a_torn_line_and_steps_over_it)
{
	uint64_t damaged;

	open_state(NULL);
	append_one(0);
	write_raw("events.jsonl", "{\"specversion\":\"1.0\",\"id\":\"", O_APPEND);
	CHECK_STR(journal(), "0");
	append_one(1);
	CHECK_STR(read_all(false, &damaged), "0 1");
	CHECK_INT(damaged, 1);
	CHECK_STR(read_all(true, &damaged), "1 0");
	CHECK_INT(damaged, 1);
	state_close(&state);
}

TEST(journal_counts_what_is_not_its_own)
{
	uint64_t damaged;

	open_state(NULL);
	append_one(0);
	write_raw("events.jsonl",
		"hello\n\n{\"specversion\":\"1.0\",\"id\":\"0\",\"data\":{\"n\":7}}\n", O_APPEND);
	append_one(1);
	CHECK_STR(read_all(false, &damaged), "0 1");
	CHECK_INT(damaged, 3);
	state_close(&state);
}

TEST(journal_goes_on_behind_a_damaged_first_line)
{
	uint64_t damaged;
	AUTO_CLOSE int fd = -1;

	open_state(NULL);
	append_one(0);
	append_one(1);
	fd = state_file(&state, "events.jsonl", O_WRONLY, 0);
	CHECK_INT(pwrite(fd, "XXXXXXXXXXXXXXXXXXXXXXXXXXXX", 28, 0), 28);
	append_one(2);
	CHECK_STR(read_all(false, &damaged), "1 2");
	CHECK_INT(damaged, 1);
	close(fd);
	fd = -1;
	state_close(&state);
}

TEST(journal_rotates_and_is_read_as_one)
{
	struct journal j;
	struct appended done;
	int64_t next = 0;
	uint64_t damaged;

	open_state("400");
	journal_init(&j, &state);
	for (int i = 0; i < 10; i++) {
		CHECK_INT(append(&j, i, 1, &done), 0);
		CHECK_INT(done.first, next);
		next = done.next;
	}
	journal_close(&j);
	CHECK(count_files(".", "events.") >= 4);
	CHECK_STR(journal(), "0 1 2 3 4 5 6 7 8 9");
	CHECK_STR(read_all(true, &damaged), "9 8 7 6 5 4 3 2 1 0");
	CHECK_INT(damaged, 0);
	/* A writer that comes when the newest has not been made yet. */
	CHECK_INT(renameat(state.dir, "events.jsonl", state.dir, "keep"), 0);
	append_one(99);
	CHECK_INT(unlinkat(state.dir, "events.jsonl", 0), 0);
	CHECK_INT(renameat(state.dir, "keep", state.dir, "events.jsonl"), 0);
	append_one(10);
	CHECK_STR(journal(), "0 1 2 3 4 5 6 7 8 9 10");
	state_close(&state);
}

/* Reads what there is; the next number is checked to be the one after the last. */
static int follow(struct journal_reader *r, int next)
{
	struct journal_line line;
	int more;

	while ((more = journal_read(r, &line)) > 0) {
		CHECK_INT(number_of(&line), next);
		next++;
	}
	CHECK_INT(more, 0);
	return next;
}

TEST(journal_follower_crosses_rotations)
{
	struct journal_reader *r;
	int written = 0, seen = 0;

	open_state("500");
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_NOW, 0, NULL), 0);
	CHECK_INT(follow(r, 0), 0);
	for (int burst = 0; burst < 12; burst++) {
		for (int i = 0; i < burst; i++)
			append_one(written++);
		seen = follow(r, seen);
		CHECK_INT(seen, written);
	}
	CHECK_INT(journal_damaged(r), 0);
	journal_reader_free(r);
	state_close(&state);
}

TEST(journal_reader_resumes_at_a_position)
{
	struct journal_reader *r;
	struct journal_line line;
	int64_t at;
	struct err e = {0};

	open_state("500");
	for (int i = 0; i < 7; i++)
		append_one(i);
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_START, 0, NULL), 0);
	for (int i = 0; i < 3; i++)
		CHECK_INT(journal_read(r, &line), 1);
	at = journal_position(r);
	journal_reader_free(r);
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_ID, at, NULL), 0);
	CHECK_INT(follow(r, 3), 7);
	at = journal_position(r);
	journal_reader_free(r);
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_ID, at, NULL), 0);
	append_one(7);
	CHECK_INT(follow(r, 7), 8);
	journal_reader_free(r);
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_ID, 5, &e), -ERANGE);
	CHECK_STR(e.text, "5 is not where an event begins");
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_ID, 1 << 20, NULL), -ERANGE);
	remove_segment(0);
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_ID, 0, NULL), -ERANGE);
	state_close(&state);
}

static void note_place(void *place, int64_t position, const char *why UNUSED)
{
	*(int64_t *)place = position;
}

TEST(journal_reader_steps_over_missing_segments)
{
	struct journal_reader *r;
	struct journal_line line;

	int64_t first[5];

	open_state("100"); /* one event a segment */
	first[0] = append_one(0);
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_START, 0, NULL), 0);
	CHECK_INT(follow(r, 0), 1);
	for (int i = 1; i < 5; i++)
		first[i] = append_one(i);
	remove_segment(first[1]);
	CHECK_INT(follow(r, 2), 5);
	CHECK_INT(journal_damaged(r), 1);
	/* Everything begins anew. */
	remove_segment(first[0]);
	remove_segment(first[2]);
	remove_segment(first[3]);
	CHECK_INT(unlinkat(state.dir, "events.jsonl", 0), 0);
	CHECK_INT(journal_read(r, &line), 0);
	append_one(0);
	CHECK_INT(follow(r, 0), 1);
	journal_reader_free(r);
	state_close(&state);
}

TEST(journal_reader_steps_over_an_empty_segment_and_what_is_none)
{
	AUTO_FREE char *name = NULL;
	int64_t first[6];
	uint64_t damaged;

	open_state("100"); /* one event a segment */
	for (int i = 0; i < 6; i++)
		first[i] = append_one(i);
	/* As a power cut leaves it: the name is there, what stood in it is not. */
	name = mem_format("events.%lld.jsonl", (long long)first[1]);
	write_raw(name, "", O_TRUNC);
	free(name);
	remove_segment(first[3]);
	name = mem_format("events.%lld.jsonl", (long long)first[3]);
	CHECK_INT(mkfifoat(state.dir, name, 0600), 0);
	CHECK_STR(read_all(false, &damaged), "0 2 4 5");
	CHECK_INT(damaged, 2);
	CHECK_STR(read_all(true, &damaged), "5 4 2 0");
	CHECK_INT(damaged, 2);
	state_close(&state);
}

TEST(journal_tells_where_a_line_that_is_too_long_begins)
{
	AUTO_BUF struct buf line = {0};
	struct journal_reader *r;
	struct journal_line next;
	int64_t at = -1;

	open_state(NULL);
	append_one(0);
	memset(buf_reserve(&line, 4 << 20), 'x', 4 << 20);
	line.length = 4 << 20;
	buf_char(&line, '\n');
	write_raw("events.jsonl", line.text, O_APPEND);
	append_one(1);
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_START, 0, NULL), 0);
	journal_on_damage(r, note_place, &at);
	CHECK_INT(journal_read(r, &next), 1);
	CHECK_INT(follow(r, 1), 2);
	CHECK_INT(at, next.length + 1);
	journal_reader_free(r);
	state_close(&state);
}

TEST(journal_never_reads_a_line_in_part)
{
	AUTO_BUF struct buf text = {0};
	struct journal_reader *r;
	size_t cut, first;

	open_state(NULL);
	append_one(0);
	append_one(1);
	CHECK_INT(io_read_file(state.dir, "events.jsonl", 1 << 20, &text), 0);
	first = (size_t)(strchr(text.text, '\n') + 1 - text.text);
	for (cut = 1; cut < text.length; cut += 7) {
		AUTO_CLOSE int fd =
			state_file(&state, "events.jsonl", O_WRONLY | O_APPEND | O_TRUNC, 0);
		int seen;

		CHECK_INT(io_write(fd, text.text, cut), 0);
		CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_START, 0, NULL), 0);
		seen = follow(r, 0);
		CHECK_INT(seen, cut >= first);
		CHECK_INT(io_write(fd, text.text + cut, text.length - cut), 0);
		CHECK_INT(follow(r, seen), 2);
		CHECK_INT(journal_damaged(r), 0);
		journal_reader_free(r);
		/* From now on means from the line that is not whole yet. */
		CHECK_INT(ftruncate(fd, (off_t)cut), 0);
		CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_NOW, 0, NULL), 0);
		CHECK_INT(journal_position(r), cut >= first ? first : 0);
		journal_reader_free(r);
	}
	state_close(&state);
}

TEST(journal_bounds_long_lines)
{
	AUTO_BUF struct buf text = {0};
	uint64_t damaged;

	open_state(NULL);
	append_one(0);
	memset(buf_reserve(&text, 3 * EVENT_MAX), 'x', 3 * EVENT_MAX);
	text.length = 3 * EVENT_MAX;
	buf_char(&text, '\n');
	buf_char(&text, '\0');
	write_raw("events.jsonl", text.text, O_APPEND);
	append_one(1);
	CHECK_STR(read_all(false, &damaged), "0 1");
	CHECK_INT(damaged, 1);
	CHECK_STR(read_all(true, &damaged), "1 0");
	CHECK(damaged >= 1);
	state_close(&state);
}

TEST(journal_takes_a_large_event)
{
	AUTO_BUF struct buf data = {0}, record = {0};
	struct event ev = {.type = "a", .source = "/unit"};
	struct journal_reader *r;
	struct journal_line line;
	struct journal j;
	struct appended done;

	open_state(NULL);
	buf_char(&data, '"');
	memset(buf_reserve(&data, EVENT_MAX), 'x', EVENT_MAX - 300);
	data.length += EVENT_MAX - 300;
	buf_char(&data, '"');
	ev.data = (struct span){data.text, data.length};
	CHECK_INT(event_record(&record, &ev, NULL), 0);
	journal_init(&j, &state);
	CHECK_INT(append_record(&j, &record, &done), 0);
	journal_close(&j);
	append_one(1);
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_START, 0, NULL), 0);
	CHECK_INT(journal_read(r, &line), 1);
	CHECK_INT(line.length + 1, done.next);
	CHECK_INT(journal_read(r, &line), 1);
	CHECK_INT(journal_read_back(r, &line), 1);
	CHECK_INT(journal_read_back(r, &line), 1);
	CHECK_INT(line.id, 0);
	journal_reader_free(r);
	state_close(&state);
}

TEST(journal_spools_on_a_full_disk_and_takes_in_later)
{
	struct journal j;
	struct appended done;

	open_state(NULL);
	append_one(0);
	journal_init(&j, &state);
	fault_at(FAULT_WRITEV, 1, 1, ENOSPC);
	CHECK_INT(append(&j, 1, 3, &done), 0);
	CHECK(done.spooled);
	CHECK_INT(done.count, 0);
	CHECK_INT(done.first, -1);
	CHECK_STR(journal(), "0");
	CHECK_INT(count_files("spool", ""), 1);
	CHECK_INT(append(&j, 4, 1, &done), 0);
	CHECK(!done.spooled);
	CHECK_STR(journal(), "0 1 2 3 4");
	CHECK_INT(count_files("spool", ""), 0);
	/* The disk is so full that not even that can be written. */
	fault_at(FAULT_WRITEV, 1, 2, ENOSPC);
	CHECK_INT(append(&j, 5, 1, &done), -ENOSPC);
	fault_none();
	CHECK_STR(journal(), "0 1 2 3 4");
	journal_close(&j);
	state_close(&state);
}

TEST(journal_glues_nothing_to_what_it_cannot_read)
{
	struct journal j;
	struct appended done;

	open_state(NULL);
	append_one(0);
	/* The segment's place is read first, then whether its last line has an end. */
	for (int nth = 1; nth <= 2; nth++) {
		write_raw("events.jsonl", "{\"spec", O_APPEND);
		journal_init(&j, &state);
		fault_at(FAULT_PREAD, nth, 1, EIO);
		CHECK_INT(append(&j, nth, 1, &done), 0);
		CHECK(done.spooled);
		journal_close(&j);
		append_one(10 + nth);
	}
	CHECK_STR(journal(), "0 1 11 2 12");
	state_close(&state);
}

TEST(journal_takes_in_what_others_put_aside_behind_lines_of_a_writer_that_goes_on)
{
	AUTO_BUF struct buf record = {0};
	struct journal j;
	struct appended done;

	open_state(NULL);
	journal_init(&j, &state);
	CHECK_INT(append(&j, 0, 1, &done), 0);
	add_record(&record, 1);
	CHECK_INT(spool_put(&state, &(struct span){record.text, record.length}, 1), 0);
	CHECK_INT(append(&j, 2, 1, &done), 0);
	CHECK_STR(journal(), "0 2 1");
	CHECK_INT(count_files("spool", ""), 0);
	/* Whoever begins, in a script, say, finds them in order. */
	CHECK_INT(spool_put(&state, &(struct span){record.text, record.length}, 1), 0);
	append_one(3);
	CHECK_STR(journal(), "0 2 1 1 3");
	CHECK_INT(append(&j, 4, 1, &done), 0);
	CHECK_STR(journal(), "0 2 1 1 3 4");
	journal_close(&j);
	state_close(&state);
}

TEST(journal_goes_on_after_a_short_write)
{
	struct journal j;
	struct appended done;

	open_state(NULL);
	append_one(0);
	journal_init(&j, &state);
	fault_at(FAULT_WRITEV, 1, 1, 0);
	CHECK_INT(append(&j, 1, 2, &done), 0);
	CHECK_INT(done.count, 2);
	fault_none();
	CHECK_STR(journal(), "0 1 2");
	journal_close(&j);
	state_close(&state);
}

TEST(journal_keeps_only_whole_lines_where_the_file_may_not_grow)
{
	struct rlimit limit;
	struct journal j;
	struct appended done;
	uint64_t damaged;

	open_state(NULL);
	append_one(0);
	journal_init(&j, &state);
	signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = 400; /* two lines and a part of the third */
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CHECK_INT(append(&j, 1, 3, &done), 0);
	CHECK_INT(done.count, 1);
	CHECK(done.spooled);
	CHECK_STR(journal(), "0 1");
	limit.rlim_cur = limit.rlim_max;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
	CHECK_INT(append(&j, 4, 1, &done), 0);
	CHECK_STR(read_all(false, &damaged), "0 1 2 3 4");
	CHECK_INT(damaged, 0);
	journal_close(&j);
	state_close(&state);
}

TEST(journal_says_when_it_could_not_sync)
{
	AUTO_BUF struct buf record = {0};
	struct journal j;
	struct appended done;

	open_state(NULL);
	add_record(&record, 0);
	journal_init(&j, &state);
	fault_at(FAULT_FDATASYNC, 1, 1, EIO);
	CHECK_INT(append_record(&j, &record, &done), -EIO);
	fault_none();
	journal_close(&j);
	state_close(&state);
}

/* A file with three events as a taker left it that was killed after skip were appended. */
static void leave_claim(int skip, int appended_since)
{
	AUTO_FREE char *name = NULL;
	AUTO_BUF struct buf file = {0};
	struct journal j;
	struct appended done;
	int64_t position = 0;

	journal_init(&j, &state);
	for (int i = 1; i <= 3; i++) {
		buf_str(&file, "{\"specversion\":\"1.0\"");
		clock_set(clock_now(), i * NS_PER_S);
		add_record(&file, i);
	}
	if (skip) {
		for (int i = 1; i <= skip; i++) {
			clock_set(clock_now(), i * NS_PER_S);
			CHECK_INT(append(&j, i, 1, &done), 0);
			position = i == 1 ? done.first : position;
		}
	} else {
		struct stat st;

		CHECK_INT(fstatat(state.dir, "events.jsonl", &st, 0), 0);
		position = st.st_size;
	}
	clock_free_run();
	if (appended_since)
		setenv("LOOP_JOURNAL_SEGMENT", "200", 1);
	for (int i = 0; i < appended_since; i++)
		CHECK_INT(append(&j, 100 + i, 1, &done), 0);
	journal_close(&j);
	name = mem_format("spool/00000000000000000001-1-00000000.0.%lld", (long long)position);
	close(state_folder(&state, "spool"));
	write_raw(name, file.text, 0);
}

TEST(journal_takes_a_spooled_line_once_whenever_the_taker_was_killed)
{
	static const struct {
		int skip, since;
		const char *before, *after;
	} cases[] = {
		{0, 0, "0", "0 1 2 3 9"},
		{0, 1, "0 100", "0 100 1 2 3 9"},
		{1, 0, "0 1", "0 1 2 3 9"},
		{2, 1, "0 1 2 100", "0 1 2 100 3 9"},
		{3, 0, "0 1 2 3", "0 1 2 3 9"},
		{3, 2, "0 1 2 3 100 101", "0 1 2 3 100 101 9"},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		open_state("1M");
		append_one(0);
		leave_claim(cases[i].skip, cases[i].since);
		CHECK_STR(journal(), cases[i].before);
		append_one(9);
		CHECK_STR(journal(), cases[i].after);
		CHECK_INT(count_files("spool", ""), 0);
		state_close(&state);
		CHECK_INT(rename("loop", (char[]){'o', 'l', 'd', (char)('0' + i), 0}), 0);
	}
}

TEST(journal_leaves_strange_spool_files_alone)
{
	open_state(NULL);
	close(state_folder(&state, "spool"));
	write_raw("spool/note", "hello\n", 0);
	append_one(0);
	append_one(1);
	CHECK_STR(journal(), "0 1");
	CHECK_INT(faccessat(state.dir, "spool/.bad-note", F_OK, 0), 0);
	state_close(&state);
}

static pid_t writer(int first, int count, int pause_us)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct journal j;
		struct appended done;

		journal_init(&j, &state);
		for (int i = 0; i < count; i++) {
			if (append(&j, first + i, 1 + i % 3, &done) < 0 || done.spooled)
				_exit(1);
			if (pause_us)
				clock_sleep(pause_us * NS_PER_US);
			i += i % 3;
		}
		_exit(0);
	}
	return pid;
}

TEST(journal_writers_do_not_mix_their_lines)
{
	enum { WRITERS = 4,
		EACH = 600 };
	int seen[WRITERS] = {0}, total = 0, status;
	struct journal_reader *r;
	struct journal_line line;

	open_state("8K");
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_START, 0, NULL), 0);
	for (int i = 0; i < WRITERS; i++)
		writer(i * 10000, EACH, 0);
	while (total < WRITERS * EACH) {
		int n;

		if (journal_read(r, &line) <= 0) {
			CHECK_INT(journal_wait(r, clock_after(20 * NS_PER_S)), 1);
			continue;
		}
		n = number_of(&line);
		CHECK_INT(n % 10000, seen[n / 10000]);
		seen[n / 10000]++;
		total++;
	}
	CHECK_INT(journal_damaged(r), 0);
	for (int i = 0; i < WRITERS; i++) {
		CHECK(wait(&status) > 0);
		CHECK_INT(status, 0);
	}
	journal_reader_free(r);
	state_close(&state);
}

TEST(journal_survives_killed_writers)
{
	struct journal_reader *r;
	struct journal_line line;
	int lines = 0;

	open_state("8K");
	for (int round = 0; round < 40; round++) {
		pid_t a = writer(0, 1000000, 0), b = writer(0, 1000000, 0);

		clock_sleep((round % 7 + 1) * NS_PER_MS);
		kill(a, SIGKILL);
		kill(b, SIGKILL);
		CHECK_INT(waitpid(a, NULL, 0), a);
		CHECK_INT(waitpid(b, NULL, 0), b);
	}
	append_one(7);
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_START, 0, NULL), 0);
	while (journal_read(r, &line) > 0)
		lines++;
	CHECK(lines > 40);
	/* At most the line in which each writer was killed. */
	CHECK(journal_damaged(r) <= 80);
	journal_reader_free(r);
	state_close(&state);
}

TEST(journal_wait_tells_of_an_append)
{
	struct journal_reader *r;
	struct journal_line line;
	int status;

	open_state(NULL);
	CHECK_INT(journal_reader_new(&r, &state, JOURNAL_FROM_NOW, 0, NULL), 0);
	CHECK_INT(journal_wait(r, clock_after(0)), 1); /* the watch is new */
	CHECK_INT(journal_wait(r, clock_after(10 * NS_PER_MS)), 0);
	write_raw("unrelated", "x", 0);
	CHECK_INT(journal_wait(r, clock_after(10 * NS_PER_MS)), 0);
	writer(5, 1, 0);
	CHECK_INT(journal_wait(r, clock_after(20 * NS_PER_S)), 1);
	CHECK(wait(&status) > 0);
	CHECK_INT(journal_read(r, &line), 1);
	CHECK_INT(number_of(&line), 5);
	journal_reader_free(r);
	state_close(&state);
}
