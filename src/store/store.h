/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system of record: which certificates were reserved, issued, revoked,
 * which CRLs were signed, and a hash-chained journal of every change.
 *
 * A struct store is one connection.  It blocks, so it is used by one thread
 * that may: a command, or a store thread (store/thread.h); never call any of
 * this from an event loop.  Several processes may write at the same time, to
 * a database of PostgreSQL from several hosts: BUSY after five seconds of a
 * locked one.
 *
 * Every change is one transaction that also appends to the journal and, if
 * it changes what OCSP says, takes the next change_seq.  When a function
 * returns OC_OK the change survives power loss.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/reason.h"
#include "base/serial.h"
#include "base/spool.h"

struct store;

#define STORE_ID_LEN 16
#define STORE_HASH_LEN 32		/* SHA-256 */

enum store_mode {
	STORE_CREATE,		/* create it if it is not there */
	STORE_WRITE,		/* must be there; migrated if older */
	STORE_READ,		/* read only; never migrates */
	STORE_SHARE		/* of a database: for store/share.h alone; never
				 * migrates, and waits for no disk */
};

/* Borrowed octets that need not be DER. */
struct store_blob {
	const uint8_t *p;
	size_t len;
};

/*
 * where is a file (0600, directory must exist), or a database of PostgreSQL:
 * libpq's keywords and values, or a postgresql:// URI.  A password in there is
 * CONFIG.  A store of a newer schema than this program's is UNSUPPORTED, one
 * of an older is migrated inside one transaction.  DOWN: no server answers.
 *
 * A database's connection that is lost is made again where no change is open,
 * within the busy timeout; a change it was lost in is BUSY (nothing was
 * written), or STORE if nobody says what became of its commit.  A store that
 * is no longer the one that was opened is REFUSED.
 */
enum oc_err store_open(const char *where, enum store_mode mode,
    struct store **store, struct oc_error *error) OC_MUST_CHECK;
bool store_is_database(const char *where);
void store_close(struct store *store);	/* NULL is fine */
/* As STORE_READ, but one of an older schema is migrated first: all that is
 * written, and that by another connection. */
enum oc_err store_open_to_read(const char *where, struct store **store,
    struct oc_error *error) OC_MUST_CHECK;

/* What the last failed call said; "" if none. */
const char *store_error(const struct store *store);

/* Random, made with the store, new after every restore. */
void store_id(const struct store *store, uint8_t id[STORE_ID_LEN]);

/*
 * Minutes since 2020-01-01 when this store was made or last restored.  Part
 * of every serial and CRL number, so that none returns after a restore:
 * see ca/serial.h.
 */
uint32_t store_epoch(const struct store *store);

/* How long to wait for a locked database before BUSY; 5000 unless set. */
void store_set_busy_timeout(struct store *store, int timeout_ms);

/* Of a server's answer to what only reads, before the connection is taken for
 * lost: for who may go on with another host, when this one hangs and the
 * network does not tell.  None unless set, and none in SQLite. */
void store_set_read_timeout(struct store *store, int timeout_s);

/* Logs what a server of PostgreSQL may lose of what it has confirmed. */
void store_say_risks(struct store *store);

/* Who is writing: goes into the journal, "ocsign[uid 1000]".  Copied. */
void store_set_actor(struct store *store, const char *actor);

/*
 * Several changes as one transaction: one write to the disk for all.  What
 * the functions between begin and commit return is only true once commit
 * has returned OC_OK; after an error of commit none of it happened.  One that
 * fails in between is undone alone, unless it takes the transaction with it
 * (a full disk): then all after it fail too, and so does commit.  Keeps
 * other writers out: be quick.
 */
enum oc_err store_begin_group(struct store *store) OC_MUST_CHECK;
enum oc_err store_commit_group(struct store *store) OC_MUST_CHECK;
void store_abandon_group(struct store *store);	/* none of it happened */

/* --- issuers ---------------------------------------------------------- */

struct store_issuer {
	int64_t id;			/* of the row; 0 = none */
	char name[OC_CONFIG_NAME_MAX + 1];
	uint8_t *certificate;		/* DER; owned by this struct */
	size_t certificate_len;
};

/* Finds the issuer of this name or makes it.  One name, one public key: the
 * same name with another spki_hash is MISMATCH; with the same key and a
 * renewed certificate the certificate is replaced. */
enum oc_err store_put_issuer(struct store *store, const char *name,
    struct store_blob certificate, const uint8_t spki_hash[STORE_HASH_LEN],
    int64_t *id) OC_MUST_CHECK;
enum oc_err store_find_issuer(struct store *store, const char *name,
    struct store_issuer *issuer) OC_MUST_CHECK;
void store_issuer_fini(struct store_issuer *issuer);

/* --- certificates ----------------------------------------------------- */

