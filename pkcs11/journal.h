/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signing journal, ocsign-journal(5): what becomes of each ticket is
 * recorded before anybody is told.
 *
 * One thread writes, whoever signs only puts a record into its ring.  A
 * certificate, a CRL and a CSR are held back until their records are on the
 * disk, one sync for as many as wait; OCSP responses are not, and theirs are
 * synced every half a second.  While the journal cannot be written the first
 * three are refused, and responses go on and are counted in a gap.
 *
 * Its lock is a leaf.
 */
#ifndef PKCS11_JOURNAL_H
#define PKCS11_JOURNAL_H

#include "pkcs11/journal_record.h"
#include "sign/desk.h"

struct p11_journal;

struct p11_journal_config {
	const char *directory;
	const char *chain;		/* "signer", "ocsign" */
	uint64_t size_max;		/* of a file, about */
};

/*
 * Takes the chain's lock and starts the thread; the first record opens the
 * file.  That the disk does not let it is no failure: it is tried again each
 * second.  NOMEM, SYSTEM.
 */
enum oc_err p11_journal_new(const struct p11_journal_config *config,
    struct p11_journal **journal, struct oc_error *error) OC_MUST_CHECK;
/* Writes what is left.  No signer may use it any more.  NULL is fine. */
void p11_journal_free(struct p11_journal *journal);

/* Before it is signed: OC_OK, DOWN while its record could not be kept, BUSY
 * while the disk is behind.  journal NULL: always OC_OK. */
enum oc_err p11_journal_admit(struct p11_journal *journal,
    enum sign_kind kind, struct oc_error *error) OC_MUST_CHECK;

/* A key by its name: constant while the journal's records may name it. */
struct p11_journal_key {
	const char *name;
	struct der_bytes spki;
};

/* What a key was not even asked for.  A tbs that is long is not hashed: the
 * caller is an event loop. */
void p11_journal_refused(struct p11_journal *journal,
    const struct p11_journal_key *key, const struct sign_job *job,
    const char *why);

/* Takes the place of a desk's recorder: sign/desk.h.  key_of says what a
 * ticket's key is. */
typedef struct p11_journal_key p11_journal_key_fn(const void *key);
void p11_journal_attach(struct p11_journal *journal, struct sign_desk *desk,
    p11_journal_key_fn *key_of);
/* Until every ticket that it holds has gone back to its desk, and no record
 * names a key. */
void p11_journal_drain(struct p11_journal *journal);

struct p11_journal_status {
	bool is_well;
	char failure[256];		/* why not */
	uint64_t num_records, num_syncs;
	uint64_t num_lost;		/* since it was started */
	size_t num_waiting;
};
void p11_journal_look(struct p11_journal *journal,
    struct p11_journal_status *status);

#endif
