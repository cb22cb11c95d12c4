/* SPDX-License-Identifier: Apache-2.0 */
#include "base/config_table.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/address.h"
#include "base/conninfo.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/value.h"

#define MINUTE INT64_C(60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define YEAR (365 * DAY)

const char *const oc_config_builtin_profiles[] = {
	"server", "client", "ocsp-signer", "intermediate", "root",
	"origin-rsa", "origin-ecc", NULL
};

static enum oc_err
check_run_directory(const char *directory, char **value, struct oc_error *error)
{
	struct sockaddr_un *un = NULL;
	size_t max = sizeof(un->sun_path) - 2 - OC_CONFIG_SOCKET_NAME_MAX;

	(void)directory;
	if (strlen(*value) > max)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "%.120s is too long for the names of sockets; choose a "
		    "directory of at most %zu characters", *value, max);
	return OC_OK;
}

static enum oc_err
check_listen(const char *directory, char **value, struct oc_error *error)
{
	char address[64];
	struct in6_addr binary;
	const char *colon = strrchr(*value, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - *value);
	bool is_v6 = len >= 2 && (*value)[0] == '[' && colon[-1] == ']';
	int64_t port;

	(void)directory;
	if (len > 0 && len < sizeof(address)) {
		memcpy(address, *value + is_v6, len - 2 * (size_t)is_v6);
		address[len - 2 * (size_t)is_v6] = '\0';
		if (inet_pton(is_v6 ? AF_INET6 : AF_INET, address,
		    &binary) == 1 &&
		    oc_value_int(colon + 1, 0, 65535, &port, NULL) == OC_OK)
			return OC_OK;
	}
	return oc_error_set(error, OC_ERR_CONFIG,
	    "\"%.80s\" is no address and port; write 192.0.2.1:80 or "
	    "[2001:db8::1]:80", *value);
}

enum oc_err
oc_config_check_addresses(const char *directory, char **value,
    struct oc_error *error)
{
	struct oc_address_range range;

	(void)directory;
	return oc_address_range_parse(*value, &range, error);
}

/* That "yes" and "no" stand alone, config_check.c sees. */
static enum oc_err
check_network(const char *directory, char **value, struct oc_error *error)
{
	if (strcmp(*value, "yes") == 0 || strcmp(*value, "no") == 0)
		return OC_OK;
	return oc_config_check_addresses(directory, value, error);
}

static enum oc_err
check_database(const char *directory, char **value, struct oc_error *error)
{
	(void)directory;
	return oc_conninfo_check(*value, error);
}

static enum oc_err
check_prefix(const char *directory, char **value, struct oc_error *error)
{
	size_t len = strlen(*value);

	(void)directory;
	if ((*value)[0] != '/' || (*value)[len - 1] != '/' ||
	    strstr(*value, "//") != NULL || len > 256 ||
	    strspn(*value, "/-._~ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789") != len)
		return oc_error_set(error, OC_ERR_CONFIG,
		    "\"%.80s\" is no URL path prefix; write / or a path such "
		    "as /ocsp/ that starts and ends with '/'", *value);
	return OC_OK;
}

static enum oc_err
check_endpoint(const char *directory, char **value, struct oc_error *error)
{
	static const char *const words[] = { "health", "info", "certinfo",
	    "sign", "authsign", "newkey", "newcert", "revoke", "crl",
	    "ocspsign" };

	(void)directory;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(*value, words[i]) == 0)
			return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "there is no endpoint "
	    "\"%.40s\"; there are health, info, certinfo, sign, authsign, "
	    "newkey, newcert, revoke, crl and ocspsign", *value);
}

/* A domain and all below it. */
enum oc_err
oc_config_check_domain(const char *directory, char **value,
    struct oc_error *error)
{
	size_t len = strlen(*value);

	(void)directory;
	if (len <= 253 && (*value)[0] != '.' && (*value)[len - 1] != '.' &&
	    strstr(*value, "..") == NULL && strspn(*value, "-._"
	    "abcdefghijklmnopqrstuvwxyz0123456789") == len)
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no domain; "
	    "write example.com, which stands for what is below it too, in "
	    "lower case", *value);
}

