/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the signing journal, ocsign-journal(5): a directory of files
 * CHAIN.NNNNNN, one chain a writer.  Everything is held against the hashes.
 * Blocks: never call from an event loop.
 */
#ifndef PKCS11_JOURNAL_READ_H
#define PKCS11_JOURNAL_READ_H

#include "pkcs11/journal_record.h"

#define P11_JOURNAL_FILE_MAX (1u << 30)	/* what is read of one */

/* The records of one file, in order, until the first that is none. */
struct p11_scan {
	const char *bytes;
	size_t len, at;			/* at: behind the last good one */
	uint64_t number;		/* its; 0: none yet */
	uint8_t hash[P11_HASH_LEN];
	const char *why;		/* it ended before len; NULL: not */
};
/* False at the end; why says whether there was one. */
bool p11_scan_next(struct p11_scan *scan, struct p11_record *record);
/* Behind the last good one stands no other that is whole: a crash leaves
 * half of a line, or zeros, but never one to its end. */
bool p11_scan_is_torn(const struct p11_scan *scan);

struct p11_journal_name {
	char chain[P11_CHAIN_NAME_MAX + 1];
	uint32_t file;
};
#define P11_JOURNAL_NAME_MAX 32
void p11_journal_file_name(const char *chain, uint32_t file,
    char name[P11_JOURNAL_NAME_MAX]);
/* All files of all chains, chain by chain, in order; for free().  None, if
 * there is no such directory. */
enum oc_err p11_journal_list(const char *directory,
    struct p11_journal_name **names, size_t *num, struct oc_error *error)
    OC_MUST_CHECK;

/* What was found out about one chain. */
struct p11_chain {
	char name[P11_CHAIN_NAME_MAX + 1];
	uint32_t first_file, num_files;
	uint64_t num_records;
	int64_t first_us, last_us;
	uint64_t num_torn, torn;	/* tails cut by crashes; octets */
	uint64_t lost[P11_LOST_MAX];	/* said by its gaps */
	uint8_t hash[P11_HASH_LEN];	/* of its last record */
};

enum p11_journal_from {
	P11_JOURNAL_WHOLE,	/* from the first file: one missing shows */
	P11_JOURNAL_ARCHIVED	/* from the first that is there */
};

typedef enum oc_err p11_record_fn(void *arg, const struct p11_chain *chain,
    const struct p11_record *record);

/*
 * Every record that stands, chain by chain.  MISMATCH where something was
 * changed, cut or taken away: error says in which file and behind which
 * record.  *chains is for free(), and holds what was read until then.  An
 * error of fn ends it.
 */
enum oc_err p11_journal_read(const char *directory,
    enum p11_journal_from from, p11_record_fn *fn, void *arg,
    struct p11_chain **chains, size_t *num_chains, struct oc_error *error)
    OC_MUST_CHECK;

#endif
