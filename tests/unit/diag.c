#include "unit.h"

#include "diag.h"

TEST(diag_is_sorted_by_place_and_notes_stay)
{
	static const char text[] = "line one\nline two\nline three\n";
	AUTO_BUF struct buf out = {0};
	struct diags d = {0};

	diag_error(&d, 18, "third");
	diag_note(&d, 0, "about the third");
	diag_warning(&d, 9, "second");
	diag_error(&d, 5, "first\x1b");
	diags_format(&d, "a\nb", text, sizeof text - 1, &out);
	CHECK_STR(out.text,
		"a\\nb:1:6: error: first\\x1b\n"
		"a\\nb:2:1: warning: second\n"
		"a\\nb:3:1: error: third\n"
		"a\\nb:1:1: note: about the third\n");
	CHECK_INT(d.errors, 2);
	CHECK_INT(d.warnings, 1);
	diags_clear(&d);
}
