/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration, ocsign.conf(5), typed.  Everything in it has been
 * checked that can be checked without opening a token, a certificate or a
 * socket; every path is absolute.  Read once at start, never changed.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"

/* What an integer or a duration has when it was not given and has no
 * default.  Strings are NULL then, lists empty. */
#define OC_CONFIG_UNSET (-1)

/* What stands behind the run directory and its slash, at most. */
#define OC_CONFIG_SOCKET_NAME_MAX 31

struct oc_words {
	char **words;
	size_t num;
};

enum oc_config_presign {
	OC_PRESIGN_ALL,		/* every certificate of the store */
	OC_PRESIGN_ASKED,	/* those somebody has asked for */
	OC_PRESIGN_NONE		/* each for one question, within nonce-budget */
};

enum oc_config_nonce {
	OC_NONCE_LIVE,		/* signed for, within nonce-budget */
	OC_NONCE_IGNORE,
	OC_NONCE_REQUIRE	/* live, or not at all */
};

enum oc_config_unknown {	/* what a serial we did not issue gets */
	OC_UNKNOWN_UNAUTHORIZED,
	OC_UNKNOWN_UNKNOWN,	/* signed live, within nonce-budget */
	OC_UNKNOWN_REVOKED	/* so is this: RFC 6960, 2.2 */
};

enum oc_config_source {		/* of what is so of its certificates */
	OC_SOURCE_STORE,
	OC_SOURCE_CRL,		/* crl-file */
	OC_SOURCE_INDEX,	/* index-file, of openssl ca */
	OC_SOURCE_CERTDB	/* certdb-file or certdb-database, of CFSSL */
};

enum oc_config_freshest {
	OC_FRESHEST_CRL = 1 << 0,
	OC_FRESHEST_CERTIFICATE = 1 << 1
};

enum oc_config_unlisted {	/* what a serial that is on no CRL gets */
	OC_UNLISTED_UNAUTHORIZED,
	OC_UNLISTED_GOOD	/* if it is in issued, where that is given */
};

enum oc_config_signed_requests {	/* what their signatures are for */
	OC_SIGNED_REQUESTS_IGNORE,
	OC_SIGNED_REQUESTS_VERIFY,	/* by somebody below requestor-ca */
	OC_SIGNED_REQUESTS_REQUIRE	/* and nobody else is answered */
};

enum oc_config_responder_id { OC_RESPONDER_ID_KEY, OC_RESPONDER_ID_NAME };

enum oc_config_publish {	/* who makes an issuer's CRLs */
	OC_PUBLISH_UNSET,	/* not once it is loaded */
	OC_PUBLISH_NO,		/* a person */
	OC_PUBLISH_SCHEDULED,	/* ocsign-issuer, every crl_every_s */
	OC_PUBLISH_AT_ONCE	/* and after a revocation */
};

enum oc_config_compromise {	/* what is said of its certificates then */
	OC_COMPROMISE_REVOKED,	/* all are, for cACompromise */
	OC_COMPROMISE_REFUSED	/* nothing */
};

enum oc_config_refuse {		/* bits */
	OC_REFUSE_OTHER_TYPES = 1,
	OC_REFUSE_BARE_NONCES = 2,
	OC_REFUSE_NO_BASIC = 4,
	OC_REFUSE_NO_REQUEST = 8
};

enum oc_config_tolerate {	/* bits */
	OC_TOLERATE_CRLF = 1,
	OC_TOLERATE_OTHER_ISSUERS = 2
};

enum oc_config_critical {	/* what an extension nobody knows gets */
	OC_CRITICAL_UNAUTHORIZED,
	OC_CRITICAL_MALFORMED
};

enum oc_config_allow {		/* bits */
	OC_ALLOW_CERTIFICATE = 1,
	OC_ALLOW_CRL = 2,
	OC_ALLOW_OCSP = 4
};

/* The numbers of enum sign_alg, which this room does not see. */
enum oc_config_algorithm {
	OC_ALGORITHM_OF_KEY,	/* what suits the key's type */
	OC_ALGORITHM_RSA_SHA256,
	OC_ALGORITHM_RSA_SHA384,
	OC_ALGORITHM_RSA_SHA512,
	OC_ALGORITHM_RSA_PSS_SHA256,
	OC_ALGORITHM_RSA_PSS_SHA384,
	OC_ALGORITHM_RSA_PSS_SHA512,
	OC_ALGORITHM_ECDSA_SHA256,
	OC_ALGORITHM_ECDSA_SHA384,
	OC_ALGORITHM_ECDSA_SHA512,
	OC_ALGORITHM_ED25519
};

