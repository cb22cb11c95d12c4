/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may be written to about a name: whom the registry knows, by RDAP or
 * WHOIS, both at once, and the constructed five.
 *
 * None of this is for a public CA any more.  The CA/Browser Forum's ballot
 * SC-80v3 (November 2024) ended the use of contacts out of WHOIS and RDAP
 * (Baseline Requirements, 3.2.2.4.2) on 15 July 2025: it had been shown that a
 * registry's former WHOIS server, its domain lapsed, could be bought by
 * anybody, who then named the contacts of every domain below it; and the text
 * has no form that could be read safely.  SC-090 (2025) phases out messages to
 * the constructed addresses as well.  For a private CA that decides for itself
 * it may do.
 */
#ifndef VALIDATION_CONTACTS_H
#define VALIDATION_CONTACTS_H

#include "validation/validation.h"

struct event_base;
struct validation_whois;
struct validation_rdap;

struct validation_contacts;
struct validation_contacts_job;

/* whois and rdap are borrowed; either may be NULL: then it is not asked. */
enum oc_err validation_contacts_new(struct event_base *base,
    struct validation_whois *whois, struct validation_rdap *rdap,
    struct validation_contacts **contacts) OC_MUST_CHECK;

/*
 * Of the question's name.  MALFORMED: no such name.  done() is not called from
 * in here, but once from the loop, at the deadline at the latest; never after
 * cancel.  NO_FAULT always: the constructed five are there in any case, and
 * seen says what RDAP and WHOIS did; is_temporary, that one of them may know
 * more later.
 */
enum oc_err validation_contacts_ask(struct validation_contacts *contacts,
    const struct validation_question *question, int64_t deadline_ns,
    validation_done_fn *done, void *arg,
    struct validation_contacts_job **job) OC_MUST_CHECK;
void validation_contacts_cancel(struct validation_contacts_job *job);
void validation_contacts_free(struct validation_contacts *contacts);

#endif
