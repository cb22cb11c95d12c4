/* SPDX-License-Identifier: Apache-2.0 */
/* One list: what is on it, its number, its signature. */
#include "ca/crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ca/lint.h"
#include "x509/crl_stream.h"

void
ca_crl_fini(struct ca_crl *crl)
{
	x509_crl_stream_free(crl->stream);
	*crl = (struct ca_crl){ 0 };
}

/* --- before ------------------------------------------------------------- */

/* RFC 5280, 4.2.1.3. */
static enum oc_err
check_may_sign(const struct ca_issuer *issuer, struct oc_error *error)
{
	uint32_t usage = issuer->cert.extensions.key_usage;

	if (usage != 0 && (usage & X509_KU_CRL_SIGN) == 0)
		return oc_error_set(error, OC_ERR_REFUSED, "%s: its keyUsage "
		    "has no cRLSign: nobody would believe a CRL",
		    issuer->config->certificate);
	return OC_OK;
}

enum oc_err
ca_crl_find_key(const struct ca_issuer *issuer, struct signer *signer,
    int64_t deadline_ns, struct ca_crl_key *key, struct oc_error *error)
{
	struct sign_key_info *info = calloc(1, sizeof(*info));
	enum oc_err err;

	if (info == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = check_may_sign(issuer, error);
	if (err == OC_OK)
		err = ca_issuer_find_key(issuer, signer, deadline_ns,
		    key->name, info, error);
	if (err == OC_OK)
		key->alg = info->alg;
	free(info);
	return err;
}

enum oc_err
ca_crl_check_partitions(const struct ca_issuer *issuer, struct store *store,
    struct oc_error *error)
{
	uint32_t last;
	enum oc_err err = store_last_crl_partition(store, issuer->store_id,
	    &last);

	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	if (last > issuer->config->crl_partitions)
		return oc_error_set(error, OC_ERR_REFUSED, "issuer %s: "
		    "certificates were issued into CRL partition %u, and "
		    "crl-partitions is %lld: make it %u again; "
		    "crl-partitions-open says how many are for new ones",
		    issuer->config->name, last,
		    (long long)issuer->config->crl_partitions, last);
	return OC_OK;
}

static enum oc_err
partition_url(const char *url, uint32_t partition,
    char text[OC_CRL_URL_MAX + 1], struct oc_error *error)
{
	if (oc_config_partition_url(url, partition, text))
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG,
	    "the URL %.80s... is too long for a CRL in parts", url);
}

enum oc_err
ca_crl_point(const struct ca_issuer *issuer, uint32_t partition,
    char point[OC_CRL_URL_MAX + 1], struct oc_error *error)
{
	const struct oc_config_issuer *config = issuer->config;

	point[0] = '\0';
	if (config->crl_partitions == 0 || config->crl_url == NULL)
		return OC_OK;
	return partition_url(config->crl_url, partition, point, error);
}

/* --- what is on it ------------------------------------------------------ */

/* What is listed, and why it could not be: the store has words of its own for
 * what it fails at. */
struct entries {
	struct x509_crl_stream *stream;
	int64_t this_update;
	enum oc_err err;
};

static enum oc_err
add_entry(void *arg, const struct store_revocation *revoked)
{
	struct entries *entries = arg;
	const struct x509_crl_entry entry = {
		.serial = revoked->serial,
		.revoked_at = revoked->revoked_at,
		.reason = revoked->reason,
		.invalidity_at = revoked->invalidity_at,
	};

	entries->err = x509_crl_stream_put(entries->stream, &entry);
	return entries->err;
}

/* removeFromCRL has no time of its own that anybody reads. */
static enum oc_err
add_released(void *arg, const struct store_revocation *released)
{
	struct entries *entries = arg;
	struct store_revocation r = *released;

	r.revoked_at = entries->this_update;
	return add_entry(entries, &r);
}

/*
 * What expired is left out only after it stood in one list beyond its life
 * (RFC 5280, 3.3): those that ended before the newest list did so, unless they
 * were revoked since; and for a lifetime of lists, for whoever fetches only
 * every other one.
 */