/* As passwd(5) and adduser(8) have it, or a number. */
static enum oc_err
check_user(const char *directory, char **value, struct oc_error *error)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	const char *text = *value;

	(void)directory;
	if (text[0] != '-' && text[0] != '.' && strlen(text) <= 32 &&
	    strspn(text, chars) == strlen(text))
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no user; "
	    "write a name or a number", text);
}

/* systemd is told it, too: a character there would be another setting. */
static enum oc_err
check_device(const char *directory, char **value, struct oc_error *error)
{
	const char *text = *value;

	(void)directory;
	if (oc_config_starts_with(text, "/dev/") && text[5] != '\0' &&
	    strstr(text, "/../") == NULL && strpbrk(text, "\"'\\$%;") == NULL)
		return OC_OK;
	return oc_error_set(error, OC_ERR_CONFIG, "\"%.80s\" is no device; "
	    "write /dev/NAME", text);
}

/* One of a list of paths; OC_KIND_PATH is for a single one. */
static enum oc_err
check_path(const char *directory, char **value, struct oc_error *error)
{
	const char *text = *value;
	char *path;

	while (oc_config_starts_with(text, "./") && text[2] != '\0')
		text += 2;
	if (oc_path_join(directory, text, &path) != OC_OK)
		path = NULL;
	return oc_config_replace(value, path, error);
}

