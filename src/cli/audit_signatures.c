/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signing journal against the store: whatever is in one of them has to be
 * in the other.
 *
 * The journal is read first, the store then, and the journal once more if
 * something was not in it: what is signed meanwhile is in the store before
 * its record, and issued after it.
 */
#include "cli/audit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/work_impl.h"
#include "der/reader.h"
#include "der/time.h"
#include "pkcs11/journal_read.h"
#include "sign/digest.h"

#define US_PER_S 1000000
#define ALARMS_MAX 100			/* printed; all are counted */
#define KEYS_MAX 512
/* From a list's reservation to its signature: all lists of a publication are
 * reserved before the first is signed. */
#define CRL_MAX_S 3600

/* What the journal says was signed, without responses and CSRs. */
struct signature {
	uint8_t digest[P11_HASH_LEN];
	uint64_t number;
	int64_t at_us;
	const char *chain, *key;	/* borrowed from audit */
	enum sign_kind kind;
	bool is_known;			/* the store has it */
};

/* An issued certificate or CRL that the journal does not have. */
struct missing {
	uint8_t digest[P11_HASH_LEN];
	char text[200];
};

struct reserved_crl {
	uint64_t number;
	int64_t at;
	char issuer[OC_CONFIG_NAME_MAX + 1];
	bool is_matched;
};

struct audit {
	const char *directory;
	const char *others;		/* of other hosts; NULL: none */
	enum p11_journal_from from;
	struct signature *signatures;
	size_t num, room, num_chains;
	char *names[KEYS_MAX];		/* of keys and chains; owned */
	size_t num_names;
	int64_t began_us;		/* what is older need not be in it */
	int64_t restored_at;		/* of the store, last; 0: never */
	size_t num_before_restore;
	struct missing *missing;
	size_t num_missing;
	struct reserved_crl *crls;
	size_t num_crls;
	uint64_t num_kinds[SIGN_KIND_CSR + 1], num_unsigned;
	int64_t num_before, num_reserved, num_imported;
	json_t *alarms, *notes;
	size_t num_alarms;
};

static void *
grow(void *array, size_t num, size_t *room, size_t size)
{
	if (num < *room)
		return array;
	*room = *room == 0 ? 64 : 2 * *room;
	array = reallocarray(array, *room, size);
	if (array == NULL)
		cli_no_memory();
	return array;
}

static const char *
keep_name(struct audit *a, const char *name)
{
	for (size_t i = a->num_names; i-- > 0;)
		if (strcmp(a->names[i], name) == 0)
			return a->names[i];
	if (a->num_names == KEYS_MAX)
		return "one of many";
	a->names[a->num_names] = strdup(name);
	if (a->names[a->num_names] == NULL)
		cli_no_memory();
	return a->names[a->num_names++];
}

static void
note(json_t *list, const char *what, const char *text)
{
	json_t *row = cli_object();

	cli_put_text(row, what, text);
	cli_append(list, row);
}

static void
alarm_about(struct audit *a, const char *text)
{
	if (a->num_alarms++ < ALARMS_MAX)
		note(a->alarms, "alarm", text);
}

/* --- the journal ---------------------------------------------------------- */

static void
keep_signature(struct audit *a, const struct p11_chain *chain,
    const struct p11_record *r)
{
	struct signature *s;

	a->signatures = grow(a->signatures, a->num, &a->room, sizeof(*s));
	s = &a->signatures[a->num++];
	memcpy(s->digest, r->digest, sizeof(s->digest));
	s->number = r->number;
	s->at_us = r->at_us;
	s->chain = keep_name(a, chain->name);
	s->key = keep_name(a, r->key);
	s->kind = r->kind;
	s->is_known = false;
}

static enum oc_err
collect(void *arg, const struct p11_chain *chain, const struct p11_record *r)
{
	struct audit *a = arg;

	if (r->type != P11_RECORD_SIGN)
		return OC_OK;
	if (r->outcome != P11_OUTCOME_SIGNED &&
	    r->outcome != P11_OUTCOME_LATE) {
		a->num_unsigned++;
		return OC_OK;
	}
	a->num_kinds[r->kind]++;
	if (r->kind == SIGN_KIND_CERTIFICATE || r->kind == SIGN_KIND_CRL)
		keep_signature(a, chain, r);
	return OC_OK;
}

