/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/journal_read.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/value.h"

#define FILE_DIGITS 6

/* --- one file ------------------------------------------------------------ */

static bool
stop(struct p11_scan *s, const char *why)
{
	s->why = why;
	return false;
}

bool
p11_scan_next(struct p11_scan *s, struct p11_record *r)
{
	const char *line = s->bytes + s->at, *end;
	const uint8_t *previous = s->hash;
	size_t len;

	if (s->at == s->len)
		return false;
	end = memchr(line, '\n', s->len - s->at);
	if (end == NULL)
		return stop(s, "is not whole");
	len = (size_t)(end - line);
	if (p11_record_read(line, len, r) != OC_OK)
		return stop(s, "is none");
	if (s->number == 0 && r->type != P11_RECORD_OPEN)
		return stop(s, "does not open the file");
	if (s->number == 0)
		previous = r->previous;
	else if (r->number != s->number + 1)
		return stop(s, "has another number: some are missing");
	if (!p11_record_is_chained(line, len, previous, r) ||
	    (r->type == P11_RECORD_OPEN &&
	    memcmp(r->previous, previous, P11_HASH_LEN) != 0))
		return stop(s, "has a hash that is not that of it and those "
		    "before it: it was changed");
	s->number = r->number;
	memcpy(s->hash, r->hash, P11_HASH_LEN);
	s->at += len + 1;
	return true;
}

bool
p11_scan_is_torn(const struct p11_scan *s)
{
	const char *p = s->bytes + s->at, *all = s->bytes + s->len, *end;
	struct p11_record r;

	for (; p < all && (end = memchr(p, '\n', (size_t)(all - p))) != NULL;
	    p = end + 1)
		if (p11_record_read(p, (size_t)(end - p), &r) == OC_OK)
			return false;
	return true;
}

/* --- the directory ------------------------------------------------------- */

void
p11_journal_file_name(const char *chain, uint32_t file,
    char name[P11_JOURNAL_NAME_MAX])
{
	(void)snprintf(name, P11_JOURNAL_NAME_MAX, "%s.%0*" PRIu32, chain,
	    FILE_DIGITS, file);
}

static bool
parse_name(const char *text, struct p11_journal_name *name)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz");
	char again[P11_JOURNAL_NAME_MAX];
	int64_t file;

	if (len == 0 || len > P11_CHAIN_NAME_MAX || text[len] != '.' ||
	    strspn(text + len + 1, "0123456789") < FILE_DIGITS ||
	    oc_value_int(text + len + 1 + strspn(text + len + 1, "0"), 1,
	    UINT32_MAX, &file, NULL) != OC_OK)
		return false;
	memcpy(name->chain, text, len);
	name->chain[len] = '\0';
	name->file = (uint32_t)file;
	p11_journal_file_name(name->chain, name->file, again);
	return strcmp(again, text) == 0;
}

static int
compare(const void *a, const void *b)
{
	const struct p11_journal_name *x = a, *y = b;
	int order = strcmp(x->chain, y->chain);

	if (order != 0)
		return order;
	return x->file < y->file ? -1 : x->file > y->file;
}

enum oc_err
p11_journal_list(const char *directory, struct p11_journal_name **names,
    size_t *num, struct oc_error *error)
{
	struct p11_journal_name *list = NULL, *more, name;
	size_t n = 0, room = 0;
	struct dirent *entry;
	DIR *d = opendir(directory);

	if (d == NULL && errno != ENOENT)
		return oc_error_set_errno(error, OC_ERR_SYSTEM,
		    "cannot list %s", directory);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (!parse_name(entry->d_name, &name))
			continue;
		if (n == room) {
			room = room == 0 ? 16 : 2 * room;
			more = reallocarray(list, room, sizeof(*list));
			if (more == NULL) {
				free(list);
				(void)closedir(d);
				return oc_error_set(error, OC_ERR_NOMEM,
				    "out of memory");
			}
			list = more;
		}
		list[n++] = name;
	}
	if (d != NULL)
		(void)closedir(d);
	if (n > 0)
		qsort(list, n, sizeof(*list), compare);
	*names = list;
	*num = n;
	return OC_OK;
}

