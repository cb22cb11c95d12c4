/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The detail of our own journal entries: one JSON object on one line, made
 * from a row, always in the same way.  So the journal can be held against
 * the tables by making it again and comparing octets.
 */
#ifndef STORE_DETAIL_H
#define STORE_DETAIL_H

#include "store/backend.h"

/* A name of 253 octets, an e-mail address, 400 of what was seen: each
 * octet six when escaped, as in a row that somebody else wrote. */
#define STORE_DETAIL_MAX 8192

struct store_detail {
	char text[STORE_DETAIL_MAX];
	size_t len;
};

/* {"name":value,...}; what does not fit is a programmer error. */
void store_detail_init(struct store_detail *d);
void store_detail_put_int(struct store_detail *d, const char *name,
    int64_t value);
void store_detail_put_text(struct store_detail *d, const char *name,
    const char *value);
void store_detail_put_hex(struct store_detail *d, const char *name,
    const uint8_t *bytes, size_t len);
/* The SHA-256 of the blob. */
enum oc_err store_detail_put_hash(struct store_detail *d, const char *name,
    struct store_blob blob) OC_MUST_CHECK;
void store_detail_end(struct store_detail *d);

/* One for each event about a row. */
enum oc_err store_detail_issuer(struct store_detail *d, int64_t id,
    const char *name, struct store_blob certificate,
    const uint8_t spki_hash[STORE_HASH_LEN]) OC_MUST_CHECK;
/* Without subject and names where r->subject is NULL, as entries once were. */
enum oc_err store_detail_reserve(struct store_detail *d, const char *issuer,
    int64_t id, const struct store_reservation *r) OC_MUST_CHECK;
enum oc_err store_detail_import(struct store_detail *d, const char *issuer,
    int64_t id, const struct store_import *import) OC_MUST_CHECK;
enum oc_err store_detail_issue(struct store_detail *d, const char *issuer,
    int64_t id, const struct oc_serial *serial, struct store_blob certificate)
    OC_MUST_CHECK;
void store_detail_status(struct store_detail *d, const char *issuer,
    int64_t id, const struct oc_serial *serial,
    const struct store_status *status);
void store_detail_crl_reserve(struct store_detail *d,
    const struct store_crl_row *row);
/* hash: SHA-256 of all its parts. */
void store_detail_crl(struct store_detail *d, const struct store_crl_row *row,
    const uint8_t hash[STORE_HASH_LEN]);

/* Of the register's row with that id, as it is now. */
typedef enum oc_err store_detail_fn(struct store *s, int64_t id,
    struct store_detail *d);
enum oc_err store_detail_of_account(struct store *s, int64_t id,
    struct store_detail *d) OC_MUST_CHECK;
enum oc_err store_detail_of_token(struct store *s, int64_t id,
    struct store_detail *d) OC_MUST_CHECK;
enum oc_err store_detail_of_zone(struct store *s, int64_t id,
    struct store_detail *d) OC_MUST_CHECK;
enum oc_err store_detail_of_proof(struct store *s, int64_t id,
    struct store_detail *d) OC_MUST_CHECK;
enum oc_err store_detail_of_order(struct store *s, int64_t id,
    struct store_detail *d) OC_MUST_CHECK;
enum oc_err store_detail_of_acme_account(struct store *s, int64_t id,
    struct store_detail *d) OC_MUST_CHECK;
enum oc_err store_detail_of_eab_key(struct store *s, int64_t id,
    struct store_detail *d) OC_MUST_CHECK;
/* Inside a change: an entry of what its row is now. */
enum oc_err store_add_proof_entry(struct store *s,
    const struct store_authorization *a) OC_MUST_CHECK;
enum oc_err store_add_order_entry(struct store *s,
    const struct store_order *order) OC_MUST_CHECK;
/* Of a row that was removed: {"proof":id}. */
enum oc_err store_add_removal(struct store *s, const char *event,
    const char *what, int64_t id) OC_MUST_CHECK;
/* Inside a change: an entry with that. */
enum oc_err store_add_row_entry(struct store *s, const char *event,
    store_detail_fn *detail_of, int64_t id) OC_MUST_CHECK;
/* row's own host names and CSR are not looked at. */
enum oc_err store_detail_request(struct store_detail *d,
    const struct store_request_row *row, const char *hostnames,
    struct store_blob csr) OC_MUST_CHECK;
void store_detail_request_end(struct store_detail *d, int64_t id);

/* The id that a detail about a row starts with; 0 if it does not. */
int64_t store_detail_id(const char *detail);

#endif
