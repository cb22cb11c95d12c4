/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the nameConstraints of a CA allow below it: RFC 5280 section 4.2.1.10
 * and 6.1.4, for a name that is about to be certified.
 */
#ifndef X509_CONSTRAINTS_H
#define X509_CONSTRAINTS_H

#include "base/err.h"
#include "x509/ext.h"

/*
 * REFUSED, with name and subtree in error, if an excluded subtree holds it,
 * or there are permitted ones of its kind and none holds it.
 *
 * DNS: the base and what is below it; of "*.a.b" both what it stands for and
 * what it might stand for are looked at: excluded c.a.b refuses it.  A base
 * with a leading dot is what is below only.  E-mail: a mailbox, a host, or
 * with a leading dot what is below a domain; URI: the same of its host, and
 * one that has none or an address for a host is refused as soon as there is
 * any constraint for URIs.
 */
enum oc_err x509_constraints_check(const struct x509_name_constraints *c,
    const struct x509_san *name, struct oc_error *error) OC_MUST_CHECK;

/*
 * The same for a subject (a Name TLV): the directoryName subtrees; its
 * e-mail addresses; its common names where they look like a host name or an
 * IP address, as old verifiers take them for one, an address for either.
 */
enum oc_err x509_constraints_check_subject(
    const struct x509_name_constraints *c, struct der_bytes subject,
    struct oc_error *error) OC_MUST_CHECK;

#endif