/* --- all of it ----------------------------------------------------------- */

struct reading {
	const char *directory;
	enum p11_journal_from from;
	p11_record_fn *fn;
	void *arg;
	struct p11_chain *chains;
	size_t num_chains;
	/* Of the file before, in the same chain. */
	uint64_t number;
	uint64_t len, whole_len;	/* good octets, and all */
	struct oc_error *error;
};

static enum oc_err
bad(const struct reading *rd, const struct p11_journal_name *name,
    uint64_t number, const char *why)
{
	char file[P11_JOURNAL_NAME_MAX];

	p11_journal_file_name(name->chain, name->file, file);
	return oc_error_set(rd->error, OC_ERR_MISMATCH, "%s/%s: record %"
	    PRIu64 " %s", rd->directory, file, number, why);
}

static void
add_up(struct p11_chain *chain, const struct p11_record *r)
{
	if (chain->num_records++ == 0)
		chain->first_us = r->at_us;
	chain->last_us = r->at_us;
	if (r->type == P11_RECORD_GAP)
		for (int i = 0; i < P11_LOST_MAX; i++)
			chain->lost[i] += r->lost[i];
	memcpy(chain->hash, r->hash, sizeof(chain->hash));
}

/* Whether a file goes on where the one before it ended. */
static enum oc_err
check_open(struct reading *rd, struct p11_chain *chain,
    const struct p11_journal_name *name, const struct p11_record *r)
{
	static const uint8_t nothing[P11_HASH_LEN];
	bool is_first = chain->num_files == 1;

	if (r->type != P11_RECORD_OPEN || strcmp(r->chain, name->chain) != 0 ||
	    r->file != name->file)
		return bad(rd, name, r->number, "opens another file");
	if (is_first && rd->from == P11_JOURNAL_ARCHIVED && name->file != 1)
		return OC_OK;
	if (is_first)
		return r->number == 1 && memcmp(r->previous, nothing,
		    sizeof(nothing)) == 0 ? OC_OK : bad(rd, name, r->number,
		    "is not the chain's first: some are missing");
	if (r->number != rd->number + 1 ||
	    memcmp(r->previous, chain->hash, P11_HASH_LEN) != 0)
		return bad(rd, name, r->number, "does not go on where the "
		    "file before it ends: records are missing there");
	if (r->octets != rd->len || r->torn != rd->whole_len - rd->len)
		return bad(rd, name, r->number, "knows the file before it by "
		    "another length: it was changed since");
	chain->num_torn += r->torn != 0;
	chain->torn += r->torn;
	return OC_OK;
}

/* A record that opens again, in the same file: the next process. */
static enum oc_err
check_again(const struct reading *rd, const struct p11_journal_name *name,
    const struct p11_record *r, size_t at)
{
	if (r->type == P11_RECORD_OPEN && (r->octets != at || r->torn != 0 ||
	    r->file != name->file || strcmp(r->chain, name->chain) != 0))
		return bad(rd, name, r->number, "opens another file");
	return OC_OK;
}

static enum oc_err
read_records(struct reading *rd, struct p11_chain *chain,
    const struct p11_journal_name *name, bool is_last,
    struct p11_scan *scan)
{
	struct p11_record r;
	size_t at = 0;
	enum oc_err err = OC_OK;