static enum oc_err
list_full(const struct ca_issuer *issuer, struct store *store,
    const struct ca_crl *crl, struct entries *entries)
{
	const struct store_crl_scope scope = { issuer->store_id,
	    crl->partition, STORE_CRL_FULL };
	int64_t lifetime_ago = crl->this_update -
	    issuer->config->crl_lifetime_s;
	struct store_crl newest = { .change_seq = -1 };
	struct store_revoked_filter filter = { issuer->store_id,
	    crl->partition, lifetime_ago, INT64_MAX };
	enum oc_err err;

	err = store_find_list_times(store, &scope, &newest);
	if (err != OC_OK && err != OC_ERR_NOT_FOUND)
		return err;
	/* Without one: 1970. */
	if (newest.this_update < lifetime_ago)
		filter.not_after_min = newest.this_update;
	if (newest.change_seq >= 0)
		filter.after_seq = newest.change_seq;
	return store_list_partition(store, &filter, add_entry, entries);
}

/*
 * Whatever has changed since the base, expired or not: what stood in a delta
 * first stays there until a full list has it (RFC 5280, 5.2.4).
 */
static enum oc_err
list_delta(const struct ca_issuer *issuer, struct store *store,
    const struct ca_crl *crl, int64_t after_seq, struct entries *entries)
{
	const struct store_revoked_filter filter = { issuer->store_id,
	    crl->partition, INT64_MAX, after_seq };
	enum oc_err err;

	err = store_list_partition(store, &filter, add_entry, entries);
	return err != OC_OK ? err : store_list_released(store, &filter,
	    add_released, entries);
}

/* --- its number --------------------------------------------------------- */

/* One transaction, of one scope. */
struct reserving {
	const struct ca_issuer *issuer;
	struct store *store;
	uint32_t partition;
	int64_t now;
	char point[OC_CRL_URL_MAX + 1];
	struct store_crl full;		/* id 0: not made now */
	struct entries entries;
};

static enum oc_err
reserve_one(struct reserving *r, const struct store_crl *base,
    struct ca_crl_draft *draft)
{
	const struct oc_config_issuer *config = r->issuer->config;
	struct store_crl_reservation order = {
		.scope = { r->issuer->store_id, r->partition,
		    base == NULL ? STORE_CRL_FULL : STORE_CRL_DELTA },
		.number = r->full.number,
		.base_number = base == NULL ? 0 : base->number,
		.this_update = r->now,
		.next_update = r->now + (base == NULL ?
		    config->crl_lifetime_s : config->crl_delta_lifetime_s),
		.point = r->point,
	};
	struct ca_crl *crl = &draft->crl;
	struct store_crl row;
	enum oc_err err;

	err = store_reserve_list(r->store, &order, &row);
	if (err != OC_OK)
		return err;
	draft->id = row.id;
	crl->partition = r->partition;
	crl->number = row.number;
	crl->base_number = row.base_number;
	crl->this_update = row.this_update;
	crl->next_update = row.next_update;
	err = r->entries.err = x509_crl_stream_new(&crl->stream);
	if (err != OC_OK)
		return err;
	r->entries.stream = crl->stream;
	r->entries.this_update = row.this_update;
	if (base != NULL)
		return list_delta(r->issuer, r->store, crl, base->change_seq,
		    &r->entries);
	r->full = row;
	return list_full(r->issuer, r->store, crl, &r->entries);
}

/* The oldest that somebody may still hold: then whoever holds any may go on
 * with the delta alone.  Of the first list that is itself. */
static enum oc_err
find_base(const struct reserving *r, struct store_crl *base)
{
	const struct store_crl_scope scope = { r->issuer->store_id,
	    r->partition, STORE_CRL_FULL };
	enum oc_err err = store_find_list_base(r->store, &scope, r->point,
	    r->now, base);

	if (err == OC_ERR_NOT_FOUND && r->full.id != 0) {
		*base = r->full;
		return OC_OK;
	}
	return err;
}

/* Inside a group. */
static enum oc_err
reserve_all(struct reserving *r, struct ca_crl_choice *choice,
    struct ca_crl_draft drafts[2], uint32_t *num)
{
	unsigned int kinds = 0;
	struct store_crl base;
	enum oc_err err = choice->choose(choice->arg, r->store, r->partition,
	    r->point, &kinds);

