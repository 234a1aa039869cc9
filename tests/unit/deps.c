#include "unit.h"

#include "io.h"
#include "loop-deps/glob.h"
#include "loop-deps/scan.h"
#include "loop-deps/text.h"

#include <fcntl.h>

/* A case of the tables: its text, and the imports that the table names, a line each. */
struct scan_case {
	const char *name;
	struct buf text, want;
};

/* Scans a copy that ends where its padding does, so that a look too far is seen by a sanitizer. */
static void scan(const char *kind, const struct buf *text, size_t length, struct imports *out)
{
	char *copy = mem_new(length + SCAN_PADDING);
	unsigned dialect = 0;

	memcpy(copy, text->text ? text->text : "", length);
	memset(copy + length, 0, SCAN_PADDING);
	if (strchr(kind, 't'))
		dialect |= SCAN_TYPES;
	if (strchr(kind, 'j') || strchr(kind, 'x'))
		dialect |= SCAN_JSX;
	if (*kind == 'd')
		dialect |= SCAN_DECLARATION;
	if (*kind)
		scan_script(copy, length, dialect, out);
	else
		scan_python(copy, length, out);
	free(copy);
}

static void add_import(struct buf *out, const struct import *import)
{
	static const char *const forms[] = {"import", "from", "export", "require", "resolve",
		"call", "reference-path", "reference-types"};
	static const char *const flags[] = {"type", "lazy", "try", "computed"};

	buf_format(out, "%u:%u %s", import->line, import->column, forms[import->form]);
	for (unsigned i = 0; i < countof(flags); i++)
		if (import->flags & 1 << i)
			buf_format(out, ",%s", flags[i]);
	if (*import->spec || import->level)
		buf_char(out, ' ');
	for (unsigned i = 0; i < import->level; i++)
		buf_char(out, '.');
	buf_str(out, import->spec);
	if (import->name)
		buf_format(out, " %s", import->name);
	buf_char(out, '\n');
}

/* "jsx" of "# elements [jsx]", "" where there are no brackets. */
static const char *kind_of(const char *name)
{
	const char *bracket = strchr(name, '[');

	return bracket ? bracket + 1 : "";
}

static void check_case(const struct scan_case *c)
{
	struct arena arena = {0};
	struct imports found = {.arena = &arena};
	AUTO_BUF struct buf got = {0};

	scan(kind_of(c->name), &c->text, c->text.length, &found);
	for (size_t i = 0; i < found.count; i++)
		add_import(&got, &found.item[i]);
	buf_char(&got, '\0');
	if (strcmp(got.text, c->want.text ? c->want.text : "") != 0)
		unit_fail(__FILE__, __LINE__, "%s\nfound:\n%s", c->name, got.text);
	free(found.item);
	arena_clear(&arena);
}

/* However a text is cut off, the scan ends in it and finds no more than in the whole. */
static void check_cut(const struct scan_case *c)
{
	for (size_t n = 0; n < c->text.length; n++) {
		struct arena arena = {0};
		struct imports found = {.arena = &arena};

		scan(kind_of(c->name), &c->text, n, &found);
		CHECK(found.count <= n / 4);
		free(found.item);
		arena_clear(&arena);
	}
}

/* The escapes of the tables; unlike a literal's they may stand for NUL. */
static void add_escaped(struct buf *out, const char *p)
{
	static const char letters[] = "nrt\\'", bytes[] = "\n\r\t\\'";

	for (; *p; p++) {
		const char *simple = *p == '\\' ? strchr(letters, p[1]) : NULL;
		unsigned byte;

		if (simple && p[1]) {
			buf_char(out, bytes[simple - letters]);
			p++;
		} else if (*p == '\\' && sscanf(p, "\\x%2x", &byte) == 1) {
			buf_char(out, (char)byte);
			p += 3;
		} else {
			buf_char(out, *p);
		}
	}
}

static void each_case(const char *table, void (*check)(const struct scan_case *))
{
	AUTO_BUF struct buf text = {0};
	struct scan_case c = {0};
	unsigned cases = 0;

	CHECK_INT(io_read_file(AT_FDCWD, unit_path(table), 1 << 20, &text), 0);
	for (char *line = text.text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		if (*line == '|')
			buf_format(&c.text, "%s\n", line + 2);
		else if (*line == '\\')
			add_escaped(&c.text, line + 2);
		else if (*line == '>')
			buf_format(&c.want, "%s\n", line + 2);
		else if (*line == '#' && end[1] != '#')
			c.name = line;
		if (c.name && (!end[1] || end[1] == '#')) {
			check(&c);
			cases++;
			buf_clear(&c.text);
			buf_clear(&c.want);
		}
	}
	CHECK(cases > 20);
}

TEST(deps_scan_python)
{
	each_case("cases/deps-python", check_case);
}

TEST(deps_scan_script)
{
	each_case("cases/deps-script", check_case);
}

TEST(deps_scan_python_cut_off)
{
	each_case("cases/deps-python", check_cut);
}

TEST(deps_scan_script_cut_off)
{
	each_case("cases/deps-script", check_cut);
}

