/*
 * judge: what a check said, as a verdict. Few samples prove nothing: below the step's
 * min_samples there is neither a pass nor a failure. And who looks often enough sees any rate
 * over its limit at some time: errors among samples are a failure only once a sequential
 * probability ratio test says so, which bears to be asked at every look.
 *
 * Source: Wald, "Sequential Tests of Statistical Hypotheses" (1945).
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "plan.h"

/* From good to bad: of several checks the last of these counts. */
enum verdict {
	VERDICT_PASS,
	VERDICT_FEW,	  /* inconclusive for want of samples */
	VERDICT_DEGRADED, /* inconclusive: between good and bad */
	VERDICT_SUSPECT,  /* inconclusive: over the limit, but it may be chance */
	VERDICT_ERROR,	  /* the check itself did not work */
	VERDICT_FAIL,
};

const char *verdict_name(enum verdict) __attribute__((const));

/* Samples and the errors among them. */
struct tally {
	double samples, errors;
};

/* What a check's command did. */
struct answer {
	int status;
	const char *text; /* its standard output */
	size_t length;
	/*
	 * Of a check that tells of a window, and not of all since the step began: what its
	 * windows so far come to, and whether this one is to be added, for none of its samples
	 * is in there already. NULL for other checks.
	 */
	struct tally *sum;
	bool adds;
	/*
	 * Checks of this kind since the step began, this one too, that said yes or no: samples
	 * of a check that tells no number of them.
	 */
	int64_t looks;
};

/* words: why, with the figures. */
enum verdict judge(const struct check *, const struct answer *, int64_t min_samples,
	struct buf *words);

#endif