	*num = 0;
	r->now = oc_clock_now_s();
	if (err == OC_OK && (kinds & CA_CRL_FULL) != 0)
		err = reserve_one(r, NULL, &drafts[(*num)++]);
	if (err != OC_OK || (kinds & CA_CRL_DELTA) == 0)
		return err;
	err = find_base(r, &base);
	return err == OC_OK ? reserve_one(r, &base, &drafts[(*num)++]) : err;
}

/*
 * Number and entries in one transaction, so that a list with a higher number
 * says all that one with a lower says, whoever else revokes and signs.  Once
 * reserved a number is never used twice, whatever happens then.
 */
static enum oc_err
reserve(struct reserving *r, struct ca_crl_choice *choice,
    struct ca_crl_draft drafts[2], uint32_t *num, struct oc_error *error)
{
	enum oc_err err = store_begin_group(r->store);

	if (err == OC_OK) {
		err = reserve_all(r, choice, drafts, num);
		if (err == OC_OK && *num > 0)
			err = store_commit_group(r->store);
		else
			store_abandon_group(r->store);
	}
	if (err == OC_OK && *num > 0)
		choice->number = drafts[0].crl.number;
	/* The entries' own failures are not the store's. */
	if (err != OC_OK)
		return oc_error_set(error, err, "what is revoked cannot be "
		    "listed: %s", r->entries.err != OC_OK ?
		    oc_strerror(r->entries.err) : store_error(r->store));
	return OC_OK;
}

/* --- what stands around its entries ------------------------------------- */

static struct der_bytes
bytes_of(const char *text)
{
	return (struct der_bytes){ (const uint8_t *)text, strlen(text) };
}

/* Its URLs are borrowed: of draft, point and freshest. */
static void
plan_list(const struct ca_issuer *issuer, const struct ca_crl_key *key,
    const struct ca_crl *crl, const char *point, const char *freshest,
    struct x509_crl_tbs *plan)
{
	*plan = (struct x509_crl_tbs){
		.alg = key->alg,
		.issuer = issuer->cert.subject,
		.this_update = crl->this_update,
		.next_update = crl->next_update,
		.authority_key_id = { issuer->key_id, issuer->key_id_len },
		.number = crl->number,
		.base_number = crl->base_number,
	};
	if (point[0] != '\0') {
		plan->points[0] = bytes_of(point);
		plan->num_points = 1;
		/* Those of CAs are in the list without partition. */
		plan->has_only_user_certs = crl->partition != 0;
	}
	if (crl->base_number == 0)
		plan->freshest_url = bytes_of(freshest);
}

/* The list is finished, but not signed. */
static enum oc_err
end_list(const struct ca_issuer *issuer, const struct ca_crl_key *key,
    const char *point, struct ca_crl_draft *draft, struct oc_error *error)
{
	const struct oc_config_issuer *config = issuer->config;
	struct ca_crl *crl = &draft->crl;
	char freshest[OC_CRL_URL_MAX + 1] = "";
	struct x509_crl_tbs plan;
	enum oc_err err = OC_OK;

	if (config->crl_delta_url != NULL)
		err = partition_url(config->crl_delta_url, crl->partition,
		    freshest, error);
	if (err == OC_OK && crl->base_number != 0)
		memcpy(crl->url, freshest, sizeof(crl->url));
	else if (err == OC_OK && config->crl_url != NULL)
		err = partition_url(config->crl_url, crl->partition, crl->url,
		    error);
	if (err != OC_OK)
		return err;
	if ((config->freshest_crl & OC_FRESHEST_CRL) == 0)
		freshest[0] = '\0';
	plan_list(issuer, key, crl, point, freshest, &plan);
	err = ca_lint_list(issuer, &plan, point, error);
	if (err != OC_OK)
		return err;
	crl->num_entries = x509_crl_stream_num(crl->stream);
	err = x509_crl_stream_end(crl->stream, &plan);
	if (err != OC_OK)
		return oc_error_set(error, err, "the list cannot be written: "
		    "%s", oc_strerror(err));
	return OC_OK;
}

