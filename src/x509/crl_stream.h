/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CRL of any length, entry by entry: to a sealed memfd, which is what a
 * signer may be given, and with its signature around it in one piece.  Of its
 * own memory it takes a buffer, however long the list is.
 */
#ifndef X509_CRL_STREAM_H
#define X509_CRL_STREAM_H

#include "x509/crl.h"

struct x509_crl_stream;

/* LIMIT, later, for a list that is longer than OC_TBS_MAX. */
enum oc_err x509_crl_stream_new(struct x509_crl_stream **stream)
    OC_MUST_CHECK;
void x509_crl_stream_free(struct x509_crl_stream *stream); /* NULL: fine */

/* In the order of the list.  The octets of x509_crl_entry_write(), and its
 * errors. */
enum oc_err x509_crl_stream_put(struct x509_crl_stream *stream,
    const struct x509_crl_entry *entry) OC_MUST_CHECK;
uint32_t x509_crl_stream_num(const struct x509_crl_stream *stream);

/* What stands around them; tbs->entries is not looked at.  The octets of
 * x509_put_crl_tbs(), and its errors. */
enum oc_err x509_crl_stream_end(struct x509_crl_stream *stream,
    const struct x509_crl_tbs *tbs) OC_MUST_CHECK;
/* Once that is done: the TBSCertList, and the sealed memfd that it is the end
 * of.  Both are the stream's. */
struct der_bytes x509_crl_stream_tbs(const struct x509_crl_stream *stream);
int x509_crl_stream_fd(const struct x509_crl_stream *stream);

/* And once that is signed: the CertificateList.  It is the stream's. */
enum oc_err x509_crl_stream_sign(struct x509_crl_stream *stream,
    enum sign_alg alg, struct der_bytes signature, struct der_bytes *list)
    OC_MUST_CHECK;

#endif
