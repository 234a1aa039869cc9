/*
 * The files of a queue with anything in them: every verb comes to an end, what is claimed can be
 * acknowledged once, and what fsck has repaired is sound.
 */
#include "id.h"
#include "io.h"
#include "queue_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLAIMS = 50 };

static struct state state;

static void must(bool so)
{
	if (!so)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[64];
	struct err e = {0};

	(void)argc, (void)argv;
	snprintf(path, sizeof path, "/dev/shm/fuzz-queue-%d", (int)getpid());
	setenv("LOOP_DIR", path, 1);
	must(state_open(&state, &e) == 0);
	return 0;
}

static void remove_files(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fdopendir(fd);
	struct dirent *entry;

	while ((entry = readdir(list)))
		if (entry->d_type == DT_REG)
			unlinkat(dir, entry->d_name, 0);
	closedir(list);
}

static void write_part(int dir, const char *name, off_t at, const uint8_t *bytes, size_t n)
{
	AUTO_CLOSE int fd = io_open(dir, name, O_WRONLY | O_CREAT, 0600);

	must(fd >= 0 && io_pwrite(fd, bytes, n, at) == 0);
}

static struct queue *open_queue(void)
{
	struct queue *q;
	struct err e = {0};

	must(queue_file_open(&q, &state, "q", true, &e) == 0);
	return q;
}

/* A length of two bytes, and so many bytes or fewer. */
static size_t take_part(const uint8_t **p, size_t *size, const uint8_t **out)
{
	size_t n;

	if (*size < 2)
		return 0;
	n = MIN((size_t)(*p)[0] | (size_t)(*p)[1] << 8, *size - 2);
	*out = *p + 2;
	*p += 2 + n;
	*size -= 2 + n;
	return n;
}

/* The index behind a good head, the items, the notes, and what is left as the bodies. */
static void write_files(const uint8_t *p, size_t size)
{
	int dir = state_folder(&state, "queues/q");
	const uint8_t *part = p;
	struct queue *q;
	size_t n;

	remove_files(dir);
	q = open_queue();
	q->ops->close(q);
	n = take_part(&p, &size, &part);
	write_part(dir, "index", QUEUE_LINE, part, n);
	n = take_part(&p, &size, &part);
	write_part(dir, "1.items", 0, part, n);
	n = take_part(&p, &size, &part);
	write_part(dir, "1.notes", 0, part, n);
	write_part(dir, "1.bodies", 0, p, size);
	close(dir);
}

static int keep(void *context, const struct item *item)
{
	struct item *kept = context;

	*kept = *item;
	return 0;
}

static int look(void *context, const struct item *item)
{
	(void)context;
	must(item->body.n <= (size_t)QUEUE_BODY_MAX && strlen(item->key) < QUEUE_NAME_SIZE);
	return 0;
}

static void complain(void *context, const char *text)
{
	(void)context;
	must(text[0]);
}

static void claim_some(struct queue *q)
{
	const struct claim how = {.count = 1, .lease = 60 * NS_PER_S};
	struct err e = {0};
	struct item item;

	for (int i = 0; i < CLAIMS && q->ops->claim(q, &how, keep, &item, &e) > 0; i++) {
		struct settle s = {.id = item.id, .token = item.token, .priority = -1};

		if (q->ops->settle(q, i % 3 ? SETTLE_ACK : SETTLE_NACK, &s, 1, false, &e) < 0)
			continue;
		must(s.result == 0);
		must(q->ops->settle(q, SETTLE_ACK, &s, 1, false, &e) < 0 || s.result < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct put p = {.body = {"x", 1}, .key = "K", .lease = NS_PER_S};
	struct queue_stats s;
	struct err e = {0};
	struct queue *q;
	size_t done;

	write_files(data, size);
	q = open_queue();
	(void)q->ops->get(q, NULL, look, NULL, &e);
	(void)q->ops->get(q, "1.0", look, NULL, &e);
	(void)q->ops->each(q, ~0U, look, NULL, &e);
	(void)q->ops->stats(q, &s, &e);
	(void)q->ops->put(q, &p, 1, false, &done, &e);
	claim_some(q);
	(void)q->ops->kick(q, NULL, 5, false, &e);
	if (q->ops->check(q, true, complain, NULL, &e) >= 0)
		must(q->ops->check(q, false, complain, NULL, &e) <= 0);
	(void)q->ops->purge(q, NULL, ~0U, &e);
	q->ops->close(q);
	return 0;
}