	for (; err == OC_OK && p11_scan_next(scan, &r); at = scan->at) {
		err = at == 0 ? check_open(rd, chain, name, &r) :
		    check_again(rd, name, &r, at);
		if (err == OC_OK) {
			add_up(chain, &r);
			err = rd->fn(rd->arg, chain, &r);
		}
	}
	if (err != OC_OK)
		return err;
	/* As a crash leaves it that comes before its first record. */
	if (scan->at == 0 && is_last && p11_scan_is_torn(scan))
		return OC_OK;
	if (scan->at == 0)
		return bad(rd, name, rd->number + 1, scan->why != NULL ?
		    scan->why : "is missing: the file is empty");
	if (scan->why != NULL && !p11_scan_is_torn(scan))
		return bad(rd, name, scan->number + 1, scan->why);
	return OC_OK;
}

static enum oc_err
read_file(struct reading *rd, struct p11_chain *chain,
    const struct p11_journal_name *name, bool is_last)
{
	struct p11_scan scan = { .at = 0 };
	char file[P11_JOURNAL_NAME_MAX], *path;
	uint8_t *bytes;
	enum oc_err err;

	p11_journal_file_name(name->chain, name->file, file);
	if (asprintf(&path, "%s/%s", rd->directory, file) < 0)
		return oc_error_set(rd->error, OC_ERR_NOMEM, "out of memory");
	err = oc_file_read_regular(path, P11_JOURNAL_FILE_MAX, &bytes,
	    &scan.len, NULL, rd->error);
	free(path);
	if (err != OC_OK)
		return err;
	scan.bytes = (const char *)bytes;
	err = read_records(rd, chain, name, is_last, &scan);
	rd->number = scan.number;
	rd->len = scan.at;
	rd->whole_len = scan.len;
	free(bytes);
	return err;
}

/* What the last file's end has that no later file speaks of. */
static void
end_chain(struct reading *rd)
{
	struct p11_chain *chain;

	if (rd->num_chains == 0)
		return;
	chain = &rd->chains[rd->num_chains - 1];
	chain->num_torn += rd->whole_len != rd->len;
	chain->torn += rd->whole_len - rd->len;
}

static enum oc_err
next_file(struct reading *rd, const struct p11_journal_name *name,
    bool is_last)
{
	struct p11_chain *chain = rd->num_chains == 0 ? NULL :
	    &rd->chains[rd->num_chains - 1];

	if (chain == NULL || strcmp(chain->name, name->chain) != 0) {
		end_chain(rd);
		chain = &rd->chains[rd->num_chains++];
		memcpy(chain->name, name->chain, sizeof(chain->name));
		chain->first_file = name->file;
		rd->number = rd->len = rd->whole_len = 0;
		if (name->file != 1 && rd->from == P11_JOURNAL_WHOLE)
			return bad(rd, name, 1, "is in a file that is not "
			    "there: the first one here is this; if those "
			    "before it were archived, say --archived");
	} else if (name->file != chain->first_file + chain->num_files)
		return bad(rd, name, rd->number + 1, "is in a file that is "
		    "not there: one before this is missing");
	chain->num_files++;
	return read_file(rd, chain, name, is_last);
}

enum oc_err
p11_journal_read(const char *directory, enum p11_journal_from from,
    p11_record_fn *fn, void *arg, struct p11_chain **chains,
    size_t *num_chains, struct oc_error *error)
{
	struct reading rd = { .directory = directory, .from = from, .fn = fn,
	    .arg = arg, .error = error };
	struct p11_journal_name *names = NULL;
	size_t num = 0;
	enum oc_err err;

	*chains = NULL;
	*num_chains = 0;
	err = p11_journal_list(directory, &names, &num, error);
	if (err != OC_OK || num == 0)
		return err;
	rd.chains = calloc(num, sizeof(*rd.chains));
	if (rd.chains == NULL)
		err = oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	for (size_t i = 0; err == OC_OK && i < num; i++)
		err = next_file(&rd, &names[i], i + 1 == num ||
		    strcmp(names[i].chain, names[i + 1].chain) != 0);
	if (err == OC_OK)
		end_chain(&rd);
	free(names);
	*chains = rd.chains;
	*num_chains = rd.num_chains;
	return err;
}
