/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WHOIS (RFC 3912): one line to a server's port 43, and text until it closes.
 *
 * The text has no form and whoever wrote it is not known, so little is taken
 * out of it: the addresses in lines of these keys, and only where the answer
 * says of exactly one domain, the one that was asked for, that it is about it:
 *
 *	Domain Name: example.com	 (or "domain:")
 *	Registrant Email: a@example.com  (or "Registrant Contact Email")
 *	Admin Email: b@example.com	 (or "Administrative Contact Email")
 *	Tech Email: c@example.com	 (or "Technical Contact Email")
 */
#ifndef VALIDATION_WHOIS_H
#define VALIDATION_WHOIS_H

#include "validation/validation.h"

struct event_base;
struct validation_resolver;

#define VALIDATION_WHOIS_MAX (128 * 1024)	/* of an answer */

/* A server for the names under a suffix: "com", "co.uk"; "": for all. */
struct validation_whois_server {
	const char *suffix;
	const char *host;		/* a name or an address */
	uint16_t port;			/* 0: 43 */
};

struct validation_whois_config {
	const struct validation_whois_server *servers;	/* the longest suffix
							 * counts */
	size_t num_servers;
	/* Where none fits: who IANA's server refers to (a public address and
	 * port 43 alone).  NULL: nobody is asked. */
	const struct validation_whois_server *iana;
};

struct validation_whois;
struct validation_whois_job;

enum oc_err validation_whois_new(struct event_base *base,
    struct validation_resolver *resolver,
    const struct validation_whois_config *config,
    struct validation_whois **whois, struct oc_error *error) OC_MUST_CHECK;

/* done() is not called from in here, but once from the loop, at the deadline
 * at the latest; never after cancel.  NO_FAULT: contacts has what was found,
 * which may be none.  NOT_FOUND: no server is known for the name. */
enum oc_err validation_whois_ask(struct validation_whois *whois,
    const char *name, int64_t deadline_ns, validation_done_fn *done,
    void *arg, struct validation_whois_job **job) OC_MUST_CHECK;
void validation_whois_cancel(struct validation_whois_job *job);
void validation_whois_free(struct validation_whois *whois);

/* What an answer has: puts the addresses into the reply.  MISMATCH: it is not
 * about that name, or about others, too. */
enum oc_err validation_whois_read(const char *text, size_t len,
    const char *name, struct validation_reply *reply) OC_MUST_CHECK;
/* Whom IANA's answer refers to ("whois: HOST" or "refer: HOST").  NOT_FOUND,
 * MALFORMED. */
enum oc_err validation_whois_referral(const char *text, size_t len,
    char host[VALIDATION_NAME_MAX + 1]) OC_MUST_CHECK;

#endif
