/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signing journal's writing end: one chain, under its lock, in the files
 * that ocsign-journal(5) describes.  Blocks; one thread at a time.
 */
#ifndef PKCS11_JOURNAL_FILE_H
#define PKCS11_JOURNAL_FILE_H

#include "pkcs11/journal_record.h"

/* Records put before a flush, at most. */
#define P11_JOURNAL_PUT_MAX 256

struct p11_journal_file {
	char *directory;		/* owned */
	char chain[P11_CHAIN_NAME_MAX + 1];
	uint64_t size_max;		/* after which the next file begins */
	int lock_fd, fd;		/* -1: not open */
	uint32_t file;
	/* The last record that was written out, and how long the file is. */
	uint64_t len, number;
	uint8_t hash[P11_HASH_LEN];
	/* Behind it, the records that wait for a flush. */
	char *text;			/* owned */
	size_t text_len;
	unsigned int num_put;
	uint64_t put_number;
	uint8_t put_hash[P11_HASH_LEN];
};

/* Nothing is opened yet. */
enum oc_err p11_journal_file_init(struct p11_journal_file *f,
    const char *directory, const char *chain, uint64_t size_max)
    OC_MUST_CHECK;
void p11_journal_file_fini(struct p11_journal_file *f);	/* closes */

/* Makes the directory, and takes the chain's lock.  BUSY while another
 * process writes this chain. */
enum oc_err p11_journal_file_lock(struct p11_journal_file *f,
    struct oc_error *error) OC_MUST_CHECK;
/*
 * Goes on with the chain, behind the last whole record of its last file, or
 * begins it; locks it, if it is not.  What a crash left of a record stays
 * where it is, and the next file begins.
 */
enum oc_err p11_journal_file_open(struct p11_journal_file *f,
    struct oc_error *error) OC_MUST_CHECK;
void p11_journal_file_close(struct p11_journal_file *f);
bool p11_journal_file_is_open(const struct p11_journal_file *f);

/* Numbers and chains it; at most P11_JOURNAL_PUT_MAX before a flush. */
void p11_journal_file_put(struct p11_journal_file *f,
    struct p11_record *record);
bool p11_journal_file_is_full(const struct p11_journal_file *f);
/*
 * To the file, all or nothing: after a failure the file is as it was, and
 * what was put is forgotten.  NO_SPACE for a full disk.
 */
enum oc_err p11_journal_file_flush(struct p11_journal_file *f,
    struct oc_error *error) OC_MUST_CHECK;
/* What was flushed survives a power cut. */
enum oc_err p11_journal_file_sync(struct p11_journal_file *f,
    struct oc_error *error) OC_MUST_CHECK;
/* Whether a disk that was full takes more than a line again. */
enum oc_err p11_journal_file_probe(struct p11_journal_file *f,
    struct oc_error *error) OC_MUST_CHECK;
/* The next file, if this one is long enough; after a flush. */
enum oc_err p11_journal_file_rotate(struct p11_journal_file *f,
    struct oc_error *error) OC_MUST_CHECK;

#endif