static const struct oc_config_word log_levels[] = {
	{ "error", OC_LOG_ERROR }, { "warning", OC_LOG_WARNING },
	{ "notice", OC_LOG_NOTICE }, { "info", OC_LOG_INFO },
	{ "debug", OC_LOG_DEBUG }, { NULL, 0 }
};
static const struct oc_config_word presigns[] = {
	{ "all", OC_PRESIGN_ALL }, { "asked", OC_PRESIGN_ASKED },
	{ "none", OC_PRESIGN_NONE }, { NULL, 0 }
};
static const struct oc_config_word nonces[] = {
	{ "live", OC_NONCE_LIVE }, { "ignore", OC_NONCE_IGNORE },
	{ "require", OC_NONCE_REQUIRE }, { NULL, 0 }
};
static const struct oc_config_word unknowns[] = {
	{ "unauthorized", OC_UNKNOWN_UNAUTHORIZED },
	{ "unknown", OC_UNKNOWN_UNKNOWN },
	{ "revoked", OC_UNKNOWN_REVOKED }, { NULL, 0 }
};
static const struct oc_config_word sources[] = {
	{ "store", OC_SOURCE_STORE }, { "crl", OC_SOURCE_CRL },
	{ "index", OC_SOURCE_INDEX }, { "certdb", OC_SOURCE_CERTDB },
	{ NULL, 0 }
};
static const struct oc_config_word publishes[] = {
	{ "no", OC_PUBLISH_NO }, { "scheduled", OC_PUBLISH_SCHEDULED },
	{ "at-once", OC_PUBLISH_AT_ONCE }, { NULL, 0 }
};
static const struct oc_config_word unlisteds[] = {
	{ "unauthorized", OC_UNLISTED_UNAUTHORIZED },
	{ "good", OC_UNLISTED_GOOD }, { NULL, 0 }
};
static const struct oc_config_word responder_ids[] = {
	{ "key", OC_RESPONDER_ID_KEY }, { "name", OC_RESPONDER_ID_NAME },
	{ NULL, 0 }
};
static const struct oc_config_word signed_requests[] = {
	{ "ignore", OC_SIGNED_REQUESTS_IGNORE },
	{ "verify", OC_SIGNED_REQUESTS_VERIFY },
	{ "require", OC_SIGNED_REQUESTS_REQUIRE }, { NULL, 0 }
};
static const struct oc_config_word compromises[] = {
	{ "revoked", OC_COMPROMISE_REVOKED },
	{ "refused", OC_COMPROMISE_REFUSED }, { NULL, 0 }
};
static const struct oc_config_word refusals[] = {
	{ "other-types", OC_REFUSE_OTHER_TYPES },
	{ "bare-nonces", OC_REFUSE_BARE_NONCES },
	{ "no-basic", OC_REFUSE_NO_BASIC },
	{ "no-request", OC_REFUSE_NO_REQUEST }, { NULL, 0 }
};
static const struct oc_config_word tolerations[] = {
	{ "crlf", OC_TOLERATE_CRLF },
	{ "other-issuers", OC_TOLERATE_OTHER_ISSUERS }, { NULL, 0 }
};
static const struct oc_config_word criticals[] = {
	{ "unauthorized", OC_CRITICAL_UNAUTHORIZED },
	{ "malformed", OC_CRITICAL_MALFORMED }, { NULL, 0 }
};
static const struct oc_config_word freshests[] = {
	{ "crl", OC_FRESHEST_CRL },
	{ "certificate", OC_FRESHEST_CERTIFICATE }, { NULL, 0 }
};
static const struct oc_config_word allows[] = {
	{ "certificate", OC_ALLOW_CERTIFICATE }, { "crl", OC_ALLOW_CRL },
	{ "ocsp", OC_ALLOW_OCSP }, { NULL, 0 }
};
static const struct oc_config_word algorithms[] = {
	{ "rsa-sha256", OC_ALGORITHM_RSA_SHA256 },
	{ "rsa-sha384", OC_ALGORITHM_RSA_SHA384 },
	{ "rsa-sha512", OC_ALGORITHM_RSA_SHA512 },
	{ "rsa-pss-sha256", OC_ALGORITHM_RSA_PSS_SHA256 },
	{ "rsa-pss-sha384", OC_ALGORITHM_RSA_PSS_SHA384 },
	{ "rsa-pss-sha512", OC_ALGORITHM_RSA_PSS_SHA512 },
	{ "ecdsa-sha256", OC_ALGORITHM_ECDSA_SHA256 },
	{ "ecdsa-sha384", OC_ALGORITHM_ECDSA_SHA384 },
	{ "ecdsa-sha512", OC_ALGORITHM_ECDSA_SHA512 },
	{ "ed25519", OC_ALGORITHM_ED25519 },
	{ NULL, 0 }
};
const struct oc_config_word oc_config_switches[] = {
	{ "no", OC_SWITCH_NO }, { "yes", OC_SWITCH_YES }, { NULL, 0 }
};
static const struct oc_config_word subjects[] = {
	{ "csr", OC_SUBJECT_CSR }, { "fixed", OC_SUBJECT_FIXED }, { NULL, 0 }
};
static const struct oc_config_word yes_no[] = {
	{ "yes", OC_YES }, { "no", OC_NO }, { NULL, 0 }
};
static const struct oc_config_word key_types[] = {
	{ "rsa", OC_KEY_RSA }, { "ec", OC_KEY_EC },
	{ "ed25519", OC_KEY_ED25519 }, { NULL, 0 }
};
static const struct oc_config_word name_kinds[] = {
	{ "dns", OC_NAME_DNS }, { "ip", OC_NAME_IP },
	{ "email", OC_NAME_EMAIL }, { "uri", OC_NAME_URI }, { NULL, 0 }
};
static const struct oc_config_word wildcards[] = {
	{ "yes", OC_WILDCARD_YES },
	{ "below-domain", OC_WILDCARD_BELOW_DOMAIN },
	{ "no", OC_WILDCARD_NO }, { NULL, 0 }
};

static const struct oc_config_word account_names[] = {
	{ "dns", OC_ACCOUNT_NAME_DNS }, { "ip", OC_ACCOUNT_NAME_IP },
	{ "email", OC_ACCOUNT_NAME_EMAIL }, { "uri", OC_ACCOUNT_NAME_URI },
	{ NULL, 0 }
};

#define AT(field) .offset = offsetof(struct oc_config_store, field)
static const struct oc_config_key store_keys[] = {
	{ "path", OC_KIND_PATH, AT(path),
	    .preset = OCSIGN_STATEDIR "/store.db" },
	{ "database", OC_KIND_STRING, AT(database),
	    .check = check_database },
	{ "database-network", OC_KIND_LIST, AT(database_network),
	    .preset = "no", .check = check_network },
	{ "share-responses", OC_KIND_ENUM, AT(share_responses),
	    .preset = "yes", .words = oc_config_switches },
	{ "password-source", OC_KIND_STRING, AT(password_source),
	    .check = oc_config_check_secret_source },
	{ "signing-journal", OC_KIND_PATH, AT(signing_journal) },
	{ "signing-journal-size", OC_KIND_INT, AT(signing_journal_mib),
	    .preset = "32", .min = 1, .max = 512 },
	{ NULL }
};
#undef AT

