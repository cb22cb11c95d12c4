/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read and write extensions share; for them only. */
#ifndef X509_EXT_IMPL_H
#define X509_EXT_IMPL_H

#include "x509/ext.h"

/* All of them visible ASCII or spaces, and at least one. */
bool x509_is_plain_text(struct der_bytes text);

/* In nameConstraints a text may be empty, which stands for all, and an address
 * comes with its mask. */
enum x509_name_form { X509_FORM_NAME, X509_FORM_SUBTREE };

/*
 * One GeneralName of an extension.  Kinds we do not know are walked over if
 * they are well-formed; UNSUPPORTED then, and *san as it was.
 */
enum oc_err x509_get_general_name(struct der_reader *r,
    enum x509_name_form form, struct x509_san *san) OC_MUST_CHECK;
void x509_put_general_name(struct der_writer *w, const struct x509_san *san);

/* CRLDistributionPoints, one point a URL: the contents of extnValue. */
void x509_put_crl_points(struct der_writer *w, const struct der_bytes *urls,
    uint32_t num);
/* The same, into crl_urls. */
enum oc_err x509_read_crl_points(struct der_bytes value,
    struct x509_extensions *out);

/* ext_policy.c: the contents of extnValue. */
enum oc_err x509_read_policies(struct der_bytes value,
    struct x509_extensions *out);
void x509_put_policies(struct der_writer *w, const struct x509_extensions *e);

/* constraints.c */
enum oc_err x509_read_constraints(struct der_bytes value,
    struct x509_extensions *out);
void x509_put_constraints(struct der_writer *w,
    const struct x509_extensions *e);

#endif