static int
compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, P11_HASH_LEN);	/* first in both structs */
}

static void
sort(struct audit *a)
{
	if (a->num > 0)
		qsort(a->signatures, a->num, sizeof(*a->signatures),
		    compare_digests);
}

/* True if there is one; marks all with this digest. */
static bool
find(struct audit *a, const uint8_t digest[P11_HASH_LEN])
{
	struct signature *s = a->num == 0 ? NULL : bsearch(digest,
	    a->signatures, a->num, sizeof(*s), compare_digests);
	struct signature *end = a->signatures + a->num;

	if (s == NULL)
		return false;
	while (s > a->signatures && memcmp(s[-1].digest, digest,
	    P11_HASH_LEN) == 0)
		s--;
	for (; s < end && memcmp(s->digest, digest, P11_HASH_LEN) == 0; s++)
		s->is_known = true;
	return true;
}

/* Since when everything must be in it: the first of it; where the beginning
 * of a chain was archived, the last of those. */
static void
find_beginning(struct audit *a, const struct p11_chain *chains, size_t num)
{
	bool is_cut = false;

	for (size_t i = 0; i < num; i++)
		is_cut = is_cut || chains[i].first_file != 1;
	a->began_us = is_cut ? INT64_MIN : INT64_MAX;
	for (size_t i = 0; i < num; i++)
		if (is_cut ? chains[i].first_us > a->began_us :
		    chains[i].first_us < a->began_us)
			a->began_us = chains[i].first_us;
}

static void
describe_chain(json_t *rows, const struct p11_chain *chain)
{
	json_t *row = cli_object();
	uint64_t lost = 0;

	for (int i = 0; i < P11_LOST_MAX; i++)
		lost += chain->lost[i];
	cli_put_text(row, "chain", chain->name);
	cli_put_int(row, "files", chain->num_files);
	cli_put_int(row, "records", (int64_t)chain->num_records);
	cli_put_time(row, "since", chain->first_us / US_PER_S);
	cli_put_time(row, "until", chain->last_us / US_PER_S);
	cli_put_int(row, "torn_octets", (int64_t)chain->torn);
	cli_put_int(row, "not_recorded", (int64_t)lost);
	cli_put_hex(row, "head", DER_ARRAY(chain->hash));
	cli_append(rows, row);
}

static enum oc_err
read_directory(struct audit *a, const char *directory,
    struct p11_chain **chains, size_t *num, struct oc_error *error)
{
	struct p11_chain *more = NULL, *all;
	size_t num_more = 0;
	enum oc_err err = p11_journal_read(directory, a->from, collect, a,
	    &more, &num_more, error);

	all = reallocarray(*chains, *num + num_more + 1, sizeof(*all));
	if (all == NULL)
		cli_no_memory();
	if (num_more > 0)
		memcpy(all + *num, more, num_more * sizeof(*all));
	free(more);
	*chains = all;
	*num += num_more;
	return err;
}

/* This host's, and those that are named, with ':' between them. */
static enum oc_err
read_directories(struct audit *a, struct p11_chain **chains, size_t *num,
    struct oc_error *error)
{
	const char *rest = a->others == NULL ? "" : a->others;
	enum oc_err err;

	*chains = NULL;
	*num = 0;
	err = read_directory(a, a->directory, chains, num, error);
	while (err == OC_OK && *rest != '\0') {
		char *directory = strndup(rest, strcspn(rest, ":"));

		if (directory == NULL)
			cli_no_memory();
		rest += strlen(directory);
		rest += *rest == ':';
		err = access(directory, F_OK) != 0 ? oc_error_set_errno(error,
		    OC_ERR_NOT_FOUND, "--also %s", directory) :
		    read_directory(a, directory, chains, num, error);
		free(directory);
	}
	return err;
}

static enum oc_err
read_journal(struct audit *a, json_t *facts, struct oc_error *error)
{
	struct p11_chain *chains;
	json_t *rows = cli_array();
	size_t num, i;
	enum oc_err err;

	cli_progress_begin("the signing journal to be read");
	err = read_directories(a, &chains, &num, error);
	cli_progress_end();
	a->num_chains = num;
	find_beginning(a, chains, num);
	for (i = 0; i < num; i++)
		describe_chain(rows, &chains[i]);
	free(chains);
	sort(a);
	cli_put_text(facts, "signing_journal", err != OC_OK ? "bad" :
	    num == 0 ? "none" : "good");
	cli_put(facts, "chains", rows);
	return err;
}

