/* SPDX-License-Identifier: Apache-2.0 */
/* What import.c and the readers of each format share. */
#ifndef TRANSFER_IMPORT_IMPL_H
#define TRANSFER_IMPORT_IMPL_H

#include <openssl/evp.h>

#include "base/bytes.h"
#include "transfer/import.h"
#include "x509/name.h"

struct transfer_run {
	const struct transfer_import *import;
	struct transfer_counts counts;
	EVP_MD_CTX *digest;		/* of what was read */
	bool is_moved;			/* a CRL number had to be passed */
	int64_t last_id;		/* of the store before */
	struct x509_cert *cert;		/* room for one */
	struct oc_buffer names, record;
};

/* Reads what the format has, and gives each certificate to transfer_take(). */
typedef enum oc_err transfer_read_fn(struct transfer_run *run,
    struct oc_error *error);
transfer_read_fn transfer_read_index, transfer_read_certdb,
    transfer_read_crl, transfer_read_store;

enum oc_err transfer_digest(struct transfer_run *run, const void *octets,
    size_t len, struct oc_error *error) OC_MUST_CHECK;

/*
 * What a certificate says into row, which then borrows from run and der until
 * the next call.  MISMATCH: it has another serial number or end than row, or
 * another's name; SIGNATURE: the issuer has not signed it.
 */
enum oc_err transfer_describe(struct transfer_run *run, struct der_bytes der,
    char subject[X509_NAME_TEXT_MAX], struct store_import *row,
    struct oc_error *error) OC_MUST_CHECK;

/* One row into the store.  The caller has set what its source says; strings
 * may not be NULL. */
enum oc_err transfer_take(struct transfer_run *run, struct store_import *row,
    struct oc_error *error) OC_MUST_CHECK;

#endif
