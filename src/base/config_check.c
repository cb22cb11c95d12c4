/* SPDX-License-Identifier: Apache-2.0 */
/* What one section says of another, and one key of the next: all sections
 * have been read by then. */
#include "base/config_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_table.h"
#include "base/conninfo.h"
#include "base/file.h"

/* The line of a key, or of the section when it has no such key. */
static int
line_of(const struct oc_conf_section *s, const char *key)
{
	for (size_t i = 0; i < s->num_keys; i++)
		if (strcmp(s->keys[i].key, key) == 0)
			return s->keys[i].line;
	return s->line;
}

static void
check_token_name(struct oc_config_loader *l, const char *key, const char *name)
{
	struct oc_config_nearest n = { .wrong = name };
	char text[320];

	if (oc_config_find_token(l->config, name) != NULL)
		return;
	for (size_t i = 0; i < l->config->num_tokens; i++)
		oc_config_nearest_try(&n, l->config->tokens[i].name);
	if (n.word != NULL)
		snprintf(text, sizeof(text), "there is no [token %.64s]; did "
		    "you mean %.64s?", name, n.word);
	else
		snprintf(text, sizeof(text), "there is no [token %.64s]; add "
		    "that section", name);
	oc_config_complain(l, key, line_of(l->section, key), text);
}

static void
check_token_names(struct oc_config_loader *l, const char *key,
    const struct oc_words *names)
{
	for (size_t i = 0; i < names->num; i++)
		check_token_name(l, key, names->words[i]);
}

/* Two issuers with one certificate would both claim every request. */
static void
check_certificate_is_unique(struct oc_config_loader *l,
    const struct oc_config_issuer *is)
{
	char text[160];

	for (size_t i = 0; i < l->config->num_issuers; i++) {
		const struct oc_config_issuer *other = &l->config->issuers[i];

		if (other == is)
			return;
		if (other->certificate == NULL || is->certificate == NULL ||
		    strcmp(other->certificate, is->certificate) != 0)
			continue;
		snprintf(text, sizeof(text), "is that of [issuer %.64s] too; "
		    "each issuer has its own", other->name);
		oc_config_complain(l, "certificate", line_of(l->section,
		    "certificate"), text);
	}
}

/* Where every answer is signed live. */
static void
check_budget(struct oc_config_loader *l, const char *key)
{
	if (l->config->responder.nonce_budget == 0)
		oc_config_complain(l, key, line_of(l->section, key),
		    "nothing would be answered with nonce-budget = 0 in "
		    "[responder]; raise that");
}

/* A key that says nothing without the other. */
static void
complain_alone(struct oc_config_loader *l, const char *key, const char *other)
{
	char text[160];

	snprintf(text, sizeof(text), "is given without %s; add that or "
	    "remove this", other);
	oc_config_complain(l, key, line_of(l->section, key), text);
}

static void
check_where_signed(struct oc_config_loader *l, struct oc_config_issuer *issuer)
{
	const char *key, *at, *what;

	for (size_t n = 0; (key = oc_config_wrong_key(issuer, &n, &at,
	    &what)) != NULL; )
		oc_config_complain(l, key, line_of(l->section, at), what);
	for (size_t n = 0; (key = oc_config_wrong_source(issuer, &n, &at,
	    &what)) != NULL; )
		oc_config_complain(l, key, line_of(l->section, at), what);
	for (size_t n = 0; (key = oc_config_wrong_publish(issuer, &n, &at,
	    &what)) != NULL; )
		oc_config_complain(l, key, line_of(l->section, at), what);
	if (issuer->responses != NULL) {
		issuer->allow = OC_ALLOW_OCSP;
		issuer->nonce = OC_NONCE_IGNORE;
	} else if (issuer->source != OC_SOURCE_STORE)
		issuer->allow = OC_ALLOW_OCSP;
}

/* What ocsign-status keeps there of the last good one may have its name: then
 * a restart would believe whatever was put there. */
static void
check_elsewhere(struct oc_config_loader *l, const char *key, const char *path)
{
	const char *directory = l->config->daemon.table_directory;
	size_t len = directory == NULL ? 0 : strlen(directory);

	if (len == 0 || path == NULL || strncmp(path, directory, len) != 0 ||
	    path[len] != '/' || strchr(path + len + 1, '/') != NULL)
		return;
	oc_config_complain(l, key, line_of(l->section, key),
	    "is in table-directory, where ocsign-status puts files of its "
	    "own; choose another folder");
}