#define AT(field) .offset = offsetof(struct oc_config_daemon, field)
static const struct oc_config_key daemon_keys[] = {
	{ "run-directory", OC_KIND_PATH, AT(run_directory),
	    .preset = OCSIGN_RUNDIR, .check = check_run_directory },
	{ "table-directory", OC_KIND_PATH, AT(table_directory),
	    .preset = OCSIGN_STATEDIR "/tables" },
	{ "signer-directory", OC_KIND_PATH, AT(signer_directory) },
	{ "fetch-directory", OC_KIND_PATH, AT(fetch_directory),
	    .preset = OCSIGN_STATEDIR "/fetched" },
	{ "signer-user", OC_KIND_STRING, AT(signer_user),
	    .check = check_user },
	{ "status-user", OC_KIND_STRING, AT(status_user),
	    .check = check_user },
	{ "responder-user", OC_KIND_STRING, AT(responder_user),
	    .check = check_user },
	{ "issuer-user", OC_KIND_STRING, AT(issuer_user),
	    .check = check_user },
	{ "fetcher-user", OC_KIND_STRING, AT(fetcher_user),
	    .check = check_user },
	{ "validator-user", OC_KIND_STRING, AT(validator_user),
	    .check = check_user },
	{ "operators", OC_KIND_LIST, AT(operators), .check = check_user },
	{ "log-level", OC_KIND_ENUM, AT(log_level), .preset = "notice",
	    .words = log_levels },
	{ "renew-every", OC_KIND_DURATION, AT(renew_every_s), .preset = "1h",
	    .min = 0, .max = 7 * DAY },
	{ NULL }
};
#undef AT

#define AT(field) .offset = offsetof(struct oc_config_responder, field)
static const struct oc_config_key responder_keys[] = {
	{ "listen", OC_KIND_LIST, AT(listen),
	    .preset = "127.0.0.1:8889 [::1]:8889", .check = check_listen },
	{ "workers", OC_KIND_INT, AT(workers), .preset = "1",
	    .min = 1, .max = 64 },
	{ "idle-timeout", OC_KIND_DURATION, AT(idle_timeout_s),
	    .preset = "30s", .min = 1, .max = HOUR },
	{ "header-timeout", OC_KIND_DURATION, AT(header_timeout_s),
	    .preset = "5s", .min = 1, .max = HOUR },
	{ "connections-max", OC_KIND_INT, AT(connections_max),
	    .preset = "10000", .min = 1, .max = 1000000 },
	{ "connections-per-address", OC_KIND_INT, AT(address_max),
	    .preset = "1000", .min = 0, .max = 1000000 },
	{ "misses-per-address", OC_KIND_INT, AT(misses_each),
	    .preset = "100", .min = 0, .max = 1000000 },
	{ "exempt-addresses", OC_KIND_LIST, AT(exempt),
	    .preset = "127.0.0.0/8 ::1",
	    .check = oc_config_check_addresses },
	{ "prefix", OC_KIND_STRING, AT(prefix), .preset = "/",
	    .check = check_prefix },
	{ "nonce-budget", OC_KIND_INT, AT(nonce_budget), .preset = "100",
	    .min = 0, .max = 1000000 },
	{ "request-signature-budget", OC_KIND_INT,
	    AT(request_signature_budget), .preset = "200",
	    .min = 5, .max = 1000000 },
	{ "max-age", OC_KIND_DURATION, AT(max_age_s),
	    .min = 1, .max = 400 * DAY },
	{ "refuse", OC_KIND_FLAGS, AT(refuse), .words = refusals },
	{ "tolerate", OC_KIND_FLAGS, AT(tolerate), .words = tolerations },
	{ "critical-extension", OC_KIND_ENUM, AT(critical_extension),
	    .preset = "unauthorized", .words = criticals },
	{ "serve-files", OC_KIND_ENUM, AT(serve_files), .preset = "yes",
	    .words = oc_config_switches },
	{ NULL }
};
#undef AT

