/* SPDX-License-Identifier: Apache-2.0 */
/* What "ocsignd -t" checks beyond what the configuration's reader does. */
#include "daemon/check_main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/value.h"
#include "ca/blocklist.h"
#include "ca/cfssl_config.h"
#include "ca/profile.h"
#include "daemon/check_validation.h"
#include "daemon/databases.h"
#include "daemon/users.h"
#include "der/time.h"
#include "lint/lint.h"
#include "net/tls.h"
#include "pkcs11/uri.h"
#include "status/identity.h"
#include "status/index_txt.h"
#include "x509/cert.h"
#include "x509/file.h"
#include "x509/spki.h"
#include "x509/trust.h"

/* The signer's listeners are 3 and 4. */
#define PIN_FD_MIN 5
/* Among how many CAs a key is looked for. */
#define KEYS_MAX 256
/* Of an OCSP response, by the Baseline Requirements. */
#define OCSP_SHORTEST_S (INT64_C(8) * 3600)
#define OCSP_LONGEST_S (INT64_C(10) * 86400)

struct checker {
	enum daemon_check_how how;
	void (*print)(const char *line);
	size_t num_errors;
	struct ca_blocklist *blocklist;	/* NULL: none, or a bad one */
	struct {
		uint8_t hash[32];	/* of the public key */
		const char *issuer;	/* its section */
	} keys[KEYS_MAX];
	size_t num_keys;
	struct ca_cfssl_config *cfssl;	/* NULL: none, or a bad one */
};

/* "FILE:LINE: [issuer NAME] key: what". */
static void
report(struct checker *c, const char *file, int line, const char *section,
    const char *name, const char *key, const char *what)
{
	char text[2 * OC_ERROR_TEXT_MAX];

	snprintf(text, sizeof(text), "%s:%d: [%s %s] %s: %s", file, line,
	    section, name, key, what);
	c->print(text);
	c->num_errors++;
}

static void
report_issuer(struct checker *c, const struct oc_config_issuer *issuer,
    const char *key, const char *what)
{
	report(c, issuer->file, issuer->line, "issuer", issuer->name, key,
	    what);
}

static void
report_token(struct checker *c, const struct oc_config_token *token,
    const char *key, const char *what)
{
	report(c, token->file, token->line, "token", token->name, key, what);
}

/* In the section that the signer is of. */
static void
report_signer(struct checker *c, const struct oc_config_ocsp *ocsp,
    const char *key, const char *what)
{
	char own_key[32];

	if (ocsp->signer != NULL) {
		report(c, ocsp->file, ocsp->line, "ocsp-signer",
		    ocsp->signer, key, what);
		return;
	}
	snprintf(own_key, sizeof(own_key), "%s%s",
	    ocsp->certificate != NULL ? "ocsp-" : "", key);
	report_issuer(c, ocsp->issuer, own_key, what);
}

static void
warn_signer(struct checker *c, const struct oc_config_ocsp *ocsp,
    const char *what)
{
	char text[OC_ERROR_TEXT_MAX + 16];

	snprintf(text, sizeof(text), "warning: %s", what);
	report_signer(c, ocsp, "certificate", text);
	c->num_errors--;
}

/* When a configuration was last taken. */
static int64_t taken_at;

/* Refused, it would be no less in use. */
static bool
is_in_use(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_ctim.tv_sec <= taken_at;
}

/* Who only starts again goes on serving for the others; nor do those wait
 * with what they have renewed until somebody looks after this one. */
static void
check_times(struct checker *c, const struct oc_config_ocsp *ocsp,
    const struct x509_cert *cert)
{
	int64_t now = oc_clock_now_s();
	char text[OC_ERROR_TEXT_MAX], at[DER_ISO8601_MAX];

	if (now >= cert->not_before && now <= cert->not_after)
		return;
	der_format_iso8601(now < cert->not_before ? cert->not_before :
	    cert->not_after, at);
	snprintf(text, sizeof(text), "%.200s: %s at %s: nothing can be signed "
	    "under it", ocsp->certificate, now < cert->not_before ?
	    "begins only" : "has expired,", at);
	if (c->how == DAEMON_CHECK_TO_START ||
	    (c->how == DAEMON_CHECK_TO_RELOAD && is_in_use(ocsp->certificate)))
		warn_signer(c, ocsp, text);
	else
		report_signer(c, ocsp, "certificate", text);
}