/* Where it would say nothing. */
static void
check_source(struct oc_config_loader *l,
    const struct oc_config_issuer *issuer)
{
	bool has_age = line_of(l->section, "source-max-age") !=
	    l->section->line;

	if (issuer->crl_fetch.num == 0)
		check_elsewhere(l, "crl-file", issuer->crl_file);
	if (issuer->crl_delta_fetch.num == 0)
		check_elsewhere(l, "crl-delta-file", issuer->crl_delta_file);
	check_elsewhere(l, "index-file", issuer->index_file);
	check_elsewhere(l, "certdb-file", issuer->certdb_file);
	if (has_age && issuer->source != OC_SOURCE_INDEX &&
	    issuer->source != OC_SOURCE_CERTDB)
		oc_config_complain(l, "source-max-age",
		    line_of(l->section, "source-max-age"),
		    "is given without source = index or certdb; remove it");
}

static void
place_in(struct oc_config_loader *l, const char *suffix,
    const struct oc_config_issuer *issuer, char **path)
{
	if (asprintf(path, "%s/%s%s", l->config->daemon.fetch_directory,
	    issuer->name, suffix) < 0) {
		*path = NULL;
		l->is_nomem = true;
	}
}

/* One file for what is fetched: who else could write it is not to be. */
static void
place_fetched(struct oc_config_loader *l, struct oc_config_issuer *issuer)
{
	static const char *const with_it[] = { "crl-fetch-interval",
	    "crl-fetch-timeout", "crl-fetch-ca", "crl-fetch-proxy" };
	const struct oc_config_daemon *d = &l->config->daemon;

	for (size_t i = 0; i < sizeof(with_it) / sizeof(with_it[0]); i++)
		if (issuer->crl_fetch.num == 0 && line_of(l->section,
		    with_it[i]) != l->section->line)
			complain_alone(l, with_it[i], "crl-fetch");
	if (issuer->crl_fetch.num == 0 || issuer->crl_file != NULL ||
	    d->fetch_directory == NULL || d->table_directory == NULL)
		return;
	place_in(l, ".crl", issuer, &issuer->crl_file);
	if (issuer->crl_delta_fetch.num > 0 && issuer->crl_delta_file == NULL)
		place_in(l, ".crl-delta", issuer, &issuer->crl_delta_file);
	if (strcmp(d->fetch_directory, d->table_directory) == 0)
		oc_config_complain(l, "crl-fetch", line_of(l->section,
		    "crl-fetch"), "puts files into fetch-directory, and that "
		    "is table-directory, where ocsign-status puts files of "
		    "its own; choose another folder");
}

/* "yes" and "no" are about all addresses. */
static void
check_network(struct oc_config_loader *l, const char *key,
    const struct oc_words *network)
{
	for (size_t i = 0; network->num > 1 && i < network->num; i++)
		if (strcmp(network->words[i], "yes") == 0 ||
		    strcmp(network->words[i], "no") == 0)
			oc_config_complain(l, key, line_of(l->section, key),
			    "is yes, no, or addresses; remove one of them");
}

/* Where the password comes from goes with the database. */
static void
join_password(struct oc_config_loader *l, const char *source, char **database)
{
	char *joined;

	if (source == NULL || *database == NULL)
		return;
	joined = oc_conninfo_join(source, *database);
	if (joined == NULL) {
		l->is_nomem = true;
		return;
	}
	free(*database);
	*database = joined;
}

/* crl_partitions_open is known from here on. */
static void
check_crl(struct oc_config_loader *l, struct oc_config_issuer *issuer)
{
	const char *key, *at, *what;

	for (size_t n = 0; (key = oc_config_wrong_crl(issuer, &n, &at,
	    &what)) != NULL; )
		oc_config_complain(l, key, line_of(l->section, at), what);
	if (issuer->crl_partitions_open == OC_CONFIG_UNSET)
		issuer->crl_partitions_open = issuer->crl_partitions;
}