#define AT(field) .offset = offsetof(struct oc_config_api, field)
static const struct oc_config_key api_keys[] = {
	{ "listen", OC_KIND_LIST, AT(listen), .check = check_listen },
	{ "tls-certificate", OC_KIND_PATH, AT(tls_certificate) },
	{ "tls-key", OC_KIND_PATH, AT(tls_key) },
	{ "allow-plain", OC_KIND_ENUM, AT(allow_plain), .preset = "no",
	    .words = oc_config_switches },
	{ "connections-max", OC_KIND_INT, AT(connections_max),
	    .preset = "512", .min = 1, .max = 10000 },
	{ "connections-per-address", OC_KIND_INT, AT(address_max),
	    .preset = "64", .min = 1, .max = 10000 },
	{ "header-timeout", OC_KIND_DURATION, AT(header_timeout_s),
	    .preset = "5s", .min = 1, .max = HOUR },
	{ "request-timeout", OC_KIND_DURATION, AT(request_timeout_s),
	    .preset = "20s", .min = 1, .max = HOUR },
	{ "idle-timeout", OC_KIND_DURATION, AT(idle_timeout_s),
	    .preset = "30s", .min = 1, .max = HOUR },
	{ "issuers", OC_KIND_LIST, AT(issuers) },
	{ "profiles", OC_KIND_LIST, AT(profiles) },
	{ "endpoints", OC_KIND_LIST, AT(endpoints),
	    .preset = "health info certinfo sign authsign newkey newcert",
	    .check = check_endpoint },
	{ "auth-window", OC_KIND_DURATION, AT(auth_window_s),
	    .preset = "10m", .min = 1, .max = DAY },
	{ "require-nonce", OC_KIND_ENUM, AT(require_nonce), .preset = "no",
	    .words = oc_config_switches },
	{ "origin-rsa", OC_KIND_STRING, AT(origin_rsa) },
	{ "origin-ecc", OC_KIND_STRING, AT(origin_ecc) },
	{ NULL }
};
#undef AT

#define AT(field) .offset = offsetof(struct oc_config_metrics, field)
static const struct oc_config_key metrics_keys[] = {
	{ "listen", OC_KIND_LIST, AT(listen), .check = check_listen },
	{ "allow-remote", OC_KIND_ENUM, AT(allow_remote), .preset = "no",
	    .words = oc_config_switches },
	{ NULL }
};
#undef AT

#define AT(field) .offset = offsetof(struct oc_config_policy, field)
static const struct oc_config_key policy_keys[] = {
	{ "blocklist", OC_KIND_PATH, AT(blocklist) },
	{ NULL }
};
#undef AT

#define AT(field) .offset = offsetof(struct oc_config_token, field)
static const struct oc_config_key token_keys[] = {
	{ "module", OC_KIND_STRING, AT(module), OC_KEY_REQUIRED,
	    .check = oc_config_check_module },
	{ "uri", OC_KIND_STRING, AT(uri), OC_KEY_REQUIRED,
	    .check = oc_config_check_uri },
	{ "weight", OC_KIND_INT, AT(weight), .preset = "100",
	    .min = 0, .max = 1000 },
	{ "pin-source", OC_KIND_STRING, AT(pin_source),
	    .check = oc_config_check_secret_source },
	{ "sessions", OC_KIND_INT, AT(sessions), .preset = "4",
	    .min = 1, .max = 64 },
	{ "timeout", OC_KIND_DURATION, AT(timeout_s), .preset = "10s",
	    .min = 1, .max = HOUR },
	{ "keep-alive", OC_KIND_DURATION, AT(keep_alive_s), .preset = "0s",
	    .min = 0, .max = DAY },
	{ "environment", OC_KIND_LIST, AT(environment),
	    .check = oc_config_check_environment },
	{ "init-args", OC_KIND_STRING, AT(init_args) },
	{ "network", OC_KIND_LIST, AT(network), .preset = "no",
	    .check = check_network },
	{ "devices", OC_KIND_LIST, AT(devices), .check = check_device },
	{ "paths", OC_KIND_LIST, AT(paths), .check = check_path },
	{ NULL }
};
#undef AT