/* What clients put up with, or some of them. */
static void
lint_signer(struct checker *c, const struct oc_config_ocsp *ocsp,
    struct der_bytes der)
{
	const struct lint_input input = {
		.der = der,
		.kind = LINT_OCSP_SIGNER,
		.audience = LINT_PRIVATE,
	};
	struct lint_report found;
	char text[OC_ERROR_TEXT_MAX];

	lint_certificate(&input, &found, NULL);
	for (uint32_t i = 0; i < found.num_findings; i++) {
		const struct lint_finding *f = &found.findings[i];

		if (f->severity == LINT_NOTICE)
			continue;
		snprintf(text, sizeof(text), "%s (%s): %s", f->rule->name,
		    f->rule->citation, f->rule->about);
		warn_signer(c, ocsp, text);
	}
}

static void
check_delegate(struct checker *c, const struct oc_config_ocsp *ocsp)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct der_bytes der = { NULL, 0 };
	struct oc_error ignored = { 0 };
	uint8_t *octets = NULL;

	/* That it can be read is known by now. */
	if (cert != NULL && x509_file_read(ocsp->certificate,
	    X509_FILE_CERTIFICATE, &octets, &der.len, &ignored) == OC_OK) {
		der.p = octets;
		if (x509_cert_read(der, cert, NULL) == OC_OK)
			check_times(c, ocsp, cert);
		/* Once for each, not at every reload. */
		if (c->how == DAEMON_CHECK_ALL ||
		    !is_in_use(ocsp->certificate))
			lint_signer(c, ocsp, der);
	}
	free(octets);
	free(cert);
}

/*
 * What ocsign-status makes of the issuer's and a delegated signer's
 * certificate, before a reload has ended those that run.  One that is not
 * there yet is no error: first comes the configuration, then "ocsign ca
 * create" and "ocsign cert issue".
 */
static void
check_ocsp(struct checker *c, const struct oc_config_ocsp *ocsp)
{
	const char *own = ocsp->certificate;
	struct ocsp_identity *identity;
	struct oc_error error = { 0 };
	enum oc_err err;

	if (access(own != NULL ? own : ocsp->issuer->certificate, F_OK) !=
	    0 || access(ocsp->issuer->certificate, F_OK) != 0 ||
	    (own == NULL && (ocsp->issuer->allow & OC_ALLOW_OCSP) == 0))
		return;
	err = status_identity_load(ocsp, &identity, &error);
	if (err != OC_OK) {
		report_signer(c, ocsp, "certificate", error.text);
		return;
	}
	free(identity);
	if (own != NULL)
		check_delegate(c, ocsp);
}

/* Without it ocsign-status would not start. */
static void
check_requestors(struct checker *c, const struct oc_config_issuer *issuer)
{
	struct x509_trust *trust = NULL;
	struct oc_error error = { 0 };

	if (issuer->requestor_ca != NULL && x509_trust_load(
	    issuer->requestor_ca, &trust, &error) != OC_OK)
		report_issuer(c, issuer, "requestor-ca", error.text);
	x509_trust_free(trust);
}

/* It issues nothing, but revokes, and what it issued is answered for: no
 * error, else no reload would take the list that it is on. */
static void
check_blocked(struct checker *c, const struct oc_config_issuer *issuer,
    const char *key, struct der_bytes certificates)
{
	char text[OC_ERROR_TEXT_MAX + 16];
	struct oc_error error = { 0 };

	if (ca_blocklist_check(c->blocklist, certificates, &error) !=
	    OC_ERR_REFUSED)
		return;
	snprintf(text, sizeof(text), "warning: %s", error.text);
	report_issuer(c, issuer, key, text);
	c->num_errors--;
}