/* --- the store ------------------------------------------------------------ */

/* The TBS is the first thing in a Certificate and in a CertificateList. */
static bool
digest_signed(struct der_bytes der, uint8_t digest[P11_HASH_LEN])
{
	struct der_reader r = der_reader_of(der), inner;
	struct der_bytes tbs;

	return der_enter(&r, DER_SEQUENCE, &inner) &&
	    der_get_tlv(&inner, DER_SEQUENCE, &tbs) &&
	    EVP_Digest(tbs.p, tbs.len, digest, NULL,
	    sign_digest(SIGN_SHA256), NULL) == 1;
}

static struct missing *
add_missing(struct audit *a, const uint8_t digest[P11_HASH_LEN])
{
	struct missing *m;

	a->missing = reallocarray(a->missing, a->num_missing + 1, sizeof(*m));
	if (a->missing == NULL)
		cli_no_memory();
	m = &a->missing[a->num_missing++];
	memcpy(m->digest, digest, sizeof(m->digest));
	return m;
}

static void
note_reserved(struct audit *a, const struct store_certificate *c)
{
	char serial[OC_SERIAL_TEXT_MAX], text[160];

	oc_serial_format(&c->serial, serial);
	(void)snprintf(text, sizeof(text), "certificate %s is signed, and in "
	    "the store only reserved", serial);
	if (a->num_reserved++ < ALARMS_MAX)
		note(a->notes, "note", text);
}

/* Somebody else has signed it, and journals of our own need not have it; but
 * if one does, it is no signature that nobody knows. */
static enum oc_err
look_at_imported(struct audit *a, const struct store_certificate *c)
{
	uint8_t digest[P11_HASH_LEN];

	a->num_imported++;
	if (c->certificate_len == 0)
		return OC_OK;
	if (!digest_signed((struct der_bytes){ c->certificate,
	    c->certificate_len }, digest))
		return OC_ERR_MALFORMED;
	(void)find(a, digest);
	return OC_OK;
}

static enum oc_err
look_at_certificate(void *arg, const struct store_certificate *c)
{
	struct audit *a = arg;
	char serial[OC_SERIAL_TEXT_MAX];
	uint8_t digest[P11_HASH_LEN];
	bool is_issued = c->state == STORE_ISSUED;

	if (c->import_record != NULL)
		return look_at_imported(a, c);
	if (is_issued ? !digest_signed((struct der_bytes){ c->certificate,
	    c->certificate_len }, digest) : EVP_Digest(c->tbs, c->tbs_len,
	    digest, NULL, sign_digest(SIGN_SHA256), NULL) != 1)
		return OC_ERR_MALFORMED;
	if (find(a, digest)) {
		if (!is_issued)
			note_reserved(a, c);
		return OC_OK;
	}
	if (!is_issued)
		return OC_OK;
	if (c->reserved_at <= a->began_us / US_PER_S) {
		a->num_before++;
		return OC_OK;
	}
	oc_serial_format(&c->serial, serial);
	(void)snprintf(add_missing(a, digest)->text, 200, "certificate %s, "
	    "record %lld of the store, is issued, and its signature is not "
	    "in the signing journal", serial, (long long)c->id);
	return OC_OK;
}

static enum oc_err
look_at_crl(void *arg, const struct store_crl_record *record)
{
	const struct store_crl *crl = &record->crl;
	struct audit *a = arg;
	uint8_t digest[P11_HASH_LEN];

	if (crl->crl_len == 0) {
		struct reserved_crl *r;

		a->crls = reallocarray(a->crls, a->num_crls + 1,
		    sizeof(*a->crls));
		if (a->crls == NULL)
			cli_no_memory();
		r = &a->crls[a->num_crls++];
		*r = (struct reserved_crl){ .number = crl->number,
		    .at = crl->this_update };
		memcpy(r->issuer, record->issuer, sizeof(r->issuer));
		return OC_OK;
	}
	if (!digest_signed((struct der_bytes){ crl->crl, crl->crl_len },
	    digest))
		return OC_ERR_MALFORMED;
	if (find(a, digest))
		return OC_OK;
	if (crl->this_update <= a->began_us / US_PER_S) {
		a->num_before++;
		return OC_OK;
	}
	(void)snprintf(add_missing(a, digest)->text, 200, "CRL %llu of "
	    "issuer %s is issued, and its signature is not in the signing "
	    "journal", (unsigned long long)crl->number, record->issuer);
	return OC_OK;
}

