/*
 * A run: what it depends on, whether that was run before, and then either the replay or the
 * command. Whatever is wrong with the cache, the command is run.
 */
#include "commands.h"

#include "capture.h"
#include "clock.h"
#include "die.h"
#include "environment.h"
#include "flight.h"
#include "io.h"
#include "last.h"
#include "manifest.h"
#include "mem.h"
#include "output.h"
#include "proc.h"
#include "statuses.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char *name, *status_list = "0", *report;
static struct statuses kept; /* a result of one of these is kept */
static struct strs inputs, outputs, input_vars, output_vars, env;
static bool strict, from_stdin, refresh, dry, why;

const struct opt run_options[] = {
	OPTION_SCOPE,
	{.name = "key",
		.letter = 'k',
		.arg = "NAME",
		.help = "its name (the command's words)",
		.string = &name},
	{.name = "input",
		.letter = 'i',
		.arg = "PATH",
		.help = "a file, folder or pattern that it reads",
		.strings = &inputs},
	{.name = "output",
		.letter = 'o',
		.arg = "PATH",
		.help = "a file or folder that it makes",
		.strings = &outputs},
	{.name = "input-var",
		.arg = "VARIABLE",
		.help = "what this variable names is an input",
		.strings = &input_vars},
	{.name = "output-var",
		.arg = "VARIABLE",
		.help = "what this variable names is an output",
		.strings = &output_vars},
	{.name = "env",
		.letter = 'e',
		.arg = "VARIABLE",
		.help = "its value must be the same",
		.strings = &env},
	{.name = "strict-env", .help = "hide all other variables from it", .flag = &strict},
	{.name = "stdin", .help = "standard input is an input", .flag = &from_stdin},
	{.name = "status",
		.arg = "LIST",
		.help = "keep results of these exit statuses (0)",
		.string = &status_list},
	{.name = "refresh", .letter = 'r', .help = "run it in any case", .flag = &refresh},
	{.name = "dry-run", .letter = 'n', .help = "run nothing: 0 for a hit", .flag = &dry},
	{.name = "why", .letter = 'w', .help = "say why there is no hit", .flag = &why},
	{.name = "report",
		.arg = "FILE",
		.help = "write how it went to a file, as JSON",
		.string = &report},
	OPTION_TTL,
	OPTIONS_LIMITS,
	{0},
};

struct run {
	struct state state;
	struct scope scope;
	bool usable; /* the cache */
	struct recipe recipe;
	struct buf manifest, words;
	char *name, *key;
	struct digest digest; /* of the key */
	struct output *output;
	size_t output_count;
	struct content in; /* standard input, where it is an input */
	struct part in_part;
	/* Of a hit. */
	int status;
	int64_t ms, created;
};

static void check_choices(const struct args *args)
{
	if (!args->command || !args->command[0] || args->count)
		die_usage("a command is needed behind --: loop-cache run [OPTIONS] -- COMMAND");
	if (name && (!key_valid(name) || strlen(name) > KEY_MAX / 2))
		die_usage("--key: 1 to %d bytes of UTF-8", KEY_MAX / 2);
	if (statuses_add(&kept, status_list, 0) < 0)
		die_usage("--status: '%s' is no list of statuses such as 0,1,10-19", status_list);
}

/* Where there is no cache the command runs without; only what is wrong with our words is an end. */
static void open_cache(struct run *r)
{
	struct err e = {0};
	int failed = state_open(&r->state, &e);

	r->scope = (struct scope)SCOPE_NONE;
	if (failed == 0)
		failed = scope_open(&r->scope, &r->state, chosen_scope(), &e);
	if (failed == 0)
		failed = scope_configure(&r->scope, &choices.changes, &e);
	if (failed == -EINVAL || failed == -ELOOP)
		die_usage("%s", e.text);
	if (failed < 0)
		warn("%s; nothing is kept", e.text);
	r->usable = failed == 0;
}

/* Standard input is read first: it is part of what must be the same. */
static void read_stdin(struct run *r)
{
	int failed;

	r->in_part.fd = -1;
	if (!from_stdin)
		return;
	failed = content_begin(&r->in, &r->scope);
	if (failed == 0)
		failed = content_copy(&r->in, STDIN_FILENO, 0);
	if (failed < 0)
		die(EXIT_OWN, "standard input: %s", strerror(-failed));
	content_end(&r->in, &r->in_part);
	r->recipe.input = &r->in_part.digest;
}