/* Of a CA that has its certificate: the chain is made together with it. */
static void
check_chain(struct checker *c, const struct oc_config_issuer *issuer,
    const struct x509_cert *cert)
{
	struct oc_error error = { 0 };
	struct der_bytes chain;
	uint8_t *der = NULL;
	enum oc_err err;

	if (issuer->chain == NULL)
		return;
	err = x509_file_read_chain(issuer->chain, &der, &chain.len, &error);
	chain.p = der;
	if (err == OC_OK) {
		err = x509_cert_check_chain(cert, chain, &error);
		if (err != OC_OK)
			oc_error_prefix(&error, "%s", issuer->chain);
	}
	if (err == OC_OK)
		check_blocked(c, issuer, "chain", chain);
	free(der);
	if (err == OC_OK)
		return;
	report_issuer(c, issuer, "chain", error.text);
	if (c->how == DAEMON_CHECK_TO_START)
		c->num_errors--;
}

/* Those that are not there yet are ca cross-sign's to write. */
static void
check_alternates(struct checker *c, const struct oc_config_issuer *issuer)
{
	const struct oc_words *paths = &issuer->alternate_chain;
	struct oc_error error = { 0 };
	uint8_t *der;
	size_t der_len;
	enum oc_err err;

	for (size_t i = 0; i < paths->num; i++) {
		err = x509_file_read_chain(paths->words[i], &der, &der_len,
		    &error);
		if (err == OC_OK)
			free(der);
		else if (err != OC_ERR_NOT_FOUND)
			report_issuer(c, issuer, "alternate-chain",
			    error.text);
	}
}

/* No error: it may be one CA under two names. */
static void
warn_same_key(struct checker *c, const struct oc_config_issuer *issuer,
    const struct x509_cert *cert)
{
	char text[2 * OC_ERROR_TEXT_MAX];
	uint8_t hash[32];

	if (x509_spki_hash(cert->spki, hash) != OC_OK)
		return;
	for (size_t i = 0; i < c->num_keys; i++)
		if (memcmp(c->keys[i].hash, hash, sizeof(hash)) == 0) {
			snprintf(text, sizeof(text), "%s:%d: [issuer %s] "
			    "certificate: warning: [issuer %s] has the same "
			    "key", issuer->file, issuer->line, issuer->name,
			    c->keys[i].issuer);
			c->print(text);
		}
	if (c->num_keys == KEYS_MAX)
		return;
	memcpy(c->keys[c->num_keys].hash, hash, sizeof(hash));
	c->keys[c->num_keys++].issuer = issuer->name;
}

/* False: it was told what is wrong with it. */
static bool
check_ca(struct checker *c, const struct oc_config_issuer *issuer)
{
	struct x509_cert *cert = calloc(1, sizeof(*cert));
	struct oc_error error = { 0 };
	uint8_t *der = NULL;
	size_t der_len;
	enum oc_err err = OC_ERR_NOMEM;

	if (cert != NULL)
		err = x509_file_read(issuer->certificate,
		    X509_FILE_CERTIFICATE, &der, &der_len, &error);
	if (err == OC_OK)
		err = x509_cert_read((struct der_bytes){ der, der_len },
		    cert, &error);
	if (err == OC_OK && !x509_cert_is_ca(cert))
		err = oc_error_set(&error, OC_ERR_REFUSED, "%s: is not a CA "
		    "certificate (basicConstraints, keyUsage keyCertSign)",
		    issuer->certificate);
	if (err == OC_OK) {
		check_chain(c, issuer, cert);
		check_blocked(c, issuer, "certificate", cert->der);
		warn_same_key(c, issuer, cert);
	} else if (err != OC_ERR_NOT_FOUND) {
		report_issuer(c, issuer, "certificate", error.text);
	}
	free(der);
	free(cert);
	return err == OC_OK || err == OC_ERR_NOT_FOUND;
}