enum oc_config_subject {
	OC_SUBJECT_UNSET,	/* as based-on says */
	OC_SUBJECT_CSR,
	OC_SUBJECT_FIXED	/* subject-name */
};

enum oc_config_yes_no { OC_YES_NO_UNSET, OC_NO, OC_YES };

enum oc_config_key_type {	/* bits */
	OC_KEY_RSA = 1,
	OC_KEY_EC = 2,
	OC_KEY_ED25519 = 4
};

enum oc_config_name_kind {	/* bits */
	OC_NAME_DNS = 1,
	OC_NAME_IP = 2,
	OC_NAME_EMAIL = 4,
	OC_NAME_URI = 8
};

enum oc_config_wildcard {
	OC_WILDCARD_UNSET,
	OC_WILDCARD_YES,
	OC_WILDCARD_BELOW_DOMAIN,	/* two labels behind it */
	OC_WILDCARD_NO
};

/* What an account may have beside DNS names in its zones: bits, as those of
 * ca/profile.h. */
enum oc_config_account_name {
	OC_ACCOUNT_NAME_DNS = 1,
	OC_ACCOUNT_NAME_IP = 2,
	OC_ACCOUNT_NAME_EMAIL = 4,
	OC_ACCOUNT_NAME_URI = 8
};

enum oc_config_switch { OC_SWITCH_NO, OC_SWITCH_YES };

struct oc_config_store {
	char *path;		/* with database, its directory alone counts */
	/* Of PostgreSQL, joined with the next (base/conninfo.h); NULL: path */
	char *database;
	char *password_source;	/* "file:/abs", "fd:N", "credential:NAME" */
	struct oc_words database_network;	/* as a token's network */
	enum oc_config_switch share_responses;
	char *signing_journal;	/* a directory; beside path, unless given */
	int64_t signing_journal_mib;	/* of one file, about */
};

struct oc_config_daemon {
	char *run_directory;
	char *table_directory;
	char *signer_directory;	/* PIN latches, signing journal */
	char *fetch_directory;	/* fetched CRLs, and how that stands */
	/* Whom the roles run as: a name or a number.  NULL: whoever runs
	 * ocsignd; all of those that there is a role for, or none. */
	char *signer_user, *status_user, *responder_user, *issuer_user;
	char *fetcher_user, *validator_user;
	struct oc_words operators;	/* users that "ocsign" is for */
	/* Where a role keeps what others read: the run directory, or, where
	 * the roles have users of their own, a folder in it for each. */
	char *status_directory, *responder_directory, *issuer_directory;
	char *validator_directory;
	enum oc_log_level log_level;
	int64_t renew_every_s;	/* OCSP signers' certificates; 0: never */
};

struct oc_config_responder {
	struct oc_words listen;	/* "127.0.0.1:80", "[::1]:80" */
	int64_t workers;
	int64_t idle_timeout_s;
	int64_t header_timeout_s;
	int64_t connections_max;
	int64_t address_max;	/* connections of one; 0: no limit */
	int64_t misses_each;	/* of one, a second; 0: no limit */
	struct oc_words exempt;	/* address ranges without these limits */
	char *prefix;		/* starts and ends with '/' */
	int64_t nonce_budget;	/* signatures a second, all issuers */
	int64_t request_signature_budget;	/* verified a second */
	int64_t max_age_s;	/* UNSET: until nextUpdate */
	unsigned refuse;	/* enum oc_config_refuse */
	unsigned tolerate;	/* enum oc_config_tolerate */
	enum oc_config_critical critical_extension;
	enum oc_config_switch serve_files;
};

struct oc_config_api {		/* no listen: no API */
	struct oc_words listen;
	char *tls_certificate, *tls_key;	/* paths; both or none */
	enum oc_config_switch allow_plain;	/* off loopback */
	int64_t connections_max;
	int64_t address_max;
	int64_t header_timeout_s;
	int64_t request_timeout_s;
	int64_t idle_timeout_s;
	struct oc_words issuers;	/* NAMEs that CFSSL's door knows as
					 * labels; the default first */
	struct oc_words profiles;	/* of CFSSL's door, the default first */
	struct oc_words endpoints;	/* of CFSSL's door */
	int64_t auth_window_s;	/* of authsign's tokens */
	enum oc_config_switch require_nonce;
	char *origin_rsa, *origin_ecc;	/* NAMEs of issuers */
};

enum oc_config_external {	/* account binding, RFC 8555, 7.3.4 */
	OC_EXTERNAL_REQUIRED,
	OC_EXTERNAL_OPTIONAL
};

