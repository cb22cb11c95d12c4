/* SPDX-License-Identifier: Apache-2.0 */
/* When a signer's certificate is to be renewed, and how loudly that is said. */
#include "tests/unit/status_fixture.h"

#define DAY INT64_C(86400)

static void
test_thresholds(void **state)
{
	static const struct {
		int64_t life_d, day;
		enum status_renewal renewal;
	} cases[] = {
		{ 90, 0, STATUS_RENEWAL_FINE },
		{ 90, 59, STATUS_RENEWAL_FINE },
		{ 90, 60, STATUS_RENEWAL_DUE },
		{ 90, 62, STATUS_RENEWAL_DUE },
		{ 90, 63, STATUS_RENEWAL_LATE },
		{ 90, 82, STATUS_RENEWAL_LATE },
		{ 90, 83, STATUS_RENEWAL_URGENT },
		{ 90, 91, STATUS_RENEWAL_URGENT },
		/* A week is much of what lives for 30 days. */
		{ 30, 19, STATUS_RENEWAL_FINE },
		{ 30, 20, STATUS_RENEWAL_DUE },
		{ 30, 21, STATUS_RENEWAL_LATE },
		{ 30, 24, STATUS_RENEWAL_LATE },
		{ 30, 25, STATUS_RENEWAL_URGENT },
	};
	int64_t begin = 1700000000;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (status_renewal_of(begin, begin + cases[i].life_d * DAY,
		    begin + cases[i].day * DAY) != cases[i].renewal)
			fail_msg("day %d of %d", (int)cases[i].day,
			    (int)cases[i].life_d);
	assert_int_equal(status_renewal_at(0, 90 * DAY), 60 * DAY);
	assert_string_equal(status_renewal_word(STATUS_RENEWAL_NONE), "none");
	assert_string_equal(status_renewal_word(STATUS_RENEWAL_LATE), "late");
}

static enum status_renewal
reported(const struct world *w)
{
	struct status_service_report report;

	status_service_report(w->service, &report);
	return report.renewal;
}

/* The fixture's certificates live for a year. */
static void
test_said(void **state)
{
	struct world *w = *state;
	const char *text = "nobody has renewed it";

	world_start(w);
	world_idle(w, 50);
	assert_int_equal(reported(w), STATUS_RENEWAL_FINE);
	assert_int_equal(world_num_lines(w, text), 0);
	world_stop(w);
	/* A hundred days are left: late.  Said once a day. */
	world_set_delegate(w, oc_clock_now_s() + 100 * DAY);
	world_start(w);
	assert_int_equal(reported(w), STATUS_RENEWAL_LATE);
	world_until(w, world_num_lines(w, text) == 1);
	world_idle(w, 50);
	w->skip_s += DAY - 60;
	world_idle(w, 50);
	assert_int_equal(world_num_lines(w, text), 1);
	assert_int_equal(world_num_lines(w, "warning: issuer ca: the "
	    "certificate that OCSP responses are signed under ends at 20"), 1);
	w->skip_s += 70;
	world_until(w, world_num_lines(w, text) == 2);
	/* When it becomes worse, at once. */
	w->skip_s += 93 * DAY;
	world_until(w, world_num_lines(w, "error: issuer ca: the "
	    "certificate that OCSP responses are signed under ends at 20") ==
	    1);
	world_stop(w);
	w->skip_s = 0;
	world_set_delegate(w, oc_clock_now_s() + 2 * DAY);
	world_start(w);
	assert_int_equal(reported(w), STATUS_RENEWAL_URGENT);
}

/* A CA that signs itself is renewed by nobody here. */
static void
test_not_delegated(void **state)
{
	struct world *w = *state;
	char *path = w->issuer.ocsp_certificate;

	w->issuer.ocsp_certificate = NULL;
	world_start(w);
	world_idle(w, 50);
	assert_int_equal(reported(w), STATUS_RENEWAL_NONE);
	w->issuer.ocsp_certificate = path;
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, \
	world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thresholds), T(test_said),
		T(test_not_delegated),
	};

	return cmocka_run_group_tests_name("status renewal", tests, NULL,
	    NULL);
}
