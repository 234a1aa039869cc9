#include "unit.h"

#include "loop-canary/course.h"

static enum verdict judged(const char *text, int status, int64_t looks, int64_t min_samples)
{
	struct limit limits[] = {{(char *)(uintptr_t) "error_rate", 0.05, 0.10, false},
		{(char *)(uintptr_t) "quality", 0.9, 0.5, true}};
	const struct check c = {.limit = limits, .limit_count = countof(limits)};
	const struct answer a = {
		.status = status, .text = text, .length = strlen(text), .looks = looks};
	AUTO_BUF struct buf words = {0};

	return judge(&c, &a, min_samples, &words);
}

TEST(canary_verdicts)
{
	static const struct {
		const char *text;
		int status;
		enum verdict verdict;
	} cases[] = {
		{"{\"samples\":100,\"errors\":4}", 0, VERDICT_PASS},
		{"{\"samples\":100,\"errors\":5}", 0, VERDICT_DEGRADED},
		{"{\"samples\":100,\"errors\":10}", 0, VERDICT_DEGRADED},
		{"{\"samples\":100,\"errors\":11}", 0, VERDICT_SUSPECT},
		{"{\"samples\":100,\"errors\":16}", 0, VERDICT_FAIL},
		{"{\"samples\":1000,\"errors\":110}", 0, VERDICT_FAIL},
		{"{\"samples\":100,\"error_rate\":0.2,\"errors\":0}", 1, VERDICT_FAIL},
		{"{\"samples\":9,\"errors\":9}", 0, VERDICT_FEW},
		{"{\"samples\":0}", 0, VERDICT_FEW},
		{"{\"samples\":50,\"quality\":0.95}", 0, VERDICT_PASS},
		{"{\"samples\":50,\"quality\":0.7}", 0, VERDICT_DEGRADED},
		{"{\"samples\":50,\"quality\":0.4}", 0, VERDICT_FAIL},
		{"{\"samples\":50,\"verdict\":\"pass\"}", 0, VERDICT_PASS},
		{"{\"samples\":50,\"verdict\":\"pass\",\"errors\":20}", 0, VERDICT_FAIL},
		{"{\"samples\":50,\"verdict\":\"perhaps\"}", 0, VERDICT_ERROR},
		{"{\"samples\":50}", 0, VERDICT_ERROR},
		{"{\"samples\":50,", 0, VERDICT_ERROR},
		{"nonsense", 0, VERDICT_ERROR},
		{"{\"samples\":100,\"errors\":0}", 127, VERDICT_ERROR},
		{"", 0, VERDICT_PASS},
		{"", 1, VERDICT_FAIL},
		{" \n", 75, VERDICT_DEGRADED},
		{"", 2, VERDICT_ERROR},
	};

	for (size_t i = 0; i < countof(cases); i++)
		CHECK_INT(judged(cases[i].text, cases[i].status, 10, 10), cases[i].verdict);
	CHECK_INT(judged("", 0, 9, 10), VERDICT_FEW);
	CHECK_INT(judged("", 1, 9, 10), VERDICT_FEW);
}

/* Windows are added up where they do not overlap; between them nothing is doubted. */
TEST(canary_adds_windows_up)
{
	struct limit limits[] = {{(char *)(uintptr_t) "error_rate", 0.05, 0.10, false}};
	struct check check = {.limit = limits, .limit_count = 1, .window = 60};
	struct step steps[] = {{100, 100, 100}};
	const struct plan plan = {
		.step = steps, .step_count = 1, .check = &check, .check_count = 1};
	static const struct {
		int64_t held;
		const char *text;
		enum verdict verdict;
		int samples;
	} looks[] = {
		{30, "{\"samples\":60,\"errors\":60}", VERDICT_FEW, 0}, /* began before the step */
		{60, "{\"samples\":60,\"errors\":5}", VERDICT_FEW, 60},
		{90, "{\"samples\":60,\"errors\":60}", VERDICT_FEW, 60}, /* half of it is known */
		{120, "{\"samples\":60,\"error_rate\":0.05}", VERDICT_DEGRADED, 120},
		{150, "{\"samples\":60,\"errors\":60}", VERDICT_FEW, 120},
		{180, "{\"samples\":0,\"errors\":0}", VERDICT_DEGRADED, 120},
		{181, "{\"samples\":120,\"errors\":0}", VERDICT_PASS, 240},
		{200, "{\"samples\":1,\"errors\":1}", VERDICT_PASS, 240},
		{250, "{\"samples\":100,\"errors\":80}", VERDICT_FAIL, 340},
	};
	struct course c = {0};

	for (size_t i = 0; i < countof(looks); i++) {
		const struct answer a = {.text = looks[i].text, .length = strlen(looks[i].text)};
		AUTO_BUF struct buf words = {0};

		c.held = looks[i].held;
		CHECK_INT(course_judge(&c, &plan, 0, &a, &words), looks[i].verdict);
		CHECK_INT(c.windows[0].sum.samples, looks[i].samples);
	}
}

TEST(canary_course_of_verdicts)
{
	struct step steps[] = {{10, 100, 1}, {100, 100, 1}};
	const struct plan plan = {.step = steps,
		.step_count = 2,
		.failure_limit = 1,
		.inconclusive_limit = 2,
		.error_limit = 1,
		.success_needed = 2};
	struct course c = {.held = 50};
	AUTO_BUF struct buf why = {0};

	CHECK_INT(course_take(&c, &plan, VERDICT_PASS, &why), ACTION_WAIT);
	CHECK_INT(course_take(&c, &plan, VERDICT_PASS, &why), ACTION_WAIT); /* not held yet */
	c.held = 100;
	CHECK_INT(course_take(&c, &plan, VERDICT_DEGRADED, &why), ACTION_WAIT);
	CHECK_INT(course_take(&c, &plan, VERDICT_PASS, &why), ACTION_WAIT); /* in a row, again */
	CHECK_INT(course_take(&c, &plan, VERDICT_PASS, &why), ACTION_ADVANCE);
	c = (struct course){.step = 1, .held = 100, .passes = 1};
	CHECK_INT(course_take(&c, &plan, VERDICT_PASS, &why), ACTION_PROMOTE);
	for (int i = 0; i < 100; i++)
		CHECK_INT(course_take(&c, &plan, VERDICT_FEW, &why), ACTION_WAIT);
	CHECK_INT(course_take(&c, &plan, VERDICT_FAIL, &why), ACTION_WAIT);
	CHECK_INT(course_take(&c, &plan, VERDICT_FAIL, &why), ACTION_ROLL_BACK);
	CHECK_INT(course_take(&c, &plan, VERDICT_ERROR, &why), ACTION_WAIT);
	CHECK_INT(course_take(&c, &plan, VERDICT_ERROR, &why), ACTION_ROLL_BACK);
	CHECK_INT(course_take(&c, &plan, VERDICT_DEGRADED, &why), ACTION_WAIT);
	CHECK_INT(course_take(&c, &plan, VERDICT_DEGRADED, &why), ACTION_PAUSE);
	c = (struct course){.failures = 1};
	CHECK_INT(course_take(&c, &plan, VERDICT_SUSPECT, &why), ACTION_WAIT);
	CHECK_INT(course_take(&c, &plan, VERDICT_DEGRADED, &why), ACTION_WAIT); /* starts anew */
	CHECK_INT(course_take(&c, &plan, VERDICT_SUSPECT, &why), ACTION_WAIT);
	CHECK_INT(course_take(&c, &plan, VERDICT_SUSPECT, &why), ACTION_ROLL_BACK);
}