/* Depth costs memory of its own, never the stack; what is nested is found at the bottom. */
TEST(deps_scan_deep)
{
	static const struct {
		const char *kind, *open, *inside, *close;
	} deep[] = {
		{"js", "`${", "require('a')", "}`"},
		{"js", "(", "require('a')", ")"},
		{"js", "{a:[", "require('a')", "]}"},
		{"jsx", "<a>{", "require('a')", "}</a>"},
		{"jsx", "<a b=", "{require('a')}", ""},
		{"js", "function(){", "require('a')", "}"},
		{"", "f'{", "__import__('a')", "}'"},
		{"", "(", "__import__('a')", ")"},
		{"", "if TYPE_CHECKING: ", "import a", ""},
	};

	for (size_t i = 0; i < countof(deep); i++) {
		struct arena arena = {0};
		struct imports found = {.arena = &arena};
		AUTO_BUF struct buf text = {0};
		int depth = deep[i].open[0] == 'f' ? 100 : 100000;

		for (int k = 0; k < depth; k++)
			buf_str(&text, deep[i].open);
		buf_str(&text, deep[i].inside);
		for (int k = 0; k < depth; k++)
			buf_str(&text, deep[i].close);
		scan(deep[i].kind, &text, text.length, &found);
		if (found.count != 1)
			unit_fail(__FILE__, __LINE__, "%s: %zu", deep[i].open, found.count);
		free(found.item);
		arena_clear(&arena);
	}
}

/* What looks ahead in vain, over and over: quadratic, this would outlast the alarm. */
TEST(deps_scan_is_linear)
{
	static const struct {
		const char *kind, *piece;
	} hostile[] = {{"js", "=/["}, {"js", "import{"}, {"js", "export{a,"}, {"js", "import/**/"},
		{"jsx", "<T>("}, {"tsx", "=<T>("}, {"js", "require(`"}, {"js", "require('"},
		{"js", "<!--"}, {"js", "?/**/"}, {"js", "\\u{1"}, {"js", "import a,"},
		{"ts", "import(\"a\")."}, {"", "f'{"}, {"", "__import__("}, {"", "__import__('a'"},
		{"", "from a import("}, {"", "import_module('.a',"}, {"", "f'\\N{"}};

	for (size_t i = 0; i < countof(hostile); i++) {
		struct arena arena = {0};
		struct imports found = {.arena = &arena};
		AUTO_BUF struct buf text = {0};

		while (text.length < 1 << 20)
			buf_str(&text, hostile[i].piece);
		scan(hostile[i].kind, &text, text.length, &found);
		free(found.item);
		arena_clear(&arena);
	}
}

TEST(deps_literals)
{
	static const struct {
		const char *text, *want;
	} good[] = {{"abc", "abc"}, {"a\\\nb", "ab"}, {"a\\\r\nb", "ab"}, {"\\x41\\u0042", "AB"},
		{"\\u{1F600}", "\xf0\x9f\x98\x80"}, {"\\101\\n", "A\n"}, {"\\'\\q", "'q"},
		{"\\u12", "u12"}, {"a\\", "a"}, {"\\U00000041", "A"}};

	for (size_t i = 0; i < countof(good); i++) {
		AUTO_BUF struct buf out = {0};

		CHECK(literal_decode(&out, good[i].text, strlen(good[i].text)));
		CHECK_STR(out.text, good[i].want);
	}
}

TEST(deps_literals_that_hold_a_nul)
{
	static const char *const bad[] = {"a\\0", "\\x00", "\\u{0}"};

	for (size_t i = 0; i < countof(bad); i++) {
		AUTO_BUF struct buf out = {0};

		CHECK(!literal_decode(&out, bad[i], strlen(bad[i])));
	}
}

TEST(deps_globs)
{
	static const struct {
		const char *pattern, *path;
		bool folder, want;
	} cases[] = {
		{"*.py", "a.py", false, true},
		{"*.py", "b/a.py", false, true},
		{"/*.py", "b/a.py", false, false},
		{"/*.py", "a.py", false, true},
		{"b/*.py", "b/a.py", false, true},
		{"b/*.py", "c/b/a.py", false, false},
		{"**/b/*.py", "c/b/a.py", false, true},
		{"**/b/*.py", "b/a.py", false, true},
		{"b/**", "b/c/d/a.py", false, true},
		{"b/**/a.py", "b/a.py", false, true},
		{"b/**/a.py", "b/c/d/a.py", false, true},
		{"b/**/a.py", "b/c/d/aa.py", false, false},
		{"tests/", "tests", true, true},
		{"tests/", "a/tests", true, true},
		{"tests/", "tests", false, false},
		{"test?", "tests", true, true},
		{"test?", "test", true, false},
		{"a*b*c", "aXbYbZc", false, true},
		{"a*b*c", "aXbYbZ", false, false},
		{"*", "a/b", false, true},
		{"a/*/c", "a/b/c", false, true},
		{"a/*/c", "a/b/b/c", false, false},
		{"", "a", false, false},
		{"**", "a/b", false, true},
		{"**/*.test.ts", "src/x/y.test.ts", false, true},
	};

	for (size_t i = 0; i < countof(cases); i++)
		if (glob_match(cases[i].pattern, cases[i].path, cases[i].folder) != cases[i].want)
			unit_fail(__FILE__, __LINE__, "%s %s", cases[i].pattern, cases[i].path);
}
