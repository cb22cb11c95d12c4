/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a CRL that nobody publishes, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "status/crl_alarm.h"

#define DAY INT64_C(86400)
#define END (1000 + 7 * DAY)

static const struct oc_config_issuer issuer = {
	.crl_every_s = DAY,
	.crl_overlap_s = 3 * DAY,
	.crl_delta_lifetime_s = DAY,
};

static struct status_crl
newest(void)
{
	return (struct status_crl){ .issuer = "web", .publish = &issuer,
	    .worst = { .number = 5, .this_update = 1000, .next_update = END },
	    .is_known = true };
}

static void
assert_says(const struct status_crl *crl, int64_t now, const char *wanted)
{
	char text[STATUS_CRL_ALARM_MAX] = "";

	if (status_crl_alarm(crl, now, text) != (wanted != NULL) ||
	    (wanted != NULL && strcmp(text, wanted) != 0))
		fail_msg("at %lld: %s", (long long)now, text);
}

static void
by_the_records(void **state)
{
	struct status_crl crl = newest();

	(void)state;
	assert_says(&crl, 1000 + DAY + 3599, NULL);
	assert_says(&crl, 1000 + DAY + 3600, "CRL of web is 5 d from its end "
	    "and was not published: does ocsign-issuer run?");
	crl.trouble.num_failures = 1;
	oc_crl_trouble_say(&crl.trouble, "a reason");
	assert_says(&crl, END - 3 * 3600, "CRL of web is 3 h from its end and "
	    "could not be published: a reason");
	assert_says(&crl, END - 119 * 60, "CRL of web is 119 min from its end "
	    "and could not be published: a reason");
	assert_says(&crl, END - 119, "CRL of web is 119 s from its end and "
	    "could not be published: a reason");
	assert_says(&crl, END + 2 * DAY, "CRL of web has ended 2 d ago and "
	    "could not be published: a reason");
	/* One that a revocation is missing from. */
	assert_says(&crl, 1001, "CRL of web is 6 d from its end and could not "
	    "be published: a reason");
	/* Which it is. */
	crl.worst.partition = 3;
	assert_says(&crl, END - 119, "CRL of partition 3 of web is 119 s from "
	    "its end and could not be published: a reason");
	crl.worst.is_delta = true;
	crl.worst.next_update = 1000 + DAY;
	assert_says(&crl, 1000 + DAY / 2, "delta CRL of partition 3 of web is "
	    "12 h from its end and could not be published: a reason");
	crl.worst.partition = 0;
	assert_says(&crl, 1000 + DAY - 60, "delta CRL of web is 60 s from its "
	    "end and could not be published: a reason");
	/* Its schedule is of its own. */
	crl.trouble.num_failures = 0;
	assert_int_equal(status_crl_standing(&crl, 1000 + DAY / 4 - 1),
	    OC_CRL_FINE);
	assert_int_equal(status_crl_standing(&crl, 1000 + DAY / 4 + 3600),
	    OC_CRL_LATE);
	assert_int_equal(status_crl_standing(&crl, 1000 + DAY * 3 / 4),
	    OC_CRL_URGENT);
	/* Somebody makes them by hand. */
	crl.publish = NULL;
	assert_says(&crl, END + DAY, NULL);
	assert_int_equal(status_crl_standing(&crl, END + DAY), OC_CRL_FINE);
}

/* Not of a CA that is only planned, and not in its first minute. */
static void
the_first_one(void **state)
{
	struct status_crl crl = { .issuer = "web", .publish = &issuer };

	(void)state;
	crl.absent_s = 100;
	assert_says(&crl, 5000, NULL);
	crl.is_known = true;
	crl.absent_s = 59;
	assert_says(&crl, 5000, NULL);
	crl.absent_s = 60;
	assert_says(&crl, 5000, "CRL of web is not there and was not "
	    "published: does ocsign-issuer run?");
	assert_int_equal(status_crl_standing(&crl, 5000), OC_CRL_ENDED);
	crl.absent_s = 0;
	crl.trouble.num_failures = 1;
	oc_crl_trouble_say(&crl.trouble, "a reason");
	assert_says(&crl, 5000, "CRL of web is not there and could not be "
	    "published: a reason");
}

/* However long the reason is. */
static void
it_fits(void **state)
{
	char why[2 * OC_CRL_WHY_MAX], name[OC_CONFIG_NAME_MAX + 1];
	char text[STATUS_CRL_ALARM_MAX];
	struct status_crl crl = newest();

	(void)state;
	memset(why, 'x', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	crl.issuer = name;
	crl.worst.partition = OC_CRL_PARTITIONS_MAX;
	crl.worst.is_delta = true;
	crl.trouble.num_failures = 1;
	oc_crl_trouble_say(&crl.trouble, why);
	assert_true(status_crl_alarm(&crl, END + 9999 * DAY, text));
	assert_string_equal(text + strlen(text) - OC_CRL_WHY_MAX + 1,
	    crl.trouble.why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_records),
		cmocka_unit_test(the_first_one),
		cmocka_unit_test(it_fits)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
