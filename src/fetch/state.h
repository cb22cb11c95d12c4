/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fetching an issuer's CRL stands: a small file beside what was fetched,
 * which ocsign-fetcher writes after each try, and goes on from after a
 * restart, and ocsign-status reads to tell of it.
 */
#ifndef FETCH_STATE_H
#define FETCH_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/config.h"
#include "base/err.h"

#define FETCH_URL_MAX 1024
#define FETCH_ETAG_MAX 256		/* with its NUL, as the next */
#define FETCH_MODIFIED_MAX 64
#define FETCH_DIGEST_LEN 32		/* SHA-256 */
#define FETCH_WHY_MAX 400

/* All times in Unix seconds; 0: never. */
struct fetch_state {
	int64_t tried_at, fetched_at, next_at;
	int64_t until;			/* nextUpdate of what is there */
	uint32_t num_failures;		/* since fetched_at */
	uint32_t http_status;		/* of the last try; 0: no answer */
	char url[FETCH_URL_MAX];	/* that the last good one is from */
	/* What that said of it; "": nothing. */
	char etag[FETCH_ETAG_MAX], modified[FETCH_MODIFIED_MAX];
	uint8_t digest[FETCH_DIGEST_LEN];	/* of the file then */
	char why[FETCH_WHY_MAX];	/* the last try failed; "": it did
					 * not */
};

enum fetch_what { FETCH_CRL, FETCH_DELTA };
#define FETCH_NUM_WHAT 2

/* Whether an issuer's is fetched. */
bool fetch_is_wanted(const struct oc_config_issuer *issuer,
    enum fetch_what what);
/* "FETCH-DIRECTORY/ISSUER.state", and of a delta "ISSUER.delta-state"; for
 * free(); NULL: out of memory. */
char *fetch_state_path(const struct oc_config *config,
    const struct oc_config_issuer *issuer, enum fetch_what what);

/* NOT_FOUND; MALFORMED, whatever of it is not as it is written here. */
enum oc_err fetch_state_read(const char *path, struct fetch_state *state,
    struct oc_error *error) OC_MUST_CHECK;
/* What cannot stand in it, such as a line's end, is left out. */
enum oc_err fetch_state_write(const char *path,
    const struct fetch_state *state, struct oc_error *error) OC_MUST_CHECK;

#endif