enum store_state {
	STORE_RESERVED = 1,	/* its TBS may have been signed */
	STORE_ISSUED = 2
};

/* 9999-12-31, RFC 5280, 4.1.2.5: of a certificate that was imported, and of
 * which nobody said when it ends. */
#define STORE_NO_END INT64_C(253402300799)

struct store_certificate {
	int64_t id;
	int64_t issuer_id;
	struct oc_serial serial;
	enum store_state state;
	int64_t reserved_at, issued_at;		/* issued_at 0: not yet */
	int64_t not_before, not_after;
	uint32_t crl_partition;
	char profile[OC_CONFIG_NAME_MAX + 1];
	char *subject;			/* RFC 4514 text; owned */
	char *names;			/* SANs, "DNS:a\nDNS:b"; owned */
	/* store/import.h's record; owned.  NULL: it was reserved here. */
	char *import_record;
	uint8_t *tbs;			/* TBSCertificate; owned, or NULL */
	size_t tbs_len;
	uint8_t *certificate;		/* DER; owned, or NULL */
	size_t certificate_len;
	bool is_revoked;
	enum crl_reason reason;
	int64_t revoked_at;
	int64_t invalidity_at;		/* 0: not given */
};

void store_certificate_fini(struct store_certificate *certificate);

/* What ca/issue.c hands over before anything is signed. */
struct store_reservation {
	int64_t issuer_id;
	struct oc_serial serial;
	struct store_blob tbs;
	int64_t not_before, not_after;
	const char *profile;
	const char *subject;
	const char *names;
	uint32_t crl_partition;		/* of which CRL it is; 0: of the one
					 * that is not partitioned */
};

/* Durable before it returns.  EXISTS if the issuer has the serial. */
enum oc_err store_reserve(struct store *store,
    const struct store_reservation *r, int64_t *id) OC_MUST_CHECK;
/* RESERVED becomes ISSUED; anything else is MISMATCH, also a request that
 * was given up meanwhile, or is too old to count (store/account.h): then
 * nobody may have it. */
enum oc_err store_issue(struct store *store, int64_t id,
    struct store_blob certificate) OC_MUST_CHECK;

enum oc_err store_find_certificate(struct store *store, int64_t issuer_id,
    const struct oc_serial *serial, struct store_certificate *certificate)
    OC_MUST_CHECK;
/* The last that the issuer issued here, if it is among the last num_max of all
 * that were recorded; else NOT_FOUND. */
enum oc_err store_find_newest(struct store *store, int64_t issuer_id,
    uint32_t num_max, struct store_certificate *certificate) OC_MUST_CHECK;

/* What to list; zero means "any". */
struct store_filter {
	int64_t issuer_id;
	const struct oc_serial *serial;	/* NULL: any */
	enum store_state state;
	bool only_revoked;
	bool only_valid;		/* issued, unrevoked, unexpired */
	int64_t expires_before;
	const char *name;		/* a substring of subject or names */
	uint32_t num_max;		/* 0: all */
};

/* Return other than OC_OK ends the walk with it.  The row is the walk's.
 * Walks read the store as of one moment; fn may read it, not change it. */
typedef enum oc_err store_certificate_fn(void *arg,
    const struct store_certificate *certificate);
enum oc_err store_list_certificates(struct store *store,
    const struct store_filter *filter, store_certificate_fn *fn, void *arg)
    OC_MUST_CHECK;

/*
 * RFC 5280 5.3.1.  Already revoked is EXISTS, except that a hold may become
 * any other reason, and any reason a compromise; CRL_REASON_REMOVE_FROM_CRL
 * lifts a hold and is MISMATCH on anything else.  A serial that was never
 * reserved is NOT_FOUND.  What turns out to be a compromise is revoked since
 * it was first, if that was earlier: revoked_at then says so, and an
 * invalidity date that was known stays if there is no new one.
 */
struct store_revocation {
	int64_t issuer_id;
	struct oc_serial serial;
	enum crl_reason reason;
	int64_t revoked_at;
	int64_t invalidity_at;	/* 0: none */
};
enum oc_err store_revoke(struct store *store, struct store_revocation *r)
    OC_MUST_CHECK;
/* What that would say now, and, of EXISTS, too, when the certificate ends;
 * changes nothing. */
enum oc_err store_may_revoke(struct store *store,
    const struct store_revocation *r, int64_t *not_after) OC_MUST_CHECK;
/* Between begin and commit of a group: as long as it is the same, which is
 * never 0, nobody has revoked a certificate or lifted a hold. */
uint64_t store_revocation_mark(const struct store *store);

/* --- the change feed -------------------------------------------------- */

struct store_change {
	int64_t seq;		/* ascending, gap or not */
	int64_t issuer_id;
	struct oc_serial serial;
	bool is_revoked;
	enum crl_reason reason;
	int64_t revoked_at;
	int64_t not_after;
};

