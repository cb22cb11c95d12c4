/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message by SMTP (RFC 5321), handed to the one server that the operator
 * names: TLS, who is who verified, and with a password if it wants one.
 *
 * What is sent has one recipient, plain text (RFC 5322, 2045, 2047) and
 * Auto-Submitted (RFC 3834); a code or a link in it is the caller's.  That the
 * server has taken it says nothing of who reads it.
 *
 * Whom it goes to is in contacts.h.  An address out of WHOIS is no proof for a
 * public CA any more: see there.
 */
#ifndef VALIDATION_MAIL_H
#define VALIDATION_MAIL_H

#include "validation/validation.h"

struct event_base;
struct validation_resolver;

/* Of a message's text, and its subject. */
#define VALIDATION_BODY_MAX (32 * 1024)
#define VALIDATION_SUBJECT_MAX 200

struct validation_mail_config {
	/* "smtp://HOST[:PORT]": STARTTLS, without which nothing is sent;
	 * "smtps://HOST[:PORT]": TLS at once. */
	const char *url;
	const char *from;		/* an address, of both kinds of From */
	const char *helo;		/* NULL: from's domain */
	const char *user;		/* NULL: without a password */
	const char *password_source;	/* base/secret.h */
	const char *trust_file;		/* PEM; NULL: whom the system trusts */
	bool may_be_plain;		/* also where there is no TLS; never
					 * with a password */
};

struct validation_mail;
struct validation_mail_job;

/*
 * Copies what it is given, reads password and trust file: call it before the
 * sandbox, and curl_global_init() before it.  Threads (post.h) begin with the
 * first message.  resolver may be NULL where the host is an address.  CONFIG,
 * with what is wrong.
 */
enum oc_err validation_mail_new(struct event_base *base,
    struct validation_resolver *resolver,
    const struct validation_mail_config *config,
    struct validation_mail **mail, struct oc_error *error) OC_MUST_CHECK;

/*
 * The question's to, subject and body (UTF-8; lines end with LF).  MALFORMED:
 * no such address, a control character in the subject, NUL or no UTF-8;
 * LIMIT: too long.  done() is not called from in here, but once from the loop,
 * at the deadline at the latest; never after cancel.
 *
 * NO_FAULT: the server has it.  REFUSED, for good: 5xx; for now: 4xx, as of
 * greylisting.  CONNECTION or TLS_FAULT, OURS (a wrong password, no time): not
 * the applicant's doing.
 */
enum oc_err validation_mail_send(struct validation_mail *mail,
    const struct validation_question *question, int64_t deadline_ns,
    validation_done_fn *done, void *arg, struct validation_mail_job **job)
    OC_MUST_CHECK;
void validation_mail_cancel(struct validation_mail_job *job);

/* Cancels what is not done.  NULL is fine. */
void validation_mail_free(struct validation_mail *mail);

#endif