static enum oc_err
read_store(struct audit *a, struct store *store, struct oc_error *error)
{
	static const struct store_filter everything;
	enum oc_err err;

	cli_progress_begin("the store to be read");
	err = store_list_certificates(store, &everything,
	    look_at_certificate, a);
	if (err == OC_OK)
		err = store_list_crls(store, look_at_crl, a);
	cli_progress_end();
	if (err == OC_ERR_MALFORMED)
		return oc_error_set(error, err,
		    "the store has something signed that cannot be read");
	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	return OC_OK;
}

/* --- what does not agree -------------------------------------------------- */

/* A list's octets are recorded with its issue: one that is reserved can only
 * be told by when. */
static bool
match_crl(struct audit *a, const struct signature *s)
{
	static const char prefix[] = "issuer/";
	size_t len = sizeof(prefix) - 1;
	int64_t at = s->at_us / US_PER_S;
	char text[200];

	if (strncmp(s->key, prefix, len) != 0)
		return false;
	for (size_t i = 0; i < a->num_crls; i++) {
		struct reserved_crl *r = &a->crls[i];

		if (r->is_matched || at < r->at || at > r->at + CRL_MAX_S ||
		    strcmp(s->key + len, r->issuer) != 0)
			continue;
		r->is_matched = true;
		(void)snprintf(text, sizeof(text), "CRL %llu of issuer %s is "
		    "signed, and in the store only reserved",
		    (unsigned long long)r->number, r->issuer);
		if (a->num_reserved++ < ALARMS_MAX)
			note(a->notes, "note", text);
		return true;
	}
	return false;
}

static int
compare_times(const void *va, const void *vb)
{
	const struct signature *const *a = va, *const *b = vb;

	return ((*a)->at_us > (*b)->at_us) - ((*a)->at_us < (*b)->at_us);
}

/* In the order of their times, as the lists are: else one takes the only list
 * that is early enough for another. */
static void
match_crls(struct audit *a)
{
	struct signature **left = calloc(a->num + 1,
	    sizeof(struct signature *));
	size_t num = 0;

	if (left == NULL)
		cli_no_memory();
	for (size_t i = 0; i < a->num; i++)
		if (!a->signatures[i].is_known &&
		    a->signatures[i].kind == SIGN_KIND_CRL)
			left[num++] = &a->signatures[i];
	qsort(left, num, sizeof(struct signature *), compare_times);
	for (size_t i = 0; i < num; i++)
		left[i]->is_known = match_crl(a, left[i]);
	free(left);
}

/* What a restored backup does not have: it says so itself. */
static enum oc_err
find_restore(void *arg, const struct store_entry *entry)
{
	struct audit *a = arg;

	if (strcmp(entry->event, "restore") == 0)
		a->restored_at = entry->at;
	return OC_OK;
}

static void
tell_unknown(struct audit *a, const struct signature *s)
{
	char digest[OC_HEX_LEN(P11_HASH_LEN) + 1], at[DER_ISO8601_MAX];
	char text[400];

	if (s->at_us / US_PER_S < a->restored_at) {
		a->num_before_restore++;
		return;
	}
	oc_hex_encode(s->digest, sizeof(s->digest), digest);
	der_format_iso8601(s->at_us / US_PER_S, at);
	(void)snprintf(text, sizeof(text), "record %llu of chain %s, %s: a "
	    "%s was signed with %s that the store does not have; the "
	    "SHA-256 of its TBS is %s", (unsigned long long)s->number,
	    s->chain, at, s->kind == SIGN_KIND_CRL ? "CRL" : "certificate",
	    s->key, digest);
	alarm_about(a, text);
}

static void
tell_missing(struct audit *a)
{
	for (size_t i = 0; i < a->num_missing; i++)
		if (!find(a, a->missing[i].digest))
			alarm_about(a, a->missing[i].text);
}