/* What public CAs must not do, and others may: BR 4.9.9.  When responses are
 * signed again is as that has it. */
static void
warn_lifetime(struct checker *c, const struct oc_config_issuer *issuer)
{
	const char *text = NULL;

	if (c->how != DAEMON_CHECK_ALL || issuer->responses != NULL ||
	    (issuer->allow & OC_ALLOW_OCSP) == 0)
		return;
	if (issuer->ocsp_lifetime_s < OCSP_SHORTEST_S)
		text = "warning: is less than 8 hours, which is the least "
		    "for a public CA (BR 4.9.9)";
	else if (issuer->ocsp_lifetime_s > OCSP_LONGEST_S)
		text = "warning: is more than 10 days, which is the most for "
		    "a public CA, unless it only issues to CAs (BR 4.9.9)";
	if (text == NULL)
		return;
	report_issuer(c, issuer, "ocsp-lifetime", text);
	c->num_errors--;
}

/* What is served already is served without it. */
static void
check_readable(struct checker *c, const struct oc_config_issuer *issuer,
    const char *key, const char *path, int how)
{
	char text[OC_ERROR_TEXT_MAX];

	if (path == NULL || access(path, how) == 0)
		return;
	snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
	report_issuer(c, issuer, key, text);
	if (c->how == DAEMON_CHECK_TO_START)
		c->num_errors--;
}

/* NULL: it is elsewhere. */
static bool
is_key_wrong(const char *uri, struct oc_error *error)
{
	struct p11_uri parsed;

	return uri != NULL && p11_uri_parse_key(uri, &parsed, error) != OC_OK;
}

/* Who has set it up wrongly is not to find out later. */
static void
check_index(struct checker *c, const struct oc_config_issuer *issuer)
{
	struct oc_file_stamp stamp;
	struct status_list *list = NULL;
	struct oc_error error = { 0 };
	char text[OC_ERROR_TEXT_MAX];

	if (issuer->index_file == NULL || status_index_read(
	    issuer->index_file, &list, &stamp, &error) == OC_OK) {
		status_list_release(list);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.200s: %.280s",
	    issuer->index_file, error.text);
	report_issuer(c, issuer, "index-file", text);
}

