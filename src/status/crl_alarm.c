/* SPDX-License-Identifier: Apache-2.0 */
#include "status/crl_alarm.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"

/* After a start, or a CA's beginning, its first CRL is made. */
#define FIRST_S 60

/* There never was one. */
static bool
is_missed(const struct status_crl *crl)
{
	return crl->is_known &&
	    (crl->trouble.num_failures > 0 || crl->absent_s >= FIRST_S);
}

enum oc_crl_standing
status_crl_standing(const struct status_crl *crl, int64_t now)
{
	if (crl->publish == NULL)
		return OC_CRL_FINE;
	if (crl->worst.number == 0)
		return is_missed(crl) ? OC_CRL_ENDED : OC_CRL_DUE;
	return oc_crl_standing_of(crl->publish, crl->worst.is_delta,
	    crl->worst.this_update, crl->worst.next_update, now);
}

void
status_crl_name(const struct status_crl *crl, char text[STATUS_CRL_NAME_MAX])
{
	char part[32] = "";

	if (crl->worst.partition != 0)
		(void)snprintf(part, sizeof(part), " of partition %" PRIu32,
		    crl->worst.partition);
	(void)snprintf(text, STATUS_CRL_NAME_MAX, "%s%s",
	    crl->worst.is_delta ? "delta CRL" : "CRL", part);
}

/* "3 h"; what is left over is not said. */
static void
put_duration(int64_t s, char *text, size_t room)
{
	static const struct {
		int64_t s;
		const char *unit;
	} units[] = { { 2 * 86400, "d" }, { 2 * 3600, "h" }, { 120, "min" } };
	static const int64_t ones[] = { 86400, 3600, 60 };
	size_t i = 0;

	while (i < 3 && s < units[i].s)
		i++;
	(void)snprintf(text, room, "%" PRId64 " %s", i < 3 ? s / ones[i] : s,
	    i < 3 ? units[i].unit : "s");
}

bool
status_crl_alarm(const struct status_crl *crl, int64_t now,
    char text[STATUS_CRL_ALARM_MAX])
{
	enum oc_crl_standing standing = status_crl_standing(crl, now);
	bool has_why = crl->trouble.num_failures > 0;
	int64_t left_s = crl->worst.next_update - now;
	char how[32], stands[64], name[STATUS_CRL_NAME_MAX];

	/* One that is fine may lack a revocation. */
	if (standing <= OC_CRL_DUE && !has_why)
		return false;
	put_duration(left_s < 0 ? -left_s : left_s, how, sizeof(how));
	if (crl->worst.number == 0)
		(void)snprintf(stands, sizeof(stands), "is not there");
	else if (left_s <= 0)
		(void)snprintf(stands, sizeof(stands), "has ended %s ago",
		    how);
	else
		(void)snprintf(stands, sizeof(stands), "is %s from its end",
		    how);
	status_crl_name(crl, name);
	(void)snprintf(text, STATUS_CRL_ALARM_MAX, "%s of %s %s and %s%s",
	    name, crl->issuer, stands, has_why ? "could not be published: " :
	    "was not published: does ocsign-issuer run?", has_why ?
	    crl->trouble.why : "");
	return true;
}

void
status_crls_complain(struct status_crls *crls, int64_t now)
{
	for (size_t i = 0; i < status_crls_num(crls); i++) {
		struct status_crl crl = status_crls_get(crls, i);
		enum oc_crl_standing standing = status_crl_standing(&crl,
		    now), before = status_crls_note(crls, i, standing);
		char text[STATUS_CRL_ALARM_MAX];

		if (before >= OC_CRL_LATE && standing == OC_CRL_FINE)
			oc_log(OC_LOG_NOTICE, "CRLs of %s are published again",
			    crl.issuer);
		if (standing >= OC_CRL_LATE && standing > before &&
		    status_crl_alarm(&crl, now, text))
			oc_log(standing >= OC_CRL_URGENT ? OC_LOG_ERROR :
			    OC_LOG_WARNING, "%s", text);
	}
}
