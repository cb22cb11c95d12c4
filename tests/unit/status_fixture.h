/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the status service share: a store, a CA with a delegated
 * OCSP signer whose key is in memory, a door before that key which counts
 * and fails as it is told, a loop, and a reader of the table.
 */
#ifndef TESTS_UNIT_STATUS_FIXTURE_H
#define TESTS_UNIT_STATUS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Ours first: see ocsp_fixture.h. */
#include "base/clock.h"
#include "base/log.h"
#include "sign/soft.h"
#include "status/service_impl.h"
#include "store/store.h"
#include "tests/unit/ocsp_fixture.h"

#define YEAR INT64_C(31536000)

/* The door: struct signer before struct signer. */
struct gate {
	struct signer signer;		/* first */
	struct signer *soft;
	int epoll_fd, event_fd;
	enum oc_err refuse;		/* what submit says, unless OC_OK */
	enum oc_err fail;		/* what done gets, unless OC_OK */
	struct sign_job *failed;
	uint32_t num_submitted, num_refused;
	uint32_t num_in_lane[SIGN_LANE_MAX];
	uint32_t num_away, num_away_max;	/* taken and not done */
};

struct world {
	char directory[200], table_path[300];
	struct store *store;
	int64_t issuer_id;
	EVP_PKEY *ca_key;
	X509 *ca, *delegate;
	struct gate gate;
	struct oc_config config;
	struct oc_config_issuer issuer;
	struct oc_config_ocsp ocsp;	/* made from it by world_open() */
	struct ocsp_budget budget, verify_budget;
	struct status_crl_file *crl_file;	/* the test's; NULL: none */
	struct status_share *share;	/* the test's; NULL: none */
	struct status_service *service;
	struct ocsp_table *reader;
	struct oc_clock_watch clock;	/* only if it has one */
	bool has_clock;
	int64_t skip_s;			/* how far the ticks run ahead */
	struct oc_serial never_good;	/* len 0: nobody */
	int log_fd, stderr_fd;
};

/* A world without a service; presign ASKED, nonce budget 100. */
int world_setup(void **state);
int world_teardown(void **state);
/* Another certificate for the signer, that ends at. */
void world_set_delegate(struct world *w, int64_t not_after);
/* Another key for the signer, and a certificate for that. */
void world_new_key(struct world *w);
/* The number of the signer's certificates, should it matter. */
#define WORLD_DELEGATE 9000
/* Starts the service, and turns until it is ready. */
void world_start(struct world *w);
void world_open(struct world *w);
void world_stop(struct world *w);

/* The calendar clock is so far ahead of the kernel's; who starts now begins
 * to watch it, and knows what it was the first time. */
void world_set_clock(struct world *w, int64_t ahead_s);

struct oc_serial world_serial(uint64_t n);
void world_issue(struct world *w, uint64_t n, int64_t not_after);
void world_issue_many(struct world *w, uint64_t first, uint64_t num);
void world_revoke(struct world *w, uint64_t n, enum crl_reason reason);

/* One turn of the loop, at most ms long. */
void world_turn(struct world *w, int ms);
/* Turns until condition, for a minute at most. */
#define world_until(w, condition) do {					\
	int64_t until_end = oc_clock_mono_ns() + 60 * OC_NS_PER_S;	\
	while (!(condition)) {						\
		if (oc_clock_mono_ns() > until_end)			\
			fail_msg("never: %s", #condition);		\
		world_turn(w, 20);					\
	}								\
} while (0)
/* So long, whatever happens. */
void world_idle(struct world *w, int ms);

/* Answers, as they come. */
struct reply {
	int num;
	uint8_t kind, status;
	uint32_t retry_after_s;
	int64_t next_update;
	uint8_t response[OCSP_RESPONSE_MAX];
	size_t response_len;
};
void reply_take(void *arg, const struct ipc_answer *answer);
/* One certificate in an encoding. */
void world_ask(struct world *w, uint64_t n, uint8_t encoding,
    struct reply *reply);
/* Several, with a nonce of so many octets. */
void world_ask_live(struct world *w, const uint64_t *n, uint32_t num,
    size_t nonce_len, struct reply *reply);

/* False if the table has nothing. */
bool world_look(struct world *w, uint64_t n, uint8_t encoding,
    struct ocsp_slot *slot);
uint32_t world_num_slots(struct world *w);
unsigned long world_num_signed(const struct world *w);
/* Lines of the log with this in them. */
int world_num_lines(const struct world *w, const char *text);

#endif