static void
check_issuer(struct oc_config_loader *l, struct oc_config_issuer *issuer)
{
	bool is_delegated = issuer->ocsp_certificate != NULL;

	check_token_names(l, "token", &issuer->tokens);
	check_token_names(l, "ocsp-token", &issuer->ocsp_tokens);
	check_certificate_is_unique(l, issuer);
	check_where_signed(l, issuer);
	place_fetched(l, issuer);
	check_source(l, issuer);
	check_network(l, "certdb-network", &issuer->certdb_network);
	join_password(l, issuer->certdb_password_source,
	    &issuer->certdb_database);
	check_crl(l, issuer);
	if (issuer->responses != NULL)
		return;
	if (is_delegated && issuer->ocsp_key == NULL)
		oc_config_complain(l, "ocsp-key", l->section->line,
		    "is missing; ocsp-certificate needs it");
	if (!is_delegated && issuer->ocsp_key != NULL)
		complain_alone(l, "ocsp-key", "ocsp-certificate");
	if (!is_delegated && issuer->ocsp_tokens.num > 0)
		complain_alone(l, "ocsp-token", "ocsp-certificate");
	if (issuer->ocsp_backdate_s >= issuer->ocsp_lifetime_s &&
	    issuer->ocsp_lifetime_s > 0)
		oc_config_complain(l, "ocsp-backdate",
		    line_of(l->section, "ocsp-backdate"),
		    "is not shorter than ocsp-lifetime; make it so");
	if (issuer->nonce == OC_NONCE_REQUIRE)
		check_budget(l, "nonce");
	if (issuer->presign == OC_PRESIGN_NONE)
		check_budget(l, "presign");
	if (issuer->unlisted == OC_UNLISTED_GOOD && issuer->issued == NULL)
		check_budget(l, "unlisted");
}

static bool
is_builtin_profile(const char *name)
{
	const char *const *p = oc_config_builtin_profiles;

	while (*p != NULL && strcmp(*p, name) != 0)
		p++;
	return *p != NULL;
}

static void
check_based_on(struct oc_config_loader *l,
    const struct oc_config_profile *profile)
{
	const struct oc_config_profile *p = profile;
	int line = line_of(l->section, "based-on");
	struct oc_config_nearest n = { .wrong = profile->based_on };
	char text[320];

	/* A loop is as long as there are profiles, at most. */
	for (size_t i = 0; i <= l->config->num_profiles; i++) {
		const char *base = p->based_on;

		if (base == NULL || is_builtin_profile(base))
			return;
		p = oc_config_find_profile(l->config, base);
		if (p == NULL && i > 0)
			return;		/* reported where it stands */
		if (p == NULL)
			break;
	}
	if (p != NULL) {
		oc_config_complain(l, "based-on", line, "leads back to this "
		    "profile or into a loop; end at a built-in one");
		return;
	}
	for (size_t i = 0; oc_config_builtin_profiles[i] != NULL; i++)
		oc_config_nearest_try(&n, oc_config_builtin_profiles[i]);
	for (size_t i = 0; i < l->config->num_profiles; i++)
		oc_config_nearest_try(&n, l->config->profiles[i].name);
	if (n.word != NULL)
		snprintf(text, sizeof(text), "there is no profile \"%.64s\"; "
		    "did you mean %.64s?", profile->based_on, n.word);
	else
		snprintf(text, sizeof(text), "there is no profile \"%.64s\"; "
		    "the built-in ones are server, client, ocsp-signer, "
		    "intermediate, origin-rsa and origin-ecc",
		    profile->based_on);
	oc_config_complain(l, "based-on", line, text);
}

/* Who may use a profile. */
static void
check_issuer_name(struct oc_config_loader *l, const char *name)
{
	struct oc_config_nearest n = { .wrong = name };
	char text[320];

	if (oc_config_find_issuer(l->config, name) != NULL)
		return;
	for (size_t i = 0; i < l->config->num_issuers; i++)
		oc_config_nearest_try(&n, l->config->issuers[i].name);
	if (n.word != NULL)
		snprintf(text, sizeof(text), "there is no [issuer %.64s]; "
		    "did you mean %.64s?", name, n.word);
	else
		snprintf(text, sizeof(text), "there is no [issuer %.64s]; "
		    "add that section, or remove the name", name);
	oc_config_complain(l, "issuers", line_of(l->section, "issuers"), text);
}