static void collect_outputs(struct run *r)
{
	r->output = mem_zero(outputs.count + output_vars.count + 1, sizeof *r->output);
	for (size_t i = 0; i < outputs.count; i++)
		r->output[r->output_count++] =
			(struct output){outputs.item[i], outputs.item[i], false};
	for (size_t i = 0; i < output_vars.count; i++) {
		const char *path = getenv(output_vars.item[i]);

		if (path && *path)
			r->output[r->output_count++] = (struct output){
				mem_format("$%s", output_vars.item[i]), path, true};
	}
}

static void describe(struct run *r, char *const *command)
{
	char hex[DIGEST_HEX + 1];
	struct digest d;
	struct err e = {0};
	struct stat st;

	r->recipe = (struct recipe){.name = name,
		.command = command,
		.inputs = &inputs,
		.outputs = &outputs,
		.input_vars = &input_vars,
		.output_vars = &output_vars,
		.env = &env,
		.strict = strict};
	if (fstat(r->state.dir, &st) == 0) {
		r->recipe.state_device = st.st_dev;
		r->recipe.state_inode = st.st_ino;
	}
	read_stdin(r);
	if (manifest_make(&r->manifest, &r->recipe, &e) < 0)
		die(EXIT_OWN, "input %s", e.text);
	d = digest_of(r->manifest.text, r->manifest.length);
	r->name = recipe_name(&r->recipe);
	r->key = mem_format("%s@%s", r->name, digest_hex(&d, hex));
	r->digest = key_digest(r->key);
	collect_outputs(r);
}

/* Both are whole before a byte of them is written. */
static int replay(struct scope *s, struct entry *e, void *context)
{
	struct run *r = context;
	int failed = output_restore(s, e, r->output, r->output_count);

	for (size_t i = 0; failed == 0 && i < e->count; i++)
		if (e->part[i].kind == PART_STDOUT || e->part[i].kind == PART_STDERR) {
			e->part[i].fd = object_open(s, &e->part[i]);
			failed = MIN(e->part[i].fd, 0);
		}
	for (size_t i = 0; failed == 0 && i < e->count; i++)
		if (e->part[i].fd >= 0 &&
			copy_fd(e->part[i].fd, e->part[i].kind == PART_STDOUT ? 1 : 2) < 0)
			die(EXIT_OWN, "standard output cannot be written");
	r->status = e->status;
	r->ms = e->ms;
	r->created = e->created;
	return failed;
}

/* For --dry-run: only whether it could be. */
static int consider(struct scope *s UNUSED, struct entry *e UNUSED, void *unused UNUSED)
{
	return 0;
}

static void write_report(const struct run *r, bool hit, int status, int64_t ms)
{
	AUTO_CLOSE int fd = -1;
	AUTO_BUF struct buf b = {0};

	if (!report)
		return;
	buf_format(&b, "{\"hit\":%s,\"key\":", hit ? "true" : "false");
	buf_json(&b, r->key, strlen(r->key));
	buf_str(&b, ",\"why\":");
	buf_json(&b, r->words.text ? r->words.text : "", r->words.length);
	buf_format(&b, ",\"status\":%d,\"ms\":%lld", status, (long long)ms);
	if (hit)
		buf_format(&b, ",\"age_ms\":%lld",
			(long long)(MAX(clock_real() - r->created, 0) / NS_PER_MS));
	buf_str(&b, "}\n");
	fd = io_open(AT_FDCWD, report, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || io_write(fd, b.text, b.length) < 0)
		warn_errno("%s", report);
}

static void explain(struct run *r, enum found found)
{
	buf_drop(&r->words, r->words.length);
	last_explain(&r->scope, r->name, &r->manifest, found, &r->words);
}

/* Whether there is nothing more to do. A miss is counted when it is one in the end. */
static bool try_hit(struct run *r, enum counting counting)
{
	const struct search q = {.key = r->key,
		.counting = dry ? COUNT_NONE : counting,
		.use = dry ? consider : replay,
		.context = r};
	struct err e = {0};
	enum found found = FOUND_HIT;

	if (!refresh)
		found = store_search(&r->scope, &q, &e);
	if (e.text[0])
		warn("%s", e.text);
	if (found == FOUND_HIT && !refresh)
		return true;
	explain(r, found);
	return false;
}

/* Files without names are files all the same, and outputs may be many. */
static void allow_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* What is not an output must be now as it was before: else nobody knows what the command read. */
static int check_inputs(const struct run *r, struct err *e)
{
	AUTO_BUF struct buf now = {0}, fixed_now = {0}, fixed = {0}, words = {0};

	if (manifest_make(&now, &r->recipe, e) < 0)
		return -ESTALE;
	manifest_fixed(&r->manifest, &outputs, &fixed);
	manifest_fixed(&now, &outputs, &fixed_now);
	if (manifest_difference(&fixed, &fixed_now, &words))
		return err_set(e, -ESTALE, "%s while it ran", words.text);
	return 0;
}

