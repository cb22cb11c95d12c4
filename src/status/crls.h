/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newest CRLs of each issuer that may sign them, as the store has them, for
 * people and metrics: also of those whose status nobody asks by OCSP.  A
 * thread with a connection of its own looks once a second whether something
 * has changed; whoever asks is told what it saw last, and never waits.
 */
#ifndef STATUS_CRLS_H
#define STATUS_CRLS_H

#include "base/config.h"
#include "base/crl_schedule.h"
#include "base/crl_trouble.h"
#include "base/err.h"
#include "store/store.h"

struct status_crls;

/* One list. */
struct status_crl_one {
	uint32_t partition;
	bool is_delta;
	uint64_t number;		/* 0: none was issued */
	int64_t this_update, next_update;
};

struct status_crl {
	const char *issuer;		/* the configuration's */
	struct status_crl_one newest;	/* full, and of no partition */
	/* Of all its lists the one that is worst off, or is due first: that
	 * decides. */
	struct status_crl_one worst;
	/* NULL: it is none that ocsign-issuer publishes, nor is the rest. */
	const struct oc_config_issuer *publish;
	bool is_known;			/* the store has the issuer */
	int64_t absent_s;		/* for how long the worst has not been
					 * there, as seen from here */
	struct oc_crl_trouble trouble;
};

/* Called by the thread each time that it has looked.  store: its connection,
 * NULL while there is none; has_news: something in it may have changed since
 * the last time. */
typedef void status_crls_fn(void *arg, struct store *store, bool has_news);

/* config is borrowed.  fn may be NULL.  A store that is not there yet is
 * opened when it is. */
enum oc_err status_crls_new(const struct oc_config *config,
    status_crls_fn *fn, void *arg, struct status_crls **crls,
    struct oc_error *error) OC_MUST_CHECK;
void status_crls_free(struct status_crls *crls);	/* NULL is fine */

size_t status_crls_num(const struct status_crls *crls);	/* NULL: 0 */
struct status_crl status_crls_get(struct status_crls *crls, size_t i);
/* Keeps it, for who complains once; gives what was kept. */
enum oc_crl_standing status_crls_note(struct status_crls *crls, size_t i,
    enum oc_crl_standing standing);

#endif
