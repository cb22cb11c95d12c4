/* SPDX-License-Identifier: Apache-2.0 */
/* A directory with a CA's certificate and its CRL, and somebody who looks at
 * it, a second after the other by a clock of its own. */
#ifndef TESTS_UNIT_CRL_WORLD_H
#define TESTS_UNIT_CRL_WORLD_H

#include "tests/unit/crl_fixture.h"

#include "base/clock.h"
#include "status/crl_file.h"

#define S OC_NS_PER_S

struct crl_world {
	char directory[64];
	char path[96], certificate[96], copy[96];
	EVP_PKEY *key, *other_key;
	X509 *ca, *delegate;
	struct status_crl_plan plan;
	struct status_crl_file *file;
	int64_t ahead_s, mono_ns;	/* of the next look: ahead of the
					 * clock; since boot */
};

/* 1001 for keyCompromise, 1002 on hold. */
extern const struct crl_item two[];

int setup(void **state);
int teardown(void **state);
void write_certificate(const struct crl_world *w, X509 *cert);
/* Into the file, by the CA; by another. */
void put(struct crl_world *w, const struct crl_order *order);
void put_by(struct crl_world *w, const char *name, EVP_PKEY *key);
/* As after a restart: a first look, by the machine's clock. */
void start(struct crl_world *w);
/* A second later. */
bool look(struct crl_world *w);
struct status_crl_report report(struct crl_world *w);
/* number: of what is in force; NULL: nothing is. */
void expect_refused(struct crl_world *w, const char *why, const char *number);
void expect_well(struct crl_world *w, const char *number);

#endif