/* What its tables say is ocsign-status's to read, which has SQLite. */
static void
check_certdb(struct checker *c, const struct oc_config_issuer *issuer)
{
	static const char magic[16] = "SQLite format 3";
	char head[sizeof(magic)] = "";
	int fd;

	check_readable(c, issuer, "certdb-file", issuer->certdb_file, R_OK);
	fd = issuer->certdb_file == NULL ? -1 : open(issuer->certdb_file,
	    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return;
	if (read(fd, head, sizeof(head)) != (ssize_t)sizeof(head) ||
	    memcmp(head, magic, sizeof(magic)) != 0)
		report_issuer(c, issuer, "certdb-file", "it is no database "
		    "of SQLite");
	(void)close(fd);
}

/* What it fetches need not be there yet; who fetches it must. */
static void
check_fetched(struct checker *c, const struct oc_config_issuer *issuer)
{
	check_readable(c, issuer, "crl-fetch-ca", issuer->crl_fetch_ca, R_OK);
#ifndef HAVE_LIBCURL
	if (issuer->crl_fetch.num > 0)
		report_issuer(c, issuer, "crl-fetch", "this ocsign was built "
		    "without libcurl, which fetches; build it with that, or "
		    "have somebody else write a crl-file");
#endif
}

static void
check_issuer(struct checker *c, const struct oc_config *config,
    const struct oc_config_issuer *issuer)
{
	bool is_ca_well = check_ca(c, issuer);
	struct oc_error error = { 0 };

	check_alternates(c, issuer);
	warn_lifetime(c, issuer);
	if (is_key_wrong(issuer->key, &error))
		report_issuer(c, issuer, "key", error.text);
	for (size_t i = 0; i < config->num_ocsp; i++) {
		const struct oc_config_ocsp *ocsp = &config->ocsp[i];

		if (ocsp->issuer != issuer)
			continue;
		if (is_ca_well)
			check_ocsp(c, ocsp);
		if (ocsp->certificate != NULL &&
		    is_key_wrong(ocsp->key, &error))
			report_signer(c, ocsp, "key", error.text);
	}
	check_requestors(c, issuer);
	check_readable(c, issuer, "responses", issuer->responses,
	    R_OK | X_OK);
	/* These come and go, and ocsign-status says so. */
	if (c->how != DAEMON_CHECK_ALL)
		return;
	if (issuer->crl_fetch.num == 0)
		check_readable(c, issuer, "crl-file", issuer->crl_file, R_OK);
	check_fetched(c, issuer);
	check_index(c, issuer);
	check_certdb(c, issuer);
	check_readable(c, issuer, "issued", issuer->issued, R_OK);
}

static void
check_pin_source(struct checker *c, const struct oc_config_token *token)
{
	const char *source = token->pin_source;
	char text[OC_ERROR_TEXT_MAX];
	int64_t fd;

	if (source != NULL && strncmp(source, "fd:", 3) == 0 &&
	    oc_value_int(source + 3, PIN_FD_MIN, 1023, &fd, NULL) != OC_OK)
		report_token(c, token, "pin-source", "a descriptor is a "
		    "number from 5 to 1023 (3 and 4 are the signer's "
		    "sockets)");
	if (source == NULL || strncmp(source, "file:", 5) != 0 ||
	    access(source + 5, F_OK) == 0 || errno != ENOENT)
		return;
	snprintf(text, sizeof(text), "%s: %s", source + 5, strerror(errno));
	report_token(c, token, "pin-source", text);
	if (c->how != DAEMON_CHECK_ALL)
		c->num_errors--;
}

static void
check_token(struct checker *c, const struct oc_config_token *token)
{
	struct oc_error error = { 0 };
	struct p11_uri uri;
	char text[OC_ERROR_TEXT_MAX];

	if (access(token->module, R_OK) != 0) {
		snprintf(text, sizeof(text), "%s: %s", token->module,
		    strerror(errno));
		report_token(c, token, "module", text);
		if (c->how == DAEMON_CHECK_TO_START)
			c->num_errors--;
	}
	if (p11_uri_parse_token(token->uri, &uri, &error) != OC_OK)
		report_token(c, token, "uri", error.text);
	check_pin_source(c, token);
}

static void
check_cfssl(struct checker *c, const struct oc_config *config)
{
	struct oc_error error = { 0 };

	if (config->cfssl.config == NULL || (ca_cfssl_config_load(
	    config->cfssl.config, &c->cfssl, &error) == OC_OK &&
	    ca_cfssl_config_check_names(c->cfssl, config->cfssl.config,
	    &config->api.profiles, &error) == OC_OK))
		return;
	c->print(error.text);
	c->num_errors++;
}

/* auth-key names one of auth_keys. */
static void
check_auth_key(struct checker *c, const struct oc_config_profile *section,
    const struct ca_profile *profile)
{
	char text[OC_ERROR_TEXT_MAX];

	if (section->auth_key == NULL || (c->cfssl != NULL &&
	    ca_cfssl_config_auth_key(c->cfssl, profile->auth_key).len != 0))
		return;
	(void)snprintf(text, sizeof(text), "%s:%d: [profile %s] auth-key: "
	    "there is no \"%.64s\" in auth_keys of the configuration of "
	    "[cfssl]", section->file, section->line, section->name,
	    profile->auth_key);
	c->print(text);
	c->num_errors++;
}

/* The words that only ca/ understands. */
static void
check_profile(struct checker *c, const struct oc_config *config,
    const struct oc_config_profile *profile)
{
	struct oc_error error = { 0 };
	struct ca_profile found;

	/* The text says where. */
	if (ca_profile_find(config, profile->name, &found, &error) != OC_OK) {
		c->print(error.text);
		c->num_errors++;
		return;
	}
	check_auth_key(c, profile, &found);
	ca_profile_fini(&found);
}

static void
check_policy(struct checker *c, const struct oc_config_policy *policy)
{
	struct oc_error error = { 0 };

	/* The text says where. */
	if (ca_blocklist_load(policy->blocklist, &c->blocklist, &error) ==
	    OC_OK)
		return;
	c->print(error.text);
	c->num_errors++;
}

/* As ocsign-issuer reads them at its start. */
static void
check_api(struct checker *c, const struct oc_config *config)
{
	const struct oc_config_api *api = &config->api;
	char text[2 * OC_ERROR_TEXT_MAX];
	struct oc_error error = { 0 };
	struct net_tls *tls;

	if (api->tls_certificate == NULL)
		return;
	if (net_tls_new(api->tls_certificate, api->tls_key, &tls,
	    &error) == OC_OK) {
		net_tls_free(tls);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s: [api] TLS: %s", config->path,
	    error.text);
	c->print(text);
	if (c->how != DAEMON_CHECK_TO_START)
		c->num_errors++;
}

/* Separated is what the roles are to be, or they do not start. */
static void
check_users(struct checker *c, const struct oc_config *config)
{
	struct oc_error error = { 0 };
	char text[OC_ERROR_TEXT_MAX];
	struct daemon_users users;

	if (daemon_users_find(config, &users, &error) != OC_OK) {
		c->print(error.text);
		c->num_errors++;
	}
	if (c->how == DAEMON_CHECK_ALL || geteuid() == 0 ||
	    !oc_config_is_separate(config))
		return;
	(void)snprintf(text, sizeof(text), "%s: [daemon] signer-user: only "
	    "root can start roles as other users, and ocsignd is run by user "
	    "%ld", config->path, (long)geteuid());
	c->print(text);
	c->num_errors++;
}

enum oc_err
daemon_check(const char *path, enum daemon_check_how how,
    void (*print)(const char *line), struct oc_config **config)
{
	struct checker c = { .how = how, .print = print };
	struct oc_config_errors errors = { 0 };
	struct oc_config *loaded;
	size_t num_wrong;
	char text[64];

	if (oc_config_load(path, &loaded, &errors) != OC_OK) {
		for (size_t i = 0; i < errors.num; i++)
			print(errors.list[i].text);
		if (errors.num_found > errors.num) {
			snprintf(text, sizeof(text), "and %zu more",
			    errors.num_found - errors.num);
			print(text);
		}
		return OC_ERR_CONFIG;
	}
	check_users(&c, loaded);
	check_policy(&c, &loaded->policy);
	for (size_t i = 0; i < loaded->num_tokens; i++)
		check_token(&c, &loaded->tokens[i]);
	for (size_t i = 0; i < loaded->num_issuers; i++)
		check_issuer(&c, loaded, &loaded->issuers[i]);
	check_cfssl(&c, loaded);
	for (size_t i = 0; i < loaded->num_profiles; i++)
		check_profile(&c, loaded, &loaded->profiles[i]);
	check_api(&c, loaded);
	num_wrong = daemon_check_validation(loaded, print);
	/* The others answer without it. */
	if (how != DAEMON_CHECK_TO_START)
		c.num_errors += num_wrong;
	/* Those come and go, as files of other sources do. */
	if (how == DAEMON_CHECK_ALL)
		c.num_errors += daemon_check_databases(loaded, print);
	ca_cfssl_config_free(c.cfssl);
	ca_blocklist_free(c.blocklist);
	if (c.num_errors > 0) {
		oc_config_free(loaded);
		return OC_ERR_CONFIG;
	}
	taken_at = oc_clock_now_s();
	*config = loaded;
	return OC_OK;
}