#define AT(field) .offset = offsetof(struct oc_config_issuer, field)
static const struct oc_config_key issuer_keys[] = {
	{ "certificate", OC_KIND_PATH, AT(certificate), OC_KEY_REQUIRED },
	{ "chain", OC_KIND_PATH, AT(chain) },
	{ "alternate-chain", OC_KIND_LIST, AT(alternate_chain),
	    .check = check_path },
	{ "token", OC_KIND_LIST, AT(tokens) },
	{ "key", OC_KIND_STRING, AT(key) },
	{ "algorithm", OC_KIND_ENUM, AT(algorithm), .words = algorithms },
	{ "responses", OC_KIND_PATH, AT(responses) },
	{ "ocsp-certificate", OC_KIND_PATH, AT(ocsp_certificate) },
	{ "ocsp-token", OC_KIND_LIST, AT(ocsp_tokens) },
	{ "ocsp-key", OC_KIND_STRING, AT(ocsp_key) },
	{ "ocsp-algorithm", OC_KIND_ENUM, AT(ocsp_algorithm),
	    .words = algorithms },
	{ "ocsp-url", OC_KIND_STRING, AT(ocsp_url),
	    .check = oc_config_check_url },
	{ "ca-issuers-url", OC_KIND_STRING, AT(ca_issuers_url),
	    .check = oc_config_check_url },
	{ "crl-url", OC_KIND_STRING, AT(crl_url),
	    .check = oc_config_check_url },
	{ "crl-file", OC_KIND_PATH, AT(crl_file) },
	{ "crl-delta-file", OC_KIND_PATH, AT(crl_delta_file) },
	{ "crl-delta-fetch", OC_KIND_LIST, AT(crl_delta_fetch),
	    .check = oc_config_check_delta },
	{ "crl-fetch", OC_KIND_LIST, AT(crl_fetch),
	    .check = oc_config_check_fetched },
	{ "crl-fetch-interval", OC_KIND_DURATION, AT(crl_fetch_interval_s),
	    .preset = "1h", .min = 10, .max = 7 * DAY },
	{ "crl-fetch-timeout", OC_KIND_DURATION, AT(crl_fetch_timeout_s),
	    .preset = "1m", .min = 1, .max = HOUR },
	{ "crl-fetch-ca", OC_KIND_PATH, AT(crl_fetch_ca) },
	{ "crl-fetch-proxy", OC_KIND_STRING, AT(crl_fetch_proxy),
	    .check = oc_config_check_proxy },
	{ "crl-dropped", OC_KIND_INT, AT(crl_dropped), .preset = "0",
	    .min = 0, .max = 100 },
	{ "source", OC_KIND_ENUM, AT(source), .preset = "store",
	    .words = sources },
	{ "index-file", OC_KIND_PATH, AT(index_file) },
	{ "certdb-file", OC_KIND_PATH, AT(certdb_file) },
	{ "certdb-database", OC_KIND_STRING, AT(certdb_database),
	    .check = check_database },
	{ "certdb-network", OC_KIND_LIST, AT(certdb_network),
	    .preset = "no", .check = check_network },
	{ "certdb-password-source", OC_KIND_STRING,
	    AT(certdb_password_source),
	    .check = oc_config_check_secret_source },
	{ "source-dropped", OC_KIND_INT, AT(source_dropped), .preset = "0",
	    .min = 0, .max = 100 },
	{ "source-max-age", OC_KIND_DURATION, AT(source_max_age_s),
	    .preset = "4d", .min = MINUTE, .max = 400 * DAY },
	{ "unlisted", OC_KIND_ENUM, AT(unlisted), .preset = "unauthorized",
	    .words = unlisteds },
	{ "issued", OC_KIND_PATH, AT(issued) },
	{ "crl-lifetime", OC_KIND_DURATION, AT(crl_lifetime_s),
	    .preset = "7d", .min = MINUTE, .max = 5 * YEAR },
	{ "crl-publish", OC_KIND_ENUM, AT(crl_publish), .words = publishes },
	{ "crl-every", OC_KIND_DURATION, AT(crl_every_s),
	    .min = 10, .max = 5 * YEAR },
	{ "crl-overlap", OC_KIND_DURATION, AT(crl_overlap_s),
	    .min = 1, .max = 5 * YEAR },
	{ "crl-spacing", OC_KIND_DURATION, AT(crl_spacing_s),
	    .preset = "1m", .min = 1, .max = DAY },
	{ "crl-partitions", OC_KIND_INT, AT(crl_partitions), .preset = "0",
	    .min = 0, .max = OC_CRL_PARTITIONS_MAX },
	{ "crl-partitions-open", OC_KIND_INT, AT(crl_partitions_open),
	    .min = 1, .max = OC_CRL_PARTITIONS_MAX },
	{ "crl-delta-url", OC_KIND_STRING, AT(crl_delta_url),
	    .check = oc_config_check_url },
	{ "crl-delta-lifetime", OC_KIND_DURATION, AT(crl_delta_lifetime_s),
	    .preset = "1d", .min = MINUTE, .max = 400 * DAY },
	{ "freshest-crl", OC_KIND_FLAGS, AT(freshest_crl), .preset = "crl",
	    .words = freshests },
	{ "ocsp-lifetime", OC_KIND_DURATION, AT(ocsp_lifetime_s),
	    .preset = "4d", .min = MINUTE, .max = 400 * DAY },
	{ "ocsp-backdate", OC_KIND_DURATION, AT(ocsp_backdate_s),
	    .preset = "5m", .min = 0, .max = DAY },
	{ "presign", OC_KIND_ENUM, AT(presign), .preset = "all",
	    .words = presigns },
	{ "nonce", OC_KIND_ENUM, AT(nonce), .preset = "live",
	    .words = nonces },
	{ "unknown", OC_KIND_ENUM, AT(unknown), .preset = "unauthorized",
	    .words = unknowns },
	{ "responder-id", OC_KIND_ENUM, AT(responder_id), .preset = "key",
	    .words = responder_ids },
	{ "archive-cutoff", OC_KIND_DURATION, AT(archive_cutoff_s),
	    .min = 1, .max = 50 * YEAR },
	{ "crl-reference", OC_KIND_ENUM, AT(crl_reference), .preset = "no",
	    .words = oc_config_switches },
	{ "signed-requests", OC_KIND_ENUM, AT(signed_requests),
	    .preset = "ignore", .words = signed_requests },
	{ "requestor-ca", OC_KIND_PATH, AT(requestor_ca) },
	{ "on-compromise", OC_KIND_ENUM, AT(on_compromise),
	    .preset = "revoked", .words = compromises },
	{ "compromised-since", OC_KIND_DATE, AT(compromised_since) },
	{ "allow", OC_KIND_FLAGS, AT(allow),
	    .preset = "certificate crl ocsp", .words = allows },
	{ "allow-ca", OC_KIND_ENUM, AT(allow_ca), .preset = "yes",
	    .words = oc_config_switches },
	{ "max-path-length", OC_KIND_INT, AT(max_path_length),
	    .min = 0, .max = 16 },
	{ "max-validity", OC_KIND_DURATION, AT(max_validity_s),
	    .min = MINUTE, .max = 100 * YEAR },
	{ "permitted-ekus", OC_KIND_LIST, AT(permitted_ekus) },
	{ "permitted-dns", OC_KIND_LIST, AT(permitted_dns),
	    .check = oc_config_check_domain },
	{ "excluded-dns", OC_KIND_LIST, AT(excluded_dns),
	    .check = oc_config_check_domain },
	{ "critical-extensions", OC_KIND_LIST, AT(critical_extensions) },
	{ NULL }
};
#undef AT

