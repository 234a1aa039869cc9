#include "unit.h"

#include "pattern.h"

TEST(pattern_matches_word_by_word)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{"story.started", "story.started", true},
		{"story.started", "story.starte", false},
		{"story.started", "story.startedx", false},
		{"story.started", "story", false},
		{"story", "story.started", false},
		{"story.*", "story.started", true},
		{"story.*", "story", false},
		{"story.*", "story.a.b", false},
		{"*.started", "task.started", true},
		{"*.started", "started", false},
		{"*", "metric", true},
		{"*", "a.b", false},
		{"*.*", "a.b", true},
		{"**", "a.b.c", true},
		{"**", "", true},
		{"*", "", false},
		{"story.**", "story.a.b", true},
		{"story.**", "story", true},
		{"story.**", "storys.a", false},
		{"*.b.**", "a.b", true},
		{"*.b.**", "a.c.d", false},
	};

	for (size_t i = 0; i < countof(cases); i++)
		if (pattern_match(cases[i].pattern, PATTERN_TYPE, cases[i].text,
			    strlen(cases[i].text)) != cases[i].matches)
			unit_fail(__FILE__, __LINE__, "%s and %s", cases[i].pattern, cases[i].text);
}

TEST(pattern_of_subjects_has_slashes)
{
	CHECK(pattern_match("PRD-001/**", PATTERN_SUBJECT, "PRD-001/US-003", 14));
	CHECK(pattern_match("PRD-001/*", PATTERN_SUBJECT, "PRD-001/US.003", 14));
	CHECK(!pattern_match("PRD-001/*", PATTERN_SUBJECT, "PRD-002/US-003", 14));
	CHECK(!pattern_match("PRD-001/*", PATTERN_SUBJECT, "PRD-001/US-003", 7));
}

TEST(pattern_is_refused_where_it_is_none)
{
	static const char *const bad[] = {
		"", ".", "a.", ".a", "a..b", "a*", "*a", "**.a", "a.**.b", "***", "a.b*c"};
	static const char *const good[] = {"a", "*", "**", "a.*.b", "*.*", "a.b.**"};

	for (size_t i = 0; i < countof(bad); i++)
		CHECK(!pattern_valid(bad[i], PATTERN_TYPE));
	for (size_t i = 0; i < countof(good); i++)
		CHECK(pattern_valid(good[i], PATTERN_TYPE));
}