enum oc_err
ca_crl_reserve(const struct ca_issuer *issuer, struct store *store,
    const struct ca_crl_key *key, uint32_t partition,
    struct ca_crl_choice *choice, struct ca_crl_draft drafts[2],
    uint32_t *num, struct oc_error *error)
{
	struct reserving r = { .issuer = issuer, .store = store,
	    .partition = partition };
	uint32_t num_made = 0, i;
	enum oc_err err = ca_crl_point(issuer, partition, r.point, error);

	oc_assert(issuer->store_id != 0);
	if (err == OC_OK)
		err = reserve(&r, choice, drafts, &num_made, error);
	for (i = 0; err == OC_OK && i < num_made; i++)
		err = end_list(issuer, key, r.point, &drafts[i], error);
	if (err == OC_OK) {
		*num = num_made;
		return OC_OK;
	}
	for (i = 0; i < num_made; i++)
		ca_crl_fini(&drafts[i].crl);
	return err;
}

/* --- its signature ------------------------------------------------------ */

/* CertificateList ::= SEQUENCE { tbsCertList, algorithm, signature } */
enum oc_err
ca_crl_sign(struct signer *signer, const struct ca_crl_key *key,
    int64_t deadline_ns, struct ca_crl_draft *draft, struct oc_error *error)
{
	struct x509_crl_stream *stream = draft->crl.stream;
	struct sign_job *job = calloc(1, sizeof(*job));
	struct der_bytes list;
	enum oc_err err;

	if (job == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	job->key = key->name;
	job->kind = SIGN_KIND_CRL;
	job->lane = SIGN_LANE_CRL;
	job->alg = key->alg;
	job->tbs = x509_crl_stream_tbs(stream);
	job->has_memfd = true;
	job->memfd = x509_crl_stream_fd(stream);
	job->deadline_ns = deadline_ns;
	err = sign_now(signer, job, error);
	if (err == OC_OK) {
		err = x509_crl_stream_sign(stream, job->signed_alg,
		    (struct der_bytes){ job->signature, job->signature_len },
		    &list);
		if (err != OC_OK)
			oc_error_set(error, err, "%s", oc_strerror(err));
	}
	free(job);
	if (err != OC_OK)
		return err;
	draft->crl.der = list.p;
	draft->crl.der_len = list.len;
	return OC_OK;
}

enum oc_err
ca_crl_record(struct store *store, const struct ca_crl_draft *drafts,
    uint32_t num, struct oc_error *error)
{
	enum oc_err err = store_begin_group(store);

	if (err != OC_OK)
		return oc_error_set(error, err, "%s", store_error(store));
	for (uint32_t i = 0; err == OC_OK && i < num; i++) {
		const struct ca_crl *crl = &drafts[i].crl;

		err = store_issue_list(store, drafts[i].id,
		    (struct store_blob){ crl->der, crl->der_len },
		    crl->num_entries);
	}
	if (err == OC_OK)
		err = store_commit_group(store);
	else
		store_abandon_group(store);
	return err == OC_OK ? OC_OK :
	    oc_error_set(error, err, "%s", store_error(store));
}

static enum oc_err
choose_full(void *arg, struct store *store, uint32_t partition,
    const char *point, unsigned int *kinds)
{
	(void)arg;
	(void)store;
	(void)partition;
	(void)point;
	*kinds = CA_CRL_FULL;
	return OC_OK;
}

enum oc_err
ca_crl_create(struct ca_issuer *issuer, struct store *store,
    struct signer *signer, int64_t deadline_ns, struct ca_crl *out,
    struct oc_error *error)
{
	struct ca_crl_draft drafts[2] = { { .id = 0 } };
	struct ca_crl_choice choice = { .choose = choose_full };
	struct ca_crl_key key;
	uint32_t num;
	enum oc_err err;

	oc_assert(issuer->store_id != 0);
	err = ca_crl_find_key(issuer, signer, deadline_ns, &key, error);
	if (err == OC_OK)
		err = ca_crl_check_partitions(issuer, store, error);
	if (err == OC_OK)
		err = ca_crl_reserve(issuer, store, &key, 0, &choice, drafts,
		    &num, error);
	if (err == OC_OK)
		err = ca_crl_sign(signer, &key, deadline_ns, &drafts[0],
		    error);
	if (err == OC_OK)
		err = ca_crl_record(store, drafts, 1, error);
	if (err != OC_OK) {
		ca_crl_fini(&drafts[0].crl);
		return err;
	}
	*out = drafts[0].crl;
	return OC_OK;
}