struct oc_config_acme {		/* no url: no ACME */
	char *url;		/* of the directory */
	char *issuer;		/* NAME of an issuer that exists */
	struct oc_words profiles;	/* the default first */
	enum oc_config_external external_account;
	char *account;		/* of the registry, for who has none bound;
				 * given where that is optional */
	char *terms_of_service, *website;	/* URLs */
	enum oc_config_switch alternates;	/* are offered */
	int64_t order_lifetime_s;
	int64_t accounts_max;	/* without a key, in an hour */
	int64_t orders_max, orders_period_s;	/* of an account */
	int64_t zone_orders_max;	/* of its zone's names; 0: no limit */
	int64_t failures_max;	/* of an account's name in an hour */
	int64_t zone_failures_max;	/* and of a zone's names */
	int64_t renewal_retry_s;
};

struct oc_config_metrics {	/* no listen: none */
	struct oc_words listen;
	enum oc_config_switch allow_remote;	/* off loopback */
};

struct oc_config_token {
	char *name;
	char *module;		/* path */
	char *uri;		/* starts with "pkcs11:" */
	int64_t weight;		/* beside others with the same key; 0: a
				 * standby */
	char *pin_source;	/* "file:/abs", "fd:N", "credential:NAME" */
	int64_t sessions;
	int64_t timeout_s;	/* of one PKCS#11 call */
	int64_t keep_alive_s;	/* 0: no */
	struct oc_words environment;	/* "NAME=VALUE" */
	char *init_args;	/* what C_Initialize gets, or NULL */
	/* What ocsign-signer's sandbox lets it have for this module. */
	struct oc_words network;	/* "no", "yes", or address ranges */
	struct oc_words devices;	/* "/dev/..." */
	struct oc_words paths;		/* read and written */
	const char *file;	/* where the section stands; borrowed */
	int line;
};

struct oc_config_issuer {
	char *name;
	char *certificate;	/* path */
	char *chain;		/* path */
	struct oc_words alternate_chain;	/* paths */
	struct oc_words tokens;	/* NAMEs of tokens that exist; each has the
				 * key */
	char *key;		/* pkcs11: URI or label */
	enum oc_config_algorithm algorithm;
	/* A directory: responses are signed elsewhere, and there is neither
	 * token nor key; allow is then OCSP alone, nonce IGNORE. */
	char *responses;
	/* The delegated OCSP signer: either all three or none. */
	char *ocsp_certificate;
	struct oc_words ocsp_tokens;	/* tokens, unless given */
	char *ocsp_key;
	enum oc_config_algorithm ocsp_algorithm;	/* also without them */
	char *ocsp_url;
	char *ca_issuers_url;
	char *crl_url;
	/* Path of one that is signed elsewhere; with crl_fetch, where
	 * ocsign-fetcher puts it. */
	char *crl_file;
	char *crl_delta_file;	/* the same of a delta to it; NULL: none */
	struct oc_words crl_fetch;	/* URLs of it: mirrors */
	struct oc_words crl_delta_fetch;	/* or "freshest" alone */
	int64_t crl_fetch_interval_s, crl_fetch_timeout_s;
	char *crl_fetch_ca;	/* path; NULL: whom the system trusts */
	char *crl_fetch_proxy;	/* NULL: none */
	int64_t crl_dropped;	/* per cent that may be missing from it */
	/* With any but STORE the CA is elsewhere: allow is OCSP alone, and
	 * there may be neither token nor key. */
	enum oc_config_source source;
	char *index_file, *certdb_file;		/* paths */
	char *certdb_database;	/* joined with the next; or certdb_file */
	char *certdb_password_source;
	struct oc_words certdb_network;		/* as a token's network */
	int64_t source_dropped;	/* per cent; 0 but with these two */
	int64_t source_max_age_s;	/* of no matter but with these two */
	enum oc_config_unlisted unlisted;
	char *issued;		/* path; NULL where there is no such list */
	int64_t crl_lifetime_s;
	enum oc_config_publish crl_publish;
	/* Set also where nothing is published; every and overlap are not more
	 * than the lifetime together. */
	int64_t crl_every_s, crl_overlap_s, crl_spacing_s;
	/* 0 to OC_CRL_PARTITIONS_MAX: how many lists there are beside the one
	 * at crl_url, at oc_config_partition_url()s.  Certificates are issued
	 * into the first open ones. */
	int64_t crl_partitions, crl_partitions_open;
	char *crl_delta_url;	/* where deltas to it are; NULL: none are */
	int64_t crl_delta_lifetime_s;
	unsigned freshest_crl;	/* enum oc_config_freshest: what names it */
	int64_t ocsp_lifetime_s;
	int64_t ocsp_backdate_s;
	enum oc_config_presign presign;
	enum oc_config_nonce nonce;
	enum oc_config_unknown unknown;
	enum oc_config_responder_id responder_id;
	int64_t archive_cutoff_s;	/* UNSET: expired is expired */
	enum oc_config_switch crl_reference;	/* crl_url is given then */
	enum oc_config_signed_requests signed_requests;
	char *requestor_ca;	/* path; NULL where they are ignored */
	enum oc_config_compromise on_compromise;
	int64_t compromised_since;	/* Unix seconds, or UNSET */
	unsigned allow;		/* enum oc_config_allow */
	/* What its key may certify, whoever asks: UNSET and empty are no
	 * limits. */
	enum oc_config_switch allow_ca;
	int64_t max_path_length;
	int64_t max_validity_s;
	struct oc_words permitted_ekus;	/* RFC 5280's words, or OIDs */
	struct oc_words permitted_dns, excluded_dns;
	struct oc_words critical_extensions;	/* OIDs */
	const char *file;
	int line;
};