static void
check_profile(struct oc_config_loader *l,
    const struct oc_config_profile *profile)
{
	if (is_builtin_profile(profile->name))
		oc_config_complain(l, NULL, l->section->line, "this name is a "
		    "built-in profile's; choose another");
	check_based_on(l, profile);
	for (size_t i = 0; i < profile->issuers.num; i++)
		check_issuer_name(l, profile->issuers.words[i]);
	if (profile->subject == OC_SUBJECT_FIXED &&
	    profile->subject_name == NULL)
		oc_config_complain(l, "subject-name", l->section->line,
		    "is missing; subject = fixed needs it");
	if (profile->subject != OC_SUBJECT_FIXED &&
	    profile->subject_name != NULL)
		complain_alone(l, "subject-name", "subject = fixed");
}

static void
check_api_issuer(struct oc_config_loader *l, const char *key, const char *name)
{
	char text[160];

	if (name == NULL || oc_config_find_issuer(l->config, name) != NULL)
		return;
	snprintf(text, sizeof(text), "there is no [issuer %.64s]; add that "
	    "section", name);
	oc_config_complain(l, key, line_of(l->section, key), text);
}

static bool
is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 ||
	    strncmp(address, "[::1]:", 6) == 0;
}

/* Whoever reads the wire reads tokens and certificates' keys. */
static void
check_api_listen(struct oc_config_loader *l, const struct oc_config_api *api)
{
	char text[200];

	if (api->tls_certificate != NULL ||
	    api->allow_plain == OC_SWITCH_YES)
		return;
	for (size_t i = 0; i < api->listen.num; i++) {
		if (is_loopback(api->listen.words[i]))
			continue;
		snprintf(text, sizeof(text), "%.64s is not a loopback "
		    "address and there is no tls-certificate; add one, or "
		    "allow-plain = yes if a proxy before it does TLS",
		    api->listen.words[i]);
		oc_config_complain(l, "listen", line_of(l->section, "listen"),
		    text);
	}
}

static void
check_api(struct oc_config_loader *l, const struct oc_config_api *api)
{
	if (api->listen.num == 0)
		oc_config_complain(l, "listen", l->section->line,
		    "is missing; add it");
	if ((api->tls_certificate == NULL) != (api->tls_key == NULL))
		oc_config_complain(l, api->tls_key == NULL ? "tls-key" :
		    "tls-certificate", l->section->line, "is missing; "
		    "tls-certificate and tls-key go together");
	check_api_listen(l, api);
	if (api->issuers.num == 0 && api->origin_rsa == NULL &&
	    api->origin_ecc == NULL)
		oc_config_complain(l, "issuers", l->section->line, "is "
		    "missing, and origin-rsa and origin-ecc too: nobody would "
		    "issue; add one");
	for (size_t i = 0; i < api->issuers.num; i++)
		check_api_issuer(l, "issuers", api->issuers.words[i]);
	check_api_issuer(l, "origin-rsa", api->origin_rsa);
	check_api_issuer(l, "origin-ecc", api->origin_ecc);
	for (size_t i = 0; i < api->profiles.num; i++) {
		const char *name = api->profiles.words[i];
		char text[160];

		if (is_builtin_profile(name) ||
		    oc_config_find_profile(l->config, name) != NULL)
			continue;
		snprintf(text, sizeof(text), "there is no profile \"%.64s\"; "
		    "add a [profile %.40s]", name, name);
		oc_config_complain(l, "profiles", line_of(l->section,
		    "profiles"), text);
	}
}

/* Names of issuers, how many certificates: not for everybody. */
static void
check_metrics(struct oc_config_loader *l,
    const struct oc_config_metrics *metrics)
{
	char text[200];

	if (metrics->listen.num == 0)
		oc_config_complain(l, "listen", l->section->line,
		    "is missing; add it");
	for (size_t i = 0; i < metrics->listen.num &&
	    metrics->allow_remote != OC_SWITCH_YES; i++) {
		if (is_loopback(metrics->listen.words[i]))
			continue;
		snprintf(text, sizeof(text), "%.64s is not a loopback "
		    "address; listen on one, or add allow-remote = yes",
		    metrics->listen.words[i]);
		oc_config_complain(l, "listen", line_of(l->section, "listen"),
		    text);
	}
}