/*
 * The latest status of each certificate whose last change is after seq, in
 * order of seq, at most num_max of them: a certificate that changed twice
 * appears once.  From seq 0 that is a full snapshot.
 */
enum oc_err store_read_changes(struct store *store, int64_t after_seq,
    struct store_change *changes, uint32_t num_max, uint32_t *num)
    OC_MUST_CHECK;
enum oc_err store_change_seq(struct store *store, int64_t *seq) OC_MUST_CHECK;
/* Cheap to ask several times a second: differs whenever another connection
 * has committed since the last call on this one; of a database's server it may
 * be a second late. */
enum oc_err store_data_version(struct store *store, int64_t *version)
    OC_MUST_CHECK;

/* --- CRLs ------------------------------------------------------------- */

/* URLs of an issuingDistributionPoint, with a blank between them. */
#define STORE_CRL_POINT_MAX 511

struct store_crl {
	int64_t id;
	uint64_t number;		/* cRLNumber, RFC 5280 5.2.3 */
	uint64_t base_number;		/* 0: a full list, else a delta */
	int64_t this_update, next_update;
	uint32_t partition;
	int64_t change_seq;		/* up to which it says all; -1: that
					 * is not known */
	int64_t num_entries;		/* the same */
	char point[STORE_CRL_POINT_MAX + 1];	/* "": none */
	const uint8_t *crl;		/* DER; NULL: none, or not asked for */
	size_t crl_len;
	struct oc_mapping mapping;	/* what owns it, private: shared
					 * memory, since it may be much */
};
void store_crl_fini(struct store_crl *crl);

/*
 * Takes the next number, for good: (epoch << 32) + counter, one sequence an
 * issuer, whatever its lists are of.  In a group with store_list_revoked() a
 * list with a higher number says all that one with a lower says.
 */
enum oc_err store_reserve_crl(struct store *store, int64_t issuer_id,
    int64_t this_update, int64_t next_update, int64_t *id, uint64_t *number)
    OC_MUST_CHECK;
enum oc_err store_issue_crl(struct store *store, int64_t id,
    struct store_blob crl) OC_MUST_CHECK;
/* The newest one that was issued: full, and of what is not partitioned. */
enum oc_err store_find_crl(struct store *store, int64_t issuer_id,
    struct store_crl *crl) OC_MUST_CHECK;
/* The same without its octets, which may be many. */
enum oc_err store_find_crl_times(struct store *store, int64_t issuer_id,
    struct store_crl *crl) OC_MUST_CHECK;

/* The same of a partition, and of deltas. */
enum store_crl_kind { STORE_CRL_FULL, STORE_CRL_DELTA };
struct store_crl_scope {
	int64_t issuer_id;
	uint32_t partition;
	enum store_crl_kind kind;
};
struct store_crl_reservation {
	struct store_crl_scope scope;
	uint64_t number;		/* 0: the next; else of the full list
					 * that it is signed together with */
	uint64_t base_number;		/* of a delta */
	int64_t this_update, next_update;
	const char *point;		/* "" or NULL: none */
};
/* Writes what the row then is but for its octets. */
enum oc_err store_reserve_list(struct store *store,
    const struct store_crl_reservation *r, struct store_crl *crl)
    OC_MUST_CHECK;
enum oc_err store_issue_list(struct store *store, int64_t id,
    struct store_blob crl, uint32_t num_entries) OC_MUST_CHECK;
enum oc_err store_find_list(struct store *store,
    const struct store_crl_scope *scope, struct store_crl *crl)
    OC_MUST_CHECK;
enum oc_err store_find_list_times(struct store *store,
    const struct store_crl_scope *scope, struct store_crl *crl)
    OC_MUST_CHECK;
/* What a delta of the scope is to be to: of the full lists with this point
 * that somebody may still hold at now_at, the oldest.  Without octets. */
enum oc_err store_find_list_base(struct store *store,
    const struct store_crl_scope *scope, const char *point, int64_t now_at,
    struct store_crl *crl) OC_MUST_CHECK;

/* How publishing a partition's lists stands.  Inside a group it is as of the
 * lock. */
struct store_crl_life {
	uint64_t number;	/* of the newest that was issued; 0: none */
	int64_t this_update, next_update;
	int64_t change_seq;	/* as of store_crl */
	bool has_point;		/* the one that was asked about */
};
struct store_crl_standing {
	struct store_crl_life full, delta;
	/* Of what was reserved since, and is not issued; 0: nothing. */
	uint64_t reserved_number;
	int64_t reserved_at;
};
enum oc_err store_find_crl_standing(struct store *store, int64_t issuer_id,
    uint32_t partition, const char *point,
    struct store_crl_standing *standing) OC_MUST_CHECK;
