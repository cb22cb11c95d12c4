/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the serial numbers in the file are to be revoked, and in which
 * order. */
#include "cli/revoke_many.h"

#include <stdlib.h>

#include "base/clock.h"
#include "ca/revoke.h"
#include "cli/progress.h"
#include "ocsp/asked.h"

void
cli_revoke_plan_fini(struct cli_revoke_plan *plan)
{
	ca_issuer_free(plan->issuer);
	oc_serial_list_fini(&plan->list);
	free(plan->states);
	free(plan->order);
}

/* --- what is the matter with each --------------------------------------- */

static void
name_it(struct cli_revoke_plan *plan, const struct oc_serial *serial)
{
	if (plan->num_named < CLI_REVOKE_NAMED_MAX)
		plan->named[plan->num_named++] = *serial;
}

/* Other errors than these are not about one certificate. */
static enum oc_err
judge(struct cli_revoke_plan *plan, const struct oc_serial *serial,
    int64_t now, enum cli_revoke_state *state, struct oc_error *error)
{
	struct oc_error why = { 0 };
	int64_t not_after = 0;
	enum oc_err err;

	err = ca_may_revoke(plan->issuer, plan->store, serial, plan->reason,
	    &not_after, &why);
	if (err == OC_OK)
		*state = not_after > now ? CLI_REVOKE_WANTED :
		    CLI_REVOKE_EXPIRED;
	else if (err == OC_ERR_EXISTS)
		*state = not_after > now ? CLI_REVOKE_DONE :
		    CLI_REVOKE_DONE_EXPIRED;
	else if (err == OC_ERR_NOT_FOUND)
		*state = CLI_REVOKE_UNKNOWN;
	else if (err == OC_ERR_REFUSED || err == OC_ERR_MISMATCH)
		*state = CLI_REVOKE_REFUSED;
	else
		return oc_error_set(error, err, "%s", why.text);
	if (*state == CLI_REVOKE_REFUSED && plan->why.text[0] == '\0')
		plan->why = why;
	return OC_OK;
}

static enum oc_err
judge_all(struct cli_revoke_plan *plan, struct oc_error *error)
{
	const struct oc_serial_list *list = &plan->list;
	int64_t now = oc_clock_now_s();
	struct cli_progress progress;
	enum oc_err err = OC_OK;

	plan->states = malloc(list->num);
	plan->order = reallocarray(NULL, list->num, sizeof(*plan->order));
	if (plan->states == NULL || plan->order == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	cli_progress_start(&progress, "looked up");
	for (uint32_t i = 0; err == OC_OK && i < list->num; i++) {
		enum cli_revoke_state state = CLI_REVOKE_DONE;

		err = judge(plan, &list->serials[i], now, &state, error);
		plan->states[i] = (uint8_t)state;
		plan->num[state]++;
		if (state == CLI_REVOKE_WANTED || state == CLI_REVOKE_EXPIRED)
			plan->order[plan->num_wanted++] = i;
		else if (state == CLI_REVOKE_UNKNOWN ||
		    state == CLI_REVOKE_REFUSED)
			name_it(plan, &list->serials[i]);
		cli_progress_tell(&progress, i, list->num);
	}
	cli_progress_stop(&progress);
	return err;
}

/* --- in which order ----------------------------------------------------- */

/* How often each was asked about, and which it is: as one number, so that the
 * rest stays in the records' order, where one page has many of them. */
static int
compare_asked(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* What nobody counts is as often asked about as the next. */
static enum oc_err
sort(struct cli_revoke_plan *plan, struct oc_error *error)
{
	struct ocsp_asked_total *asked = NULL;
	const struct oc_config *config;
	uint64_t *keys;
	enum oc_err err = cli_config(plan->cli, &config, error);

	if (err != OC_OK || plan->num_wanted == 0)
		return err;
	err = ocsp_asked_read(config->daemon.responder_directory,
	    &asked);
	if (err != OC_OK)
		return oc_error_set(error, err, "out of memory");
	keys = reallocarray(NULL, plan->num_wanted, sizeof(*keys));
	if (keys == NULL) {
		ocsp_asked_free(asked);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	for (uint32_t i = 0; i < plan->num_wanted; i++) {
		uint32_t num = ocsp_asked_num(asked,
		    &plan->list.serials[plan->order[i]]);

		plan->num_asked += num > 0;
		keys[i] = (uint64_t)(UINT32_MAX - num) << 32 | plan->order[i];
	}
	qsort(keys, plan->num_wanted, sizeof(*keys), compare_asked);
	for (uint32_t i = 0; i < plan->num_wanted; i++)
		plan->order[i] = (uint32_t)keys[i];
	free(keys);
	ocsp_asked_free(asked);
	return OC_OK;
}

enum oc_err
cli_revoke_plan(struct cli_revoke_plan *plan, struct oc_error *error)
{
	/* Where there is no store nothing was issued; a plan writes nothing. */
	enum store_mode mode = cli_has(plan->cli, "dry-run") ? STORE_READ :
	    STORE_WRITE;
	enum oc_err err;

	err = oc_serial_list_read(plan->path, &plan->list, error);
	if (err == OC_OK)
		err = cli_open_known_issuer(plan->cli, cli_option(plan->cli,
		    "issuer"), mode, &plan->issuer, error);
	if (err == OC_OK)
		err = cli_store(plan->cli, mode, &plan->store, error);
	if (err == OC_OK)
		err = judge_all(plan, error);
	if (err == OC_OK)
		err = sort(plan, error);
	return err;
}