static int fill(struct run *r, struct capture *c, struct entry *entry, struct err *e)
{
	int64_t max = r->scope.limits.max_size;
	int failed = check_inputs(r, e);

	content_end(&c->kept[0], entry_add(entry, PART_STDOUT));
	content_end(&c->kept[1], entry_add(entry, PART_STDERR));
	entry->key = r->key;
	entry->created = clock_real();
	entry->expires = chosen_expiry(entry->created);
	entry->status = c->status;
	entry->ms = c->ms;
	for (size_t i = 0; failed == 0 && i < r->output_count; i++)
		failed = output_take(&r->scope, entry, &r->output[i], max, e);
	return failed;
}

/* Keeps what came of it, or says why not. */
static void keep(struct run *r, struct capture *c)
{
	AUTO_ENTRY struct entry entry = {0};
	AUTO_BUF struct buf outcome = {0};
	struct err e = {0};
	int failed = 0;

	allow_files();
	if (c->by_signal || !statuses_has(&kept, c->status))
		buf_format(&outcome, "status %d", c->status);
	else if (c->why)
		failed = err_sys(&e, c->why, "what it wrote");
	else
		failed = fill(r, c, &entry, &e);
	if (failed == 0 && !outcome.length)
		failed = store_put(&r->scope, &entry, &e);
	if (failed < 0) {
		warn("%s: not kept: %s", r->name, e.text);
		buf_escape(&outcome, e.text, strlen(e.text));
	}
	failed = last_write(
		&r->scope, r->name, &r->manifest, outcome.length ? outcome.text : "kept");
	if (failed < 0)
		warn("%s: %s", r->name, strerror(-failed));
}

static void begin_capture(struct run *r, struct capture *c)
{
	c->kept[0].fd = c->kept[1].fd = -1;
	if (!r->usable)
		return;
	c->max = r->scope.limits.max_size;
	for (int i = 0; i < 2 && !c->why; i++)
		c->why = content_begin(&c->kept[i], &r->scope);
}

static int compute(struct run *r)
{
	struct capture c = {.command = r->recipe.command, .in = r->in_part.fd};
	struct err e = {0};

	if (proc_contain(&e) < 0)
		die(EXIT_OWN, "%s", e.text);
	if (flight_tell(&r->digest) < 0)
		die_errno(EXIT_OWN, "environment");
	if (strict)
		c.env = environment_of(&env, &input_vars, &output_vars);
	if (c.in >= 0 && lseek(c.in, 0, SEEK_SET) < 0)
		die_errno(EXIT_OWN, "standard input");
	begin_capture(r, &c);
	if (capture_run(&c, &e) < 0)
		warn("%s", e.text);
	else if (r->usable)
		keep(r, &c);
	content_drop(&c.kept[0]);
	content_drop(&c.kept[1]);
	free(c.env);
	write_report(r, false, c.status, c.ms);
	return c.status;
}

static int hit(struct run *r)
{
	write_report(r, true, r->status, r->ms);
	return r->status;
}

/* Whoever had to wait looks again. */
static int run_cached(struct run *r)
{
	struct flight flight;
	int status, turn;

	if (try_hit(r, COUNT_HITS))
		return dry ? EXIT_SUCCESS : hit(r);
	if (dry) {
		if (why)
			warn("%s: %s", r->name, r->words.text);
		return EXIT_NO;
	}
	turn = flight_begin(&flight, &r->scope, &r->digest);
	if (turn < 0)
		warn("%s: %s; others are not waited for", r->name, strerror(-turn));
	if (try_hit(r, COUNT_ALL)) {
		flight_end(&flight);
		return hit(r);
	}
	if (why)
		warn("%s: %s", r->name, r->words.text);
	status = compute(r);
	flight_end(&flight);
	return status;
}

static void clear(struct run *r)
{
	for (size_t i = outputs.count; i < r->output_count; i++)
		free((void *)(uintptr_t)r->output[i].label);
	free(r->output);
	free(r->name);
	free(r->key);
	buf_clear(&r->manifest);
	buf_clear(&r->words);
	if (r->in_part.fd >= 0)
		close(r->in_part.fd);
	scope_close(&r->scope);
	state_close(&r->state);
}

int run_main(const struct args *args)
{
	struct run r = {.state = {.dir = -1}};
	int status;

	check_choices(args);
	open_cache(&r);
	describe(&r, args->command);
	status = r.usable ? run_cached(&r) : compute(&r);
	clear(&r);
	return status;
}
