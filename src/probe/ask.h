/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question after the other to one responder, as a careful client asks and
 * over a connection that is kept where it may be; what each answer means; and
 * in what two of them differ.  Octets, and how long ago a response was made,
 * mean nothing.
 *
 * The responder may be anybody's: everything is bounded in octets and time.
 */
#ifndef PROBE_ASK_H
#define PROBE_ASK_H

#include "ocsp/certid.h"
#include "probe/check.h"
#include "probe/client.h"

enum probe_meaning {
	PROBE_SAYS_GOOD,
	PROBE_SAYS_REVOKED,
	PROBE_SAYS_UNKNOWN,
	PROBE_SAYS_ERROR,	/* an OCSPResponseStatus */
	PROBE_SAYS_NONSENSE,	/* successful, and not to be believed: too old,
				 * another's signature, another's CertID */
	PROBE_SAYS_NOTHING	/* no OCSP response came in time */
};

/* What HTTP says to caches, RFC 9111; only of a GET: nobody keeps the answer
 * to a POST. */
enum probe_caching {
	PROBE_CACHE_UNSAID,
	PROBE_CACHE_FORBIDDEN,
	PROBE_CACHE_ALLOWED,
	PROBE_CACHE_TOO_LONG	/* beyond nextUpdate: what is old is served */
};

#define PROBE_SAID_WHY_MAX 160
struct probe_said {
	enum probe_meaning meaning;
	enum ocsp_response_status error;	/* of PROBE_SAYS_ERROR */
	/* Only of the first three. */
	struct ocsp_status status;
	int64_t this_update, next_update;	/* or OCSP_NO_NEXT_UPDATE */
	bool has_nonce;				/* ours */
	enum probe_caching caching;
	int64_t cache_s;			/* for how long, at most */
	char why[PROBE_SAID_WHY_MAX];		/* of the last two, in words */
};

/* Who is asked, and how; the first four are borrowed. */
struct probe_asker {
	const char *authority, *path;		/* as in struct probe_options */
	const struct x509_cert *issuer;
	struct probe_peer *peer;
	enum ocsp_hash hash;
	bool wants_nonce, is_by_get;
	struct probe_connection connection;	/* its own */
	bool is_open;
};
void probe_asker_close(struct probe_asker *asker);
/* Blocks for peer->timeout_ns at most, twice that if a kept connection turns
 * out to be closed.  NOMEM alone: all else is an answer. */
enum oc_err probe_ask(struct probe_asker *asker,
    const struct oc_serial *serial, struct probe_said *said) OC_MUST_CHECK;

/* In what two answers about the same differ: bits. */
enum probe_difference {
	PROBE_DIFFERS_STATUS,	/* what is said, or that it cannot be used */
	PROBE_DIFFERS_TIME,	/* since when it is revoked */
	PROBE_DIFFERS_REASON,
	PROBE_DIFFERS_LIFE,	/* one lasts over twice as long, or for ever */
	PROBE_DIFFERS_NONCE,
	PROBE_DIFFERS_CACHING,
	PROBE_DIFFERENCES
};
/* "status" */
const char *probe_difference_name(enum probe_difference difference);
unsigned int probe_compare(const struct probe_said *a,
    const struct probe_said *b);
/* One side of a difference, for people: "revoked", "keyCompromise". */
#define PROBE_WORDS_MAX (PROBE_SAID_WHY_MAX + 64)
void probe_say(const struct probe_said *said,
    enum probe_difference difference, char words[PROBE_WORDS_MAX]);

#endif