/* One more delegated signer of an issuer's OCSP responses. */
struct oc_config_ocsp_signer {
	char *name;
	char *issuer;		/* NAME of an issuer that exists */
	char *certificate;	/* path */
	struct oc_words tokens;	/* the issuer's, unless given */
	char *key;		/* pkcs11: URI or label */
	enum oc_config_algorithm algorithm;
	enum oc_config_presign presign;
	const char *file;
	int line;
};

/* Who signs an issuer's OCSP responses: the key that its own section says, and
 * behind that those of the [ocsp-signer NAME]s for it.  All but the name is
 * borrowed. */
struct oc_config_ocsp {
	char name[OC_OCSP_NAME_MAX + 1];	/* "ISSUER", or
				 * "ISSUER+SIGNER": no two are alike */
	const struct oc_config_issuer *issuer;
	const char *signer;	/* NULL: the issuer's own section */
	const char *certificate;	/* NULL: the CA itself signs */
	struct oc_words tokens;		/* not to be freed */
	const char *key;
	enum oc_config_algorithm algorithm;
	enum oc_config_presign presign;
	const char *file;
	int line;
};

/* What responders serve beside OCSP: an issuer's CRL at the path of its
 * crl-url, deltas to it at that of its crl-delta-url, and so its partitions';
 * its certificate at that of its ca-issuers-url. */
enum oc_config_file_kind {
	OC_FILE_CRL,
	OC_FILE_CERTIFICATE,
	OC_FILE_DELTA_CRL
};
struct oc_config_file {
	enum oc_config_file_kind kind;
	const struct oc_config_issuer *issuer;
	uint32_t partition;		/* of CRLs; 0: not partitioned */
	char *made;			/* a partition's URL, owned; or NULL */
	const char *url;		/* borrowed, as is the next */
	const char *path;		/* in it, path_len octets; not
					 * where OCSP is asked */
	size_t path_len;
};

/* Words that src/ca interprets.  based_on is a built-in profile's name or
 * another section's; there are no loops. */
struct oc_config_profile {
	char *name;
	char *based_on;
	int64_t validity_s;
	int64_t backdate_s;
	struct oc_words key_usage;
	struct oc_words extended_key_usage;
	int64_t path_length;
	enum oc_config_subject subject;
	char *subject_name;	/* given when subject is FIXED, else NULL */
	struct oc_words validity_choices;	/* durations */
	enum oc_config_yes_no exact_validity;
	int64_t not_before_rounding_s;
	unsigned key_types;	/* enum oc_config_key_type; 0: unset */
	unsigned name_kinds;	/* enum oc_config_name_kind; 0: unset */
	int64_t names_max;
	enum oc_config_wildcard wildcard;
	char *name_whitelist;
	/* Words, some in double quotes. */
	char *permitted_names;
	char *excluded_names;
	char *policies;
	struct oc_words copy_extensions;
	struct oc_words allowed_extensions;
	struct oc_words issuers;	/* NAMEs of issuers that exist */
	char *auth_key;
	unsigned account_names;	/* enum oc_config_account_name; 0: unset */
	struct oc_words lint_exempt;
	const char *file;
	int line;
};

struct oc_config_cfssl {
	char *config;		/* path */
};

struct oc_config_policy {
	char *blocklist;	/* path; NULL: none */
};

/* What proves a name, and how it is asked for: ocsign-validator's, but for
 * the challenges, which those keep who have made them. */