/* With what else the signer writes. */
static void
place_signing_journal(struct oc_config_loader *l)
{
	struct oc_config_store *store = &l->config->store;

	if (store->signing_journal == NULL &&
	    l->config->daemon.signer_directory != NULL &&
	    oc_path_join(l->config->daemon.signer_directory,
	    "signing-journal", &store->signing_journal) != OC_OK)
		l->is_nomem = true;
}

static void
check_validation(struct oc_config_loader *l)
{
	const struct oc_config_validation *v = &l->config->validation;
	const char *key, *at, *what;

	for (size_t n = 0; (key = oc_config_wrong_validation(v, &n, &at,
	    &what)) != NULL; )
		oc_config_complain(l, key, line_of(l->section, at), what);
}

#define NUM_USERS 6
/* Half of them separated would be what nobody meant, and two of them one user
 * is not separated. */
static void
check_users(struct oc_config_loader *l)
{
	static const char *const keys[NUM_USERS] = { "signer-user",
	    "status-user", "responder-user", "issuer-user", "fetcher-user",
	    "validator-user" };
	const struct oc_config_daemon *d = &l->config->daemon;
	const char *const users[NUM_USERS] = { d->signer_user,
	    d->status_user, d->responder_user, d->issuer_user,
	    d->fetcher_user, d->validator_user };
	const bool are_needed[NUM_USERS] = { true, true, true,
	    oc_config_has_issuer(l->config), oc_config_fetches(l->config),
	    oc_config_validates(l->config) };
	size_t num = 0;
	char text[160];

	for (size_t i = 0; i < NUM_USERS; i++)
		num += users[i] != NULL;
	if (num == 0) {
		if (d->operators.num > 0)
			complain_alone(l, "operators", keys[0]);
		return;
	}
	for (size_t i = 0; i < NUM_USERS; i++)
		if (users[i] == NULL && are_needed[i])
			oc_config_complain(l, keys[i], l->section->line,
			    "is missing; each role has a user of its own, or "
			    "none has");
	for (size_t i = 0; i < NUM_USERS; i++)
		for (size_t n = 0; n < i; n++) {
			if (users[i] == NULL || users[n] == NULL ||
			    strcmp(users[i], users[n]) != 0)
				continue;
			snprintf(text, sizeof(text), "is %s's, too; each "
			    "role has a user of its own", keys[n]);
			oc_config_complain(l, keys[i],
			    line_of(l->section, keys[i]), text);
		}
}

static void
check_store(struct oc_config_loader *l, struct oc_config_store *store)
{
	check_network(l, "database-network", &store->database_network);
	if (store->password_source != NULL && store->database == NULL)
		complain_alone(l, "password-source", "database");
	join_password(l, store->password_source, &store->database);
}

void
oc_config_cross_check(struct oc_config_loader *l)
{
	const struct oc_conf *conf = l->config->conf;
	size_t num_issuers = 0, num_profiles = 0, num_tokens = 0;

	place_signing_journal(l);
	for (size_t i = 0; i < l->config->num_issuers; i++)
		oc_config_complete_publish(&l->config->issuers[i]);

	/* Items are in the order of the sections. */
	for (size_t i = 0; i < conf->num_sections; i++) {
		l->section = &conf->sections[i];
		if (strcmp(l->section->type, "api") == 0)
			check_api(l, &l->config->api);
		if (strcmp(l->section->type, "daemon") == 0)
			check_users(l);
		if (strcmp(l->section->type, "store") == 0)
			check_store(l, &l->config->store);
		if (strcmp(l->section->type, "metrics") == 0)
			check_metrics(l, &l->config->metrics);
		if (strcmp(l->section->type, "validation") == 0)
			check_validation(l);
		if (l->section->name == NULL)
			continue;
		if (strcmp(l->section->type, "issuer") == 0)
			check_issuer(l, &l->config->issuers[num_issuers++]);
		if (strcmp(l->section->type, "profile") == 0)
			check_profile(l, &l->config->profiles[num_profiles++]);
		if (strcmp(l->section->type, "token") == 0)
			check_network(l, "network",
			    &l->config->tokens[num_tokens++].network);
	}
}