#define AT(field) .offset = offsetof(struct oc_config_ocsp_signer, field)
static const struct oc_config_key ocsp_signer_keys[] = {
	{ "issuer", OC_KIND_STRING, AT(issuer), OC_KEY_REQUIRED },
	{ "certificate", OC_KIND_PATH, AT(certificate), OC_KEY_REQUIRED },
	{ "token", OC_KIND_LIST, AT(tokens) },
	{ "key", OC_KIND_STRING, AT(key), OC_KEY_REQUIRED },
	{ "algorithm", OC_KIND_ENUM, AT(algorithm), .words = algorithms },
	{ "presign", OC_KIND_ENUM, AT(presign), .preset = "asked",
	    .words = presigns },
	{ NULL }
};
#undef AT

#define AT(field) .offset = offsetof(struct oc_config_profile, field)
static const struct oc_config_key profile_keys[] = {
	{ "based-on", OC_KIND_STRING, AT(based_on), OC_KEY_REQUIRED },
	{ "validity", OC_KIND_DURATION, AT(validity_s),
	    .min = MINUTE, .max = 100 * YEAR },
	{ "backdate", OC_KIND_DURATION, AT(backdate_s),
	    .min = 0, .max = 2 * DAY },
	{ "key-usage", OC_KIND_LIST, AT(key_usage) },
	{ "extended-key-usage", OC_KIND_LIST, AT(extended_key_usage) },
	{ "path-length", OC_KIND_INT, AT(path_length), .min = 0, .max = 16 },
	{ "subject", OC_KIND_ENUM, AT(subject), .words = subjects },
	{ "subject-name", OC_KIND_STRING, AT(subject_name) },
	{ "validity-choices", OC_KIND_LIST, AT(validity_choices) },
	{ "exact-validity", OC_KIND_ENUM, AT(exact_validity),
	    .words = yes_no },
	{ "not-before-rounding", OC_KIND_DURATION, AT(not_before_rounding_s),
	    .min = 1, .max = DAY },
	{ "key-types", OC_KIND_FLAGS, AT(key_types), .words = key_types },
	{ "name-kinds", OC_KIND_FLAGS, AT(name_kinds), .words = name_kinds },
	{ "names-max", OC_KIND_INT, AT(names_max), .min = 1, .max = 200 },
	{ "wildcard", OC_KIND_ENUM, AT(wildcard), .words = wildcards },
	{ "name-whitelist", OC_KIND_STRING, AT(name_whitelist) },
	{ "permitted-names", OC_KIND_STRING, AT(permitted_names) },
	{ "excluded-names", OC_KIND_STRING, AT(excluded_names) },
	{ "policies", OC_KIND_STRING, AT(policies) },
	{ "copy-extensions", OC_KIND_LIST, AT(copy_extensions) },
	{ "allowed-extensions", OC_KIND_LIST, AT(allowed_extensions) },
	{ "issuers", OC_KIND_LIST, AT(issuers) },
	{ "auth-key", OC_KIND_STRING, AT(auth_key) },
	{ "account-names", OC_KIND_FLAGS, AT(account_names),
	    .words = account_names },
	{ "lint-exempt", OC_KIND_LIST, AT(lint_exempt) },
	{ NULL }
};
#undef AT