/* What came between the first reading and the store's. */
static enum oc_err
read_again(struct audit *a, struct oc_error *error)
{
	struct p11_chain *chains;
	enum oc_err err;

	a->num = 0;
	err = read_directories(a, &chains, &a->num_chains, error);
	free(chains);
	sort(a);
	return err;
}

/* Without a single file, nothing says since when there should be one. */
static enum oc_err
check_there_is_one(struct audit *a, struct oc_error *error)
{
	enum oc_err err = OC_OK;

	if (a->num_chains > 0 || a->num_before == 0 ||
	    a->from == P11_JOURNAL_ARCHIVED)
		return OC_OK;
	err = read_again(a, error);
	if (err == OC_OK && a->num_chains == 0)
		alarm_about(a, "there is no signing journal, and the store "
		    "has what was signed: it was taken away; if it was "
		    "archived, say --archived");
	return err;
}

static enum oc_err
reconcile(struct audit *a, struct store *store, struct oc_error *error)
{
	enum oc_err err = read_store(a, store, error);

	if (err == OC_OK && store_list_journal(store, 0, find_restore, a) !=
	    OC_OK)
		err = oc_error_set(error, OC_ERR_STORE, "%s",
		    store_error(store));
	if (err != OC_OK)
		return err;
	match_crls(a);
	for (size_t i = 0; i < a->num; i++)
		if (!a->signatures[i].is_known)
			tell_unknown(a, &a->signatures[i]);
	if (a->num_missing > 0) {
		err = read_again(a, error);
		tell_missing(a);
	}
	return err != OC_OK ? err : check_there_is_one(a, error);
}

static void
put_counts(const struct audit *a, json_t *facts)
{
	cli_put_int(facts, "certificates_signed",
	    (int64_t)a->num_kinds[SIGN_KIND_CERTIFICATE]);
	cli_put_int(facts, "crls_signed",
	    (int64_t)a->num_kinds[SIGN_KIND_CRL]);
	cli_put_int(facts, "responses_signed",
	    (int64_t)a->num_kinds[SIGN_KIND_OCSP]);
	cli_put_int(facts, "requests_signed",
	    (int64_t)a->num_kinds[SIGN_KIND_CSR]);
	cli_put_int(facts, "not_signed", (int64_t)a->num_unsigned);
}

static void
fini(struct audit *a)
{
	for (size_t i = 0; i < a->num_names; i++)
		free(a->names[i]);
	free(a->signatures);
	free(a->missing);
	free(a->crls);
}

enum oc_err
cli_audit_signatures(struct cli *cli, struct store *store, json_t *facts,
    struct oc_error *error)
{
	struct audit a = { .from = cli_has(cli, "archived") ?
	    P11_JOURNAL_ARCHIVED : P11_JOURNAL_WHOLE,
	    .others = cli_option(cli, "also") };
	const struct oc_config *config;
	enum oc_err err = cli_config(cli, &config, error);

	if (err != OC_OK)
		return err;
	a.directory = config->store.signing_journal;
	a.alarms = cli_array();
	a.notes = cli_array();
	err = read_journal(&a, facts, error);
	if (err == OC_OK) {
		put_counts(&a, facts);
		err = reconcile(&a, store, error);
	}
	cli_put_int(facts, "imported", a.num_imported);
	cli_put_int(facts, "issued_before_the_journal", a.num_before);
	cli_put_int(facts, "not_in_the_restored_store",
	    (int64_t)a.num_before_restore);
	cli_put_int(facts, "alarms_found", (int64_t)a.num_alarms);
	cli_put(facts, "notes", a.notes);
	cli_put(facts, "alarms", a.alarms);
	if (err == OC_OK && a.num_alarms > 0)
		err = oc_error_set(error, OC_ERR_MISMATCH, "%zu signature%s "
		    "in only one of the store and the signing journal %s: "
		    "what was signed, and who knows of it, is to be looked "
		    "into", a.num_alarms, a.num_alarms == 1 ? " is" :
		    "s are", a.directory);
	fini(&a);
	return err;
}

const struct cli_option cli_audit_verify_options[] = {
	{ "archived", NULL, CLI_OPTIONAL,
	    "the oldest files were moved elsewhere" },
	{ "also", "DIR[:DIR...]", CLI_OPTIONAL,
	    "signing journals of other hosts with these records" },
	{ NULL }
};