struct oc_config_validation {
	struct oc_words resolvers;	/* "192.0.2.1", "[2001:db8::1]:53";
					 * none: from the root */
	struct oc_words stub_zones;	/* "ZONE=SERVER" */
	struct oc_words insecure_zones;	/* domains */
	char *trust_anchor;	/* path, or "none" */
	int64_t http_port, https_port;
	struct oc_words allow_addresses;	/* address ranges */
	int64_t timeout_s;	/* of one validation, all of it */
	struct oc_words caa_identities;	/* none: CAA is not asked for */
	int64_t challenge_lifetime_s, proof_lifetime_s;
	int64_t tries;		/* of a challenge */
	int64_t pending_max;	/* challenges of an account */
	/* mail-from and mail-server: both or none. */
	char *mail_server;	/* "smtp://HOST:PORT", "smtps://..." */
	char *mail_from;
	char *mail_user, *mail_password_source;	/* both or none */
	char *mail_ca;		/* path; NULL: whom the system trusts */
	enum oc_config_switch mail_plain;
	char *mail_link;	/* URL with a slash at its end */
	/* "HOST", "HOST:PORT", "SUFFIX=HOST:PORT"; "iana". */
	struct oc_words whois_servers;
	struct oc_words rdap_urls;	/* "URL/", "SUFFIX=URL/" */
	/* All three or none. */
	char *update_server;	/* as a resolver */
	char *update_key;	/* path */
	struct oc_words update_zones;	/* domains */
	char *publish_hook;	/* absolute path */
};

struct oc_config {
	char *path;		/* as it was given */
	char *directory;	/* where relative paths start, absolute */
	struct oc_config_store store;
	struct oc_config_daemon daemon;
	struct oc_config_responder responder;
	struct oc_config_api api;
	struct oc_config_acme acme;
	struct oc_config_metrics metrics;
	struct oc_config_policy policy;
	struct oc_config_cfssl cfssl;
	struct oc_config_validation validation;
	bool has_validation;	/* that section is there */
	struct oc_config_token *tokens;
	size_t num_tokens;
	struct oc_config_issuer *issuers;
	size_t num_issuers;
	struct oc_config_ocsp_signer *ocsp_signers;
	size_t num_ocsp_signers;
	struct oc_config_profile *profiles;
	size_t num_profiles;
	struct oc_config_ocsp *ocsp;	/* issuer by issuer, in their order;
					 * also of those without ocsp in
					 * allow */
	size_t num_ocsp;
	struct oc_config_file *files;	/* none without serve-files */
	size_t num_files;
	struct oc_conf *conf;	/* what the file pointers point into */
};

/*
 * Reads, checks and converts it all; every error found is in errors (zeroed
 * by the caller), one line each.  *config is for oc_config_free().
 * CONFIG for all that is wrong in the files; NOT_FOUND, SYSTEM, REFUSED when
 * path itself cannot be read; NOMEM.
 */
enum oc_err oc_config_load(const char *path, struct oc_config **config,
    struct oc_config_errors *errors) OC_MUST_CHECK;

void oc_config_free(struct oc_config *config);

/* $OCSIGN_CONF, when set and not empty, or SYSCONFDIR/ocsign.conf. */
const char *oc_config_default_path(void);

/* Has a section of this type such a key?  For who writes sections. */
bool oc_config_has_key(const char *section, const char *key);
/* The roles have users of their own. */
bool oc_config_is_separate(const struct oc_config *config);
/* What store_open() takes. */
const char *oc_config_store_where(const struct oc_config *config);
/* Some issuer's CRLs are published: there is an ocsign-issuer for that. */
bool oc_config_publishes(const struct oc_config *config);
/* There is an ocsign-issuer, for that or for the API. */
bool oc_config_has_issuer(const struct oc_config *config);
/* Some CRL is fetched: there is an ocsign-fetcher. */
bool oc_config_fetches(const struct oc_config *config);
/* There is an ocsign-validator. */
bool oc_config_validates(const struct oc_config *config);
/* The module may use the network, all of it or some addresses. */
bool oc_config_has_network(const struct oc_config_token *token);

/* By name, exactly.  Borrowed; NULL when there is none. */
const struct oc_config_token *oc_config_find_token(
    const struct oc_config *config, const char *name);
const struct oc_config_issuer *oc_config_find_issuer(
    const struct oc_config *config, const char *name);
const struct oc_config_ocsp *oc_config_find_ocsp(
    const struct oc_config *config, const char *name);
const struct oc_config_profile *oc_config_find_profile(
    const struct oc_config *config, const char *name);

/* "http://host/web-3.crl" of "http://host/web.crl" and 3; of 0 as it is.
 * False: that is longer than OC_CRL_URL_MAX. */
bool oc_config_partition_url(const char *url, uint32_t partition,
    char text[OC_CRL_URL_MAX + 1]);

#endif