/* Where the standing is another than when *id was got, 0 at first, but for
 * what was reserved then: in all partitions, or once or more in each. */
#define STORE_ALL_PARTITIONS UINT32_MAX
typedef void store_crl_news_fn(void *arg, uint32_t partition);
enum oc_err store_list_crl_news(struct store *store, int64_t issuer_id,
    int64_t *id, store_crl_news_fn *fn, void *arg) OC_MUST_CHECK;
/* The partitions in which somebody was revoked or released after the change
 * *seq, each with the last such change; *seq is then up to where they are
 * told. */
typedef void store_touched_fn(void *arg, uint32_t partition, int64_t seq);
enum oc_err store_list_touched(struct store *store, int64_t issuer_id,
    int64_t *seq, store_touched_fn *fn, void *arg) OC_MUST_CHECK;

/* The highest into which a certificate was issued; 0: none. */
enum oc_err store_last_crl_partition(struct store *store, int64_t issuer_id,
    uint32_t *partition) OC_MUST_CHECK;

/* Every list that was reserved, issued or not, in the order of its row, which
 * is the walk's.  crl_len is 0 if it was not. */
struct store_crl_record {
	struct store_crl crl;
	char issuer[OC_CONFIG_NAME_MAX + 1];
};
typedef enum oc_err store_crl_fn(void *arg,
    const struct store_crl_record *record);
enum oc_err store_list_crls(struct store *store, store_crl_fn *fn, void *arg)
    OC_MUST_CHECK;

/* Revoked certificates of an issuer with not_after >= not_after_min, by
 * serial; but for those in partitions.  There may be millions: this is all
 * that is read of them. */
typedef enum oc_err store_revoked_fn(void *arg,
    const struct store_revocation *revoked);
enum oc_err store_list_revoked(struct store *store, int64_t issuer_id,
    int64_t not_after_min, store_revoked_fn *fn, void *arg) OC_MUST_CHECK;

/* Those of one partition, by serial: with not_after >= not_after_min, or
 * changed after the change after_seq. */
struct store_revoked_filter {
	int64_t issuer_id;
	uint32_t partition;
	int64_t not_after_min;
	int64_t after_seq;
};
enum oc_err store_list_partition(struct store *store,
    const struct store_revoked_filter *filter, store_revoked_fn *fn,
    void *arg) OC_MUST_CHECK;
/* Those that are not revoked, and whose hold was lifted after after_seq, by
 * serial; the reason is REMOVE_FROM_CRL, without any time. */
enum oc_err store_list_released(struct store *store,
    const struct store_revoked_filter *filter, store_revoked_fn *fn,
    void *arg) OC_MUST_CHECK;
/* Whether there is one that was revoked or released after after_seq. */
enum oc_err store_has_revoked(struct store *store,
    const struct store_revoked_filter *filter, bool *has) OC_MUST_CHECK;

/* --- the journal ------------------------------------------------------ */

struct store_entry {
	int64_t number;
	int64_t at;
	const char *actor;
	const char *event;	/* "reserve", "issue", "revoke", "crl", ... */
	const char *detail;	/* one line of JSON */
	uint8_t hash[STORE_HASH_LEN];
};
typedef enum oc_err store_entry_fn(void *arg, const struct store_entry *entry);

/* For events that change nothing else: "key-generate". */
enum oc_err store_append_journal(struct store *store, const char *event,
    const char *detail) OC_MUST_CHECK;
enum oc_err store_list_journal(struct store *store, int64_t after_number,
    store_entry_fn *fn, void *arg) OC_MUST_CHECK;
/*
 * Recomputes the chain: hash = SHA-256(previous hash || number || at ||
 * actor || event || detail, each length-prefixed), and holds it against the
 * tables.  MISMATCH with the first bad entry in *bad_number.
 */
enum oc_err store_verify_journal(struct store *store, int64_t *num_entries,
    int64_t *bad_number) OC_MUST_CHECK;

/* --- backup ----------------------------------------------------------- */

/* A consistent copy of a store in use; written beside and renamed.  Of a
 * database UNSUPPORTED: its server's tools do that. */
enum oc_err store_backup(struct store *store, const char *to,
    struct oc_error *error) OC_MUST_CHECK;
/*
 * Puts a backup in place of a store that is not in use.  The restored store
 * gets a new id and epoch, so that no serial or CRL number comes again and
 * every response table is rebuilt.  An existing store at to is kept as
 * to.replaced-TIME; the new epoch is above its.
 */
enum oc_err store_restore(const char *from, const char *to,
    struct oc_error *error) OC_MUST_CHECK;
/* A database that was put back from a copy by its server's tools, or has lost
 * what it had committed, gets a new id and epoch in the same way. */
enum oc_err store_renew(const char *where, struct oc_error *error)
    OC_MUST_CHECK;

#endif
