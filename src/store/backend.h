/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the store: what its public half (store.c, certificate.c, crl.c,
 * journal.c: rules, transactions, journal) asks of a database.  A database
 * only reads and writes rows; it knows no rules, so that all of them share
 * the same.
 *
 * Every function of a backend leaves its text in store->error when it does
 * not return OC_OK, and writes outputs only when it does.
 */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/store.h"

#define STORE_ACTOR_MAX 128
#define STORE_EPOCH_MAX ((UINT32_C(1) << 30) - 1)	/* ca/serial.h */

struct store_ops;

/* Embedded first in each database's own struct. */
struct store {
	const struct store_ops *ops;
	char *path;			/* owned; names it in errors */
	enum store_mode mode;
	uint8_t id[STORE_ID_LEN];
	uint32_t epoch;
	char actor[STORE_ACTOR_MAX];
	struct oc_error error;
	unsigned int depth;		/* transactions open, nested */
	enum oc_err broken;		/* the outermost one is lost: why */
};

/* The row that every change goes through. */
struct store_head {
	int64_t change_seq;
	int64_t journal_number;
	uint8_t journal_hash[STORE_HASH_LEN];
};

struct store_issuer_key {
	int64_t id;
	uint8_t spki_hash[STORE_HASH_LEN];
};

/* What store_revoke writes into a row; is_revoked false lifts a hold. */
struct store_status {
	bool is_revoked;
	enum crl_reason reason;
	int64_t revoked_at;
	int64_t invalidity_at;
};

struct store_crl_row {
	int64_t id;
	int64_t issuer_id;
	char issuer[OC_CONFIG_NAME_MAX + 1];
	uint64_t number;
	int64_t this_update, next_update;
	bool is_issued;
	uint8_t *crl;			/* owned */
	size_t crl_len;
};

enum store_table { STORE_TABLE_CERTIFICATE, STORE_TABLE_CRL };

/* A certificate and the name of its issuer. */
struct store_row {
	struct store_certificate certificate;
	char issuer[OC_CONFIG_NAME_MAX + 1];
};

struct store_ops {
	void (*close)(struct store *s);
	void (*set_busy_timeout)(struct store *s, int timeout_ms);

	/* begin_change takes the database's one write lock, waiting for it;
	 * begin_read only pins what is seen.  One of them at a time. */
	enum oc_err (*begin_change)(struct store *s);
	enum oc_err (*begin_read)(struct store *s);
	enum oc_err (*commit)(struct store *s);	/* failed: rolled back */
	void (*rollback)(struct store *s);
	/* Inside a change; they nest.  undo() goes back to the last save(). */
	enum oc_err (*save)(struct store *s);
	enum oc_err (*keep)(struct store *s);
	enum oc_err (*undo)(struct store *s);
	/* false: the database has given the transaction up by itself. */
	bool (*in_transaction)(struct store *s);

	enum oc_err (*read_head)(struct store *s, struct store_head *head);
	enum oc_err (*write_head)(struct store *s,
	    const struct store_head *head);
	enum oc_err (*data_version)(struct store *s, int64_t *version);
	enum oc_err (*find_id_max)(struct store *s, enum store_table table,
	    int64_t *id_max);		/* 0: the table is empty */

	enum oc_err (*find_issuer)(struct store *s, const char *name,
	    struct store_issuer *issuer, struct store_issuer_key *key);
	enum oc_err (*find_issuer_name)(struct store *s, int64_t id,
	    char name[OC_CONFIG_NAME_MAX + 1]);
	enum oc_err (*add_issuer)(struct store *s, const char *name,
	    struct store_blob certificate,
	    const uint8_t spki_hash[STORE_HASH_LEN], int64_t *id);
	enum oc_err (*renew_issuer)(struct store *s, int64_t id,
	    struct store_blob certificate);

	/* EXISTS if the issuer has the serial. */
	enum oc_err (*add_certificate)(struct store *s,
	    const struct store_reservation *r, int64_t reserved_at,
	    int64_t change_seq, int64_t *id);
	enum oc_err (*find_certificate)(struct store *s, int64_t issuer_id,
	    const struct oc_serial *serial, struct store_row *row);
	enum oc_err (*get_certificate)(struct store *s, int64_t id,
	    struct store_row *row);
	enum oc_err (*set_issued)(struct store *s, int64_t id,
	    int64_t issued_at, struct store_blob certificate);
	enum oc_err (*set_status)(struct store *s, int64_t id,
	    int64_t change_seq, const struct store_status *status);
	enum oc_err (*list_certificates)(struct store *s,
	    const struct store_filter *filter, int64_t now_at,
	    store_certificate_fn *fn, void *arg);
	enum oc_err (*list_revoked)(struct store *s, int64_t issuer_id,
	    int64_t not_after_min, store_certificate_fn *fn, void *arg);
	enum oc_err (*read_changes)(struct store *s, int64_t after_seq,
	    struct store_change *changes, uint32_t num_max, uint32_t *num);

	/* Adds one to the issuer's counter and says what it then is. */
	enum oc_err (*take_crl_counter)(struct store *s, int64_t issuer_id,
	    uint32_t *counter);
	enum oc_err (*add_crl)(struct store *s, int64_t issuer_id,
	    uint64_t number, int64_t this_update, int64_t next_update,
	    int64_t reserved_at, int64_t *id);
	enum oc_err (*get_crl)(struct store *s, int64_t id,
	    struct store_crl_row *row);
	enum oc_err (*set_crl_issued)(struct store *s, int64_t id,
	    int64_t issued_at, struct store_blob crl);
	enum oc_err (*find_crl)(struct store *s, int64_t issuer_id,
	    struct store_crl *crl);

	enum oc_err (*add_entry)(struct store *s,
	    const struct store_entry *entry);
	enum oc_err (*list_entries)(struct store *s, int64_t after_number,
	    store_entry_fn *fn, void *arg);

	enum oc_err (*backup)(struct store *s, const char *to);
};

/* Sets store->error, with the store's path in front; returns err. */
enum oc_err store_fail(struct store *s, enum oc_err err,
    const char *format, ...) OC_PRINTF(3, 4);

/*
 * Changes nest: the outermost is a transaction, the inner ones savepoints.
 * end_change takes what happened since begin_change: OC_OK keeps it, an
 * error undoes it and is returned, or a worse one.  begin_change that failed
 * needs no end.
 */
enum oc_err store_begin_change(struct store *s) OC_MUST_CHECK;
enum oc_err store_end_change(struct store *s, enum oc_err err) OC_MUST_CHECK;

/* Inside a change. */
enum oc_err store_take_change_seq(struct store *s, int64_t *seq) OC_MUST_CHECK;
enum oc_err store_add_entry(struct store *s, const char *event,
    const char *detail) OC_MUST_CHECK;

/* LIMIT and MALFORMED for names, blobs and serials from outside. */
enum oc_err store_check_name(struct store *s, const char *what,
    const char *name) OC_MUST_CHECK;
enum oc_err store_check_blob(struct store *s, const char *what,
    struct store_blob blob, size_t len_max) OC_MUST_CHECK;
enum oc_err store_check_serial(struct store *s,
    const struct oc_serial *serial) OC_MUST_CHECK;

/* Minutes since 2020 now; CONFIG when the clock is before 2020. */
enum oc_err store_epoch_now(uint32_t *epoch, struct oc_error *error)
    OC_MUST_CHECK;

#endif