#define AT(field) .offset = offsetof(struct oc_config_cfssl, field)
static const struct oc_config_key cfssl_keys[] = {
	{ "config", OC_KIND_PATH, AT(config) },
	{ NULL }
};
#undef AT

#define SINGLE(field) .offset = offsetof(struct oc_config, field)
#define NAMED(field, item) \
	.offset = offsetof(struct oc_config, field), \
	.num_offset = offsetof(struct oc_config, num_##field), \
	.item_size = sizeof(struct item), \
	.name_offset = offsetof(struct item, name), \
	.file_offset = offsetof(struct item, file), \
	.line_offset = offsetof(struct item, line)
const struct oc_config_section oc_config_sections[] = {
	{ "store", store_keys, SINGLE(store) },
	{ "daemon", daemon_keys, SINGLE(daemon) },
	{ "responder", responder_keys, SINGLE(responder) },
	{ "api", api_keys, SINGLE(api) },
	{ "metrics", metrics_keys, SINGLE(metrics) },
	{ "policy", policy_keys, SINGLE(policy) },
	{ "cfssl", cfssl_keys, SINGLE(cfssl) },
	{ "validation", oc_config_validation_keys, SINGLE(validation) },
	{ "token", token_keys, NAMED(tokens, oc_config_token) },
	{ "issuer", issuer_keys, NAMED(issuers, oc_config_issuer) },
	{ "ocsp-signer", ocsp_signer_keys,
	    NAMED(ocsp_signers, oc_config_ocsp_signer) },
	{ "profile", profile_keys, NAMED(profiles, oc_config_profile) },
	{ NULL }
};
