/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ocsign-validator is asked to look at, and what it saw.  It knows no
 * accounts and keeps nothing: whoever asks has the challenge, and decides.
 *
 *	zone registry, API, ACME -> validation/client -> validator.sock
 *	-> validation/service -> resolver, fetch, mail, update -> the internet
 *
 * Everything that comes from outside is hostile; text that is kept of it is
 * one line of printable UTF-8, cut.
 */
#ifndef VALIDATION_VALIDATION_H
#define VALIDATION_VALIDATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define VALIDATION_NAME_MAX 253		/* RFC 1035, as text, A-labels */
#define VALIDATION_EXPECTED_MAX 512	/* a key authorization is 87 */
#define VALIDATION_SEEN_MAX 400
#define VALIDATION_ADDRESS_MAX 254	/* RFC 5321, 4.5.3.1.3 */
#define VALIDATION_CONTACTS_MAX 16
#define VALIDATION_URI_MAX 512
#define VALIDATION_PREFIX_MAX 63	/* with its dot */
#define VALIDATION_PATH_MAX 255
#define VALIDATION_METHOD_MAX 63
#define VALIDATION_SUBJECT_MAX 200
#define VALIDATION_BODY_MAX (32 * 1024)

enum validation_task {
	/* A TXT record at prefix + name is expected; CNAMEs are followed
	 * (RFC 8555, 8.4: prefix "_acme-challenge."). */
	VALIDATION_TXT = 1,
	/* The body at http://name/.well-known/PATH is expected, blanks behind
	 * it aside (RFC 8555, 8.3: path "acme-challenge/TOKEN"). */
	VALIDATION_FILE = 2,
	/* <meta name="ocsign-verification" content=expected> in the head of
	 * the page at http(s)://name/. */
	VALIDATION_META = 3,
	/* Whether CAA lets one of the identities issue (RFC 8659, 8657). */
	VALIDATION_CAA = 4,
	/* Who may be written to: WHOIS (RFC 3912), RDAP (RFC 9083) where the
	 * registry has it, and the constructed five. */
	VALIDATION_CONTACTS = 5,
	/* Sends a message. */
	VALIDATION_MAIL = 6,
	/* Puts a TXT record in place, or takes it away again: RFC 2136 with
	 * TSIG, or the hook. */
	VALIDATION_PUBLISH = 7,
	VALIDATION_WITHDRAW = 8
};
#define VALIDATION_TASK_LAST VALIDATION_WITHDRAW

/* Strings are borrowed until ask() has returned; NULL where a task has no use
 * for it. */
struct validation_question {
	enum validation_task task;
	const char *name;	/* the domain, without "*."; lower case */
	const char *prefix;	/* TXT, PUBLISH, WITHDRAW: "_acme-challenge."
				 * or "_ocsign-challenge." */
	const char *path;	/* FILE: behind "/.well-known/" */
	const char *expected;	/* TXT, FILE, META; what PUBLISH puts there */
	/* CAA */
	bool is_wildcard;
	const char *method;	/* validationmethods: "http-01", "dns-01",
				 * "ca-meta", "ca-email"...; NULL: not known */
	const char *account_uri;	/* NULL: none */
	/* MAIL */
	const char *to, *subject, *body;
};

/* Whose fault it is: RFC 8555, 6.7 has a type for each. */
enum validation_fault {
	VALIDATION_NO_FAULT,		/* what was expected is there */
	VALIDATION_DNS_FAULT,		/* no answer, bogus, loop */
	VALIDATION_CONNECTION_FAULT,	/* nobody answers; a forbidden address,
					 * port, redirect */
	VALIDATION_TLS_FAULT,
	VALIDATION_INCORRECT,		/* something else is there, or none */
	VALIDATION_CAA_FAULT,		/* forbids it, or cannot be known */
	VALIDATION_REFUSED,		/* a mail server does not take it, an
					 * update is not let in, a hook fails */
	VALIDATION_OURS			/* the validator is away, busy or out of
					 * time: says nothing of the name; ask
					 * again */
};
#define VALIDATION_FAULT_LAST VALIDATION_OURS

struct validation_reply {
	enum validation_fault fault;
	bool is_temporary;	/* a later try may see another */
	/* What was seen, where: the journal's and the applicant's.  One
	 * line. */
	char seen[VALIDATION_SEEN_MAX];
	/* CONTACTS: those found, then the constructed. */
	uint32_t num_contacts, num_found;
	char contacts[VALIDATION_CONTACTS_MAX][VALIDATION_ADDRESS_MAX + 1];
};

/* "dns", "connection", "tls", "incorrectResponse", "caa",
 * "serverInternal"...: behind "urn:ietf:params:acme:error:"; NO_FAULT: "". */
const char *validation_fault_text(enum validation_fault fault);
/* "txt", "file", "meta", "caa", "contacts", "mail", "publish", "withdraw". */
const char *validation_task_text(enum validation_task task);

/*
 * ocsign-validator by its socket, for an event loop.  The contract is
 * sign/sign.h's: ask() never calls done() itself; done() runs once for what
 * ask() took, from dispatch() or free(); after cancel() it has or never will.
 * A validator that is away, or gives no answer until the deadline, is
 * VALIDATION_OURS.
 */
#define VALIDATION_SOCKET_NAME "validator.sock"	/* in the run directory */
struct validation_client;
struct validation_ask;
typedef void validation_done_fn(void *arg,
    const struct validation_reply *reply);

enum oc_err validation_client_new(const char *path,
    struct validation_client **client) OC_MUST_CHECK;
/* *ask is for cancel(), until done() runs.  Questions are copied.  REFUSED: one
 * that no name, path or address can have, or not for this task; BUSY: too many
 * wait; NOMEM; CANCELLED: from within free(). */
enum oc_err validation_client_ask(struct validation_client *client,
    const struct validation_question *question, int64_t deadline_ns,
    validation_done_fn *done, void *arg, struct validation_ask **ask)
    OC_MUST_CHECK;
void validation_client_cancel(struct validation_client *client,
    struct validation_ask *ask);
/* Blocking, for commands: asks and waits, dispatching others meanwhile. */
enum oc_err validation_client_ask_now(struct validation_client *client,
    const struct validation_question *question, int64_t deadline_ns,
    struct validation_reply *reply) OC_MUST_CHECK;
/* Readable when dispatch() has work. */
int validation_client_fd(const struct validation_client *client);
void validation_client_dispatch(struct validation_client *client);
/* NULL is fine. */
void validation_client_free(struct validation_client *client);

#endif
