#include "import.h"

#include "io.h"
#include "proc.h"
#include "share.h"

#include <errno.h>

static int read_back(int fd, struct buf *out)
{
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : io_read_all(fd, PLAN_MAX, out);
}

/* Runs jq to its end; its exit status, or as proc_spawn. */
static int run_jq(struct plan *p, const char *program, int in, int out, int error, struct err *e)
{
	static const char *const forms[] = {
		[FORM_JSON] = "json", [FORM_LINES] = "lines", [FORM_MARKDOWN] = "markdown"};
	static const char *const flags[] = {
		[FORM_JSON] = "-c", [FORM_LINES] = "-cs", [FORM_MARKDOWN] = "-cRs"};
	const char *slash = strrchr(p->file, '/'), *name = slash ? slash + 1 : p->file;
	const char *argv[] = {"jq", flags[p->form], "--arg", "form", forms[p->form], "--arg",
		"name", name, "-f", program, NULL};
	struct spawn spawn = {.argv = (char *const *)(uintptr_t)argv,
		.in = in,
		.out = out,
		.error = error,
		.same_group = true};
	struct child jq;
	int r = proc_spawn(&jq, &spawn, e);

	return r < 0 ? r : child_wait(&jq);
}

/* What jq complained of, as an error of ours: "jq: error (at <stdin>:0): the words". */
static void say_refusal(struct plan *p, const struct buf *complaint)
{
	const char *text = complaint->length ? complaint->text : "jq failed", *words;

	words = strstr(text, "): ");
	words = words ? words + 3 : text;
	diag_error(&p->diags, 0, "%.*s", (int)strcspn(words, "\n"), words);
}

int import_text(struct plan *p, struct err *e)
{
	AUTO_FREE char *program = share_path("plan/import.jq");
	AUTO_CLOSE int in = io_memory("plan", p->source.text, p->source.length);
	AUTO_CLOSE int out = io_memory("made", "", 0);
	AUTO_CLOSE int error = io_memory("complaint", "", 0);
	AUTO_BUF struct buf complaint = {0};
	int status, r;

	if (!program)
		return err_set(e, -ENOENT, "share/plan/import.jq is not installed");
	if (in < 0 || out < 0 || error < 0)
		return err_sys(e, MIN(in, MIN(out, error)), "a temporary file");
	status = run_jq(p, program, in, out, error, e);
	if (status < 0)
		return status;
	r = read_back(error, &complaint);
	if (r == 0 && status)
		say_refusal(p, &complaint);
	if (r == 0)
		r = read_back(out, &p->made);
	return r < 0 ? err_sys(e, r, "jq's output") : 0;
}
