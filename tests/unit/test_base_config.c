/* SPDX-License-Identifier: Apache-2.0 */
/* The typed configuration: what each key takes, and each wrong line's text. */
#include "base_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/config.h"

#define DAY_S 86400

#define TOKEN "[token t]\nmodule = /m.so\nuri = pkcs11:token=t\n"
#define ISSUER TOKEN "[issuer i]\ncertificate = ca.pem\ntoken = t\nkey = k\n"

#define BY_CRL "source = crl\ncrl-file = f\n"
#define BY_INDEX "source = index\nindex-file = f\n"
#define SIGNER "[ocsp-signer s]\nissuer = i\ncertificate = o\nkey = k\n"

static struct oc_config *
load(const char *text)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_config *config = NULL;

	base_test_put_text("ocsign.conf", text);
	if (oc_config_load("ocsign.conf", &config, &errors) != OC_OK)
		fail_msg("%s", errors.list[0].text);
	return config;
}

static void
test_presets(void **state)
{
	struct oc_config *c = load("");

	(void)state;
	assert_string_equal(c->path, "ocsign.conf");
	assert_string_equal(c->store.path, OCSIGN_STATEDIR "/store.db");
	assert_string_equal(oc_config_store_where(c), c->store.path);
	assert_string_equal(c->daemon.run_directory, OCSIGN_RUNDIR);
	assert_string_equal(c->daemon.table_directory,
	    OCSIGN_STATEDIR "/tables");
	assert_int_equal(c->daemon.log_level, OC_LOG_NOTICE);
	assert_int_equal(c->responder.listen.num, 2);
	assert_string_equal(c->responder.listen.words[0], "127.0.0.1:8889");
	assert_string_equal(c->responder.listen.words[1], "[::1]:8889");
	assert_int_equal(c->responder.workers, 1);
	assert_int_equal(c->responder.idle_timeout_s, 30);
	assert_int_equal(c->responder.header_timeout_s, 5);
	assert_int_equal(c->responder.connections_max, 10000);
	assert_int_equal(c->responder.address_max, 1000);
	assert_int_equal(c->responder.misses_each, 100);
	assert_int_equal(c->responder.exempt.num, 2);
	assert_string_equal(c->responder.exempt.words[1], "::1");
	assert_string_equal(c->responder.prefix, "/");
	assert_int_equal(c->responder.nonce_budget, 100);
	assert_int_equal(c->responder.request_signature_budget, 200);
	assert_int_equal(c->responder.max_age_s, OC_CONFIG_UNSET);
	assert_int_equal(c->responder.refuse, 0);
	assert_int_equal(c->responder.tolerate, 0);
	assert_int_equal(c->responder.critical_extension,
	    OC_CRITICAL_UNAUTHORIZED);
	assert_int_equal(c->num_tokens + c->num_issuers + c->num_profiles, 0);
	assert_null(oc_config_find_token(c, "t"));
	oc_config_free(c);

	c = load(ISSUER "[profile p]\nbased-on = server\n");
	assert_null(c->tokens[0].pin_source);
	assert_int_equal(c->tokens[0].sessions, 4);
	assert_int_equal(c->tokens[0].timeout_s, 10);
	assert_int_equal(c->tokens[0].environment.num, 0);
	assert_int_equal(c->tokens[0].line, 1);
	assert_string_equal(c->issuers[0].file, "ocsign.conf");
	assert_int_equal(c->issuers[0].line, 4);
	assert_null(c->issuers[0].chain);
	assert_int_equal(c->tokens[0].weight, 100);
	assert_int_equal(c->issuers[0].ocsp_tokens.num, 0);
	assert_null(c->issuers[0].ocsp_url);
	assert_int_equal(c->issuers[0].crl_lifetime_s, 604800);
	assert_int_equal(c->issuers[0].ocsp_lifetime_s, 345600);
	assert_int_equal(c->issuers[0].ocsp_backdate_s, 300);
	assert_int_equal(c->issuers[0].presign, OC_PRESIGN_ALL);
	assert_int_equal(c->issuers[0].nonce, OC_NONCE_LIVE);
	assert_int_equal(c->issuers[0].unknown, OC_UNKNOWN_UNAUTHORIZED);
	assert_int_equal(c->issuers[0].signed_requests,
	    OC_SIGNED_REQUESTS_IGNORE);
	assert_null(c->issuers[0].requestor_ca);
	assert_int_equal(c->issuers[0].responder_id, OC_RESPONDER_ID_KEY);
	assert_int_equal(c->issuers[0].archive_cutoff_s, OC_CONFIG_UNSET);
	assert_int_equal(c->issuers[0].crl_reference, OC_SWITCH_NO);
	assert_int_equal(c->issuers[0].allow, OC_ALLOW_CERTIFICATE |
	    OC_ALLOW_CRL | OC_ALLOW_OCSP);
	assert_int_equal(c->profiles[0].validity_s, OC_CONFIG_UNSET);
	assert_int_equal(c->profiles[0].path_length, OC_CONFIG_UNSET);
	assert_int_equal(c->profiles[0].subject, OC_SUBJECT_UNSET);
	assert_int_equal(c->profiles[0].key_usage.num, 0);
	oc_config_free(c);
	oc_config_free(NULL);
}

static const char all_keys[] =
	    "[store]\npath = ./db/store.db\ndatabase = host=a,b dbname=x\n"
	    "database-network = 192.0.2.0/24 ::1\n"
	    "password-source = db.txt\n"
	    "[daemon]\nrun-directory = run\ntable-directory = /t\n"
	    "log-level = debug\n"
	    "[responder]\nlisten = 0.0.0.0:80\t[2001:db8::1]:0\nworkers = 64\n"
	    "idle-timeout = 1m\nheader-timeout = 10s\nconnections-max = 5\n"
	    "connections-per-address = 0\nmisses-per-address = 7\n"
	    "exempt-addresses = 192.0.2.0/24 ::1\n"
	    "prefix = /ocsp/\nnonce-budget = 0\nmax-age = 2h\n"
	    "refuse = no-basic other-types\ntolerate = other-issuers crlf\n"
	    "critical-extension = malformed\nrequest-signature-budget = 7\n"
	    "[token a]\nmodule = /m.so\nuri = pkcs11:token=a\n"
	    "pin-source = pin.txt\nsessions = 64\ntimeout = 3s\n"
	    "environment = A=./x B=y C=\n"
	    "[token b]\nmodule = /m.so\nuri = pkcs11:token=b\nweight = 0\n"
	    "pin-source = fd:7\n"
	    "[issuer i]\ncertificate = ca.pem\nchain = /chain.pem\n"
	    "token = b a\nkey = pkcs11:object=k\nocsp-certificate = o.pem\n"
	    "ocsp-token = a\nocsp-key = o\nocsp-url = http://o.example/\n"
	    "ca-issuers-url = http://x.example/ca.cer\n"
	    "crl-url = http://x.example/crl\ncrl-lifetime = 2w\n"
	    "ocsp-lifetime = 8h\nocsp-backdate = 0s\npresign = asked\n"
	    "nonce = ignore\nunknown = unknown\nallow = ocsp crl\n"
	    "signed-requests = require\nrequestor-ca = r.pem\n"
	    "responder-id = name\narchive-cutoff = 2y\ncrl-reference = yes\n"
	    "[issuer j]\ncertificate = j.pem\ntoken = b\nkey = j\n"
	    "ocsp-certificate = o.pem\nocsp-key = o\n"
	    "[profile p]\nbased-on = q\nvalidity = 90d\nbackdate = 1h\n"
	    "key-usage = digitalSignature keyEncipherment\n"
	    "extended-key-usage = serverAuth 1.2.3\npath-length = 0\n"
	    "subject = fixed\nsubject-name = CN=x, O=y\n"
	    "[profile q]\nbased-on = client\nsubject = csr\n";

/* An issuer whose own key is elsewhere. */
static void
test_by_crl(void **state)
{
	struct oc_config *c = load(TOKEN "[issuer i]\ncertificate = c\n"
	    BY_CRL "unlisted = good\nissued = l\nunknown = revoked\n"
	    "crl-dropped = 5\nocsp-certificate = o\nocsp-token = t\n"
	    "ocsp-key = k\n");
	const struct oc_config_issuer *i = &c->issuers[0];

	(void)state;
	assert_int_equal(i->source, OC_SOURCE_CRL);
	assert_int_equal(i->unlisted, OC_UNLISTED_GOOD);
	assert_string_equal(strrchr(i->crl_file, '/'), "/f");
	assert_string_equal(strrchr(i->issued, '/'), "/l");
	assert_int_equal(i->crl_dropped, 5);
	assert_int_equal(i->allow, OC_ALLOW_OCSP);
	assert_int_equal(i->tokens.num, 0);
	assert_null(i->key);
	oc_config_free(c);
	c = load("[daemon]\ntable-directory = /t\n" ISSUER
	    "crl-file = /t/in/i.crl\n");
	assert_int_equal(c->issuers[0].source, OC_SOURCE_STORE);
	assert_true((c->issuers[0].allow & OC_ALLOW_CRL) != 0);
	oc_config_free(c);
}

static void
test_all_keys(void **state)
{
	struct oc_config *c = load(all_keys);
	const struct oc_config_token *t = oc_config_find_token(c, "a");
	const struct oc_config_issuer *i = oc_config_find_issuer(c, "i");
	const struct oc_config_profile *p = oc_config_find_profile(c, "p");
	char *cwd = realpath(".", NULL), path[4200];

	(void)state;
	assert_string_equal(c->directory, cwd);
	snprintf(path, sizeof(path), "%s/db/store.db", cwd);
	assert_string_equal(c->store.path, path);
	snprintf(path, 4200, "file:%s/db.txt\nhost=a,b dbname=x", cwd);
	assert_string_equal(oc_config_store_where(c), path);
	assert_int_equal(c->store.database_network.num, 2);
	snprintf(path, sizeof(path), "%s/run", cwd);
	assert_string_equal(c->daemon.run_directory, path);
	assert_string_equal(c->daemon.table_directory, "/t");
	assert_int_equal(c->daemon.log_level, OC_LOG_DEBUG);
	assert_string_equal(c->responder.listen.words[1], "[2001:db8::1]:0");
	assert_int_equal(c->responder.workers, 64);
	assert_int_equal(c->responder.idle_timeout_s, 60);
	assert_int_equal(c->responder.address_max, 0);
	assert_int_equal(c->responder.misses_each, 7);
	assert_string_equal(c->responder.exempt.words[0], "192.0.2.0/24");
	assert_string_equal(c->responder.prefix, "/ocsp/");
	assert_int_equal(c->responder.nonce_budget, 0);
	assert_int_equal(c->responder.request_signature_budget, 7);
	assert_int_equal(c->responder.max_age_s, 7200);
	assert_int_equal(c->responder.refuse, OC_REFUSE_NO_BASIC |
	    OC_REFUSE_OTHER_TYPES);
	assert_int_equal(c->responder.tolerate, OC_TOLERATE_CRLF |
	    OC_TOLERATE_OTHER_ISSUERS);
	assert_int_equal(c->responder.critical_extension,
	    OC_CRITICAL_MALFORMED);
	assert_non_null(t);
	snprintf(path, sizeof(path), "file:%s/pin.txt", cwd);
	assert_string_equal(t->pin_source, path);
	assert_string_equal(c->tokens[1].pin_source, "fd:7");
	assert_int_equal(t->environment.num, 3);
	snprintf(path, sizeof(path), "A=%s/x", cwd);
	assert_string_equal(t->environment.words[0], path);
	assert_string_equal(t->environment.words[1], "B=y");
	assert_string_equal(t->environment.words[2], "C=");
	assert_non_null(i);
	snprintf(path, sizeof(path), "%s/ca.pem", cwd);
	assert_string_equal(i->certificate, path);
	assert_string_equal(i->chain, "/chain.pem");
	assert_int_equal(i->tokens.num, 2);
	assert_string_equal(i->tokens.words[0], "b");
	assert_string_equal(i->tokens.words[1], "a");
	assert_int_equal(i->ocsp_tokens.num, 1);
	assert_string_equal(i->ocsp_tokens.words[0], "a");
	assert_int_equal(c->issuers[1].ocsp_tokens.num, 0);
	assert_int_equal(c->tokens[1].weight, 0);
	assert_int_equal(i->crl_lifetime_s, 1209600);
	assert_int_equal(i->ocsp_backdate_s, 0);
	assert_int_equal(i->presign, OC_PRESIGN_ASKED);
	assert_int_equal(i->nonce, OC_NONCE_IGNORE);
	assert_int_equal(i->unknown, OC_UNKNOWN_UNKNOWN);
	assert_int_equal(i->responder_id, OC_RESPONDER_ID_NAME);
	assert_int_equal(i->archive_cutoff_s, 2 * 31536000);
	assert_int_equal(i->crl_reference, OC_SWITCH_YES);
	assert_int_equal(i->signed_requests, OC_SIGNED_REQUESTS_REQUIRE);
	snprintf(path, sizeof(path), "%s/r.pem", cwd);
	assert_string_equal(i->requestor_ca, path);
	assert_int_equal(i->allow, OC_ALLOW_CRL | OC_ALLOW_OCSP);
	assert_non_null(p);
	assert_string_equal(p->based_on, "q");
	assert_int_equal(p->validity_s, 90 * 86400);
	assert_int_equal(p->backdate_s, 3600);
	assert_int_equal(p->key_usage.num, 2);
	assert_string_equal(p->key_usage.words[1], "keyEncipherment");
	assert_string_equal(p->extended_key_usage.words[1], "1.2.3");
	assert_int_equal(p->path_length, 0);
	assert_int_equal(p->subject, OC_SUBJECT_FIXED);
	assert_string_equal(p->subject_name, "CN=x, O=y");
	assert_int_equal(c->profiles[1].subject, OC_SUBJECT_CSR);
	assert_null(oc_config_find_issuer(c, "I"));
	assert_null(oc_config_find_profile(c, "server"));
	free(cwd);
	oc_config_free(c);
}

/* Each has exactly one error. */
static const struct {
	const char *text;
	const char *error;	/* behind "ocsign.conf:" */
} bad[] = {
	/* Sections and keys. */
	{ "[isuer x]\n", "1: [isuer x]: there is no such section; did you "
	    "mean [issuer]?" },
	{ "[whatever]\nk = v\n", "1: [whatever]: there is no such section; "
	    "the sections are store, daemon, responder, api, acme, "
	    "metrics, policy, cfssl, token, issuer, ocsp-signer and profile" },
	{ "[store x]\n", "1: [store x]: there is only one such section; "
	    "write [store]" },
	{ "[token]\n", "1: [token]: the section needs a name; write "
	    "[token NAME]" },
	{ "[daemon]\nlog-levle = info\n", "2: [daemon] log-levle: there is "
	    "no such key; did you mean log-level?" },
	{ "[store]\nsomething-else = x\n", "2: [store] something-else: there "
	    "is no such key in [store]; see ocsign.conf(5)" },
	{ "[store]\ndatabase = host=a password=b\n", "2: [store] database: "
	    "has a password, which is not for here: put it into a file that "
	    "password-source names" },
	{ "[store]\ndatabase = postgres://u:x@h/d\n", "2: [store] database: "
	    "has a password, which is not for here: put it into a file that "
	    "password-source names" },
	{ "[store]\ndatabase = /run/pg\n", "2: [store] database: is no "
	    "connection string of PostgreSQL; write keywords such as "
	    "\"host=a,b dbname=ocsign\", or a postgresql:// URI" },
	{ "[store]\npassword-source = file:/p\n", "2: [store] "
	    "password-source: is given without database; add that or remove "
	    "this" },
	{ "[store]\ndatabase = host=a\npassword-source = 4711\n",
	    "3: [store] password-source: no path; write file:/PATH, fd:N or "
	    "credential:NAME" },
	{ "[store]\ndatabase-network = yes ::1\n", "2: [store] "
	    "database-network: is yes, no, or addresses; remove one of "
	    "them" },
	{ "[token t]\nuri = pkcs11:token=t\n", "1: [token t] module: is "
	    "missing; add it" },
	{ "[token t]\nmodule = /m.so\n", "1: [token t] uri: is missing; add "
	    "it" },
	{ TOKEN "[issuer i]\ncertificate = c\ntoken = t\n", "4: [issuer i] "
	    "key: is missing; add it" },
	{ TOKEN "[issuer i]\nkey = k\ntoken = t\n", "4: [issuer i] "
	    "certificate: is missing; add it" },
	{ "[issuer i]\nkey = k\ncertificate = c\n", "1: [issuer i] token: is "
	    "missing; add it" },
	{ "[issuer i]\ncertificate = c\nresponses = r\ncompromised-since = "
	    "2999-01-01\n", "4: [issuer i] compromised-since: 2999-01-01 lies "
	    "in the future" },
	{ "[issuer i]\ncertificate = c\nresponses = r\ncompromised-since = "
	    "now\n", "4: [issuer i] compromised-since: \"now\" is no date; "
	    "write 2026-11-23 or 2026-11-23T22:00:00Z" },
	{ "[issuer i]\ncertificate = c\nresponses = r\nkey = k\n", "4: "
	    "[issuer i] key: asks for what is signed here, and with responses "
	    "nothing is; remove one of the two" },
	{ "[issuer i]\ncertificate = c\nresponses = r\nnonce = require\n",
	    "4: [issuer i] nonce: asks for what is signed here, and with "
	    "responses nothing is; remove one of the two" },
	{ "[issuer i]\ncertificate = c\nresponses = r\nsigned-requests = "
	    "require\n", "4: [issuer i] requestor-ca: is missing; "
	    "signed-requests needs it" },
	{ "[issuer i]\ncertificate = c\nresponses = r\ncrl-reference = "
	    "yes\n", "4: [issuer i] crl-reference: is given without crl-url; "
	    "add that or remove this" },
	{ "[issuer i]\ncertificate = c\nresponses = r\nallow = crl\n", "4: "
	    "[issuer i] allow: has no \"ocsp\", and responses are nothing "
	    "else" },
	{ "[profile p]\n", "1: [profile p] based-on: is missing; add it" },
	/* By a CRL. */
	{ ISSUER "source = crl\n", "8: [issuer i] crl-file: is missing; "
	    "source = crl needs it, or crl-fetch" },
	{ "[issuer i]\ncertificate = c\nkey = k\n" BY_CRL, "1: [issuer i] "
	    "token: is missing; add it" },
	{ TOKEN "[issuer i]\ncertificate = c\n" BY_CRL
	    "ocsp-certificate = o\nocsp-key = k\n", "4: [issuer i] "
	    "ocsp-token: is missing; add it" },
	{ "[issuer i]\ncertificate = c\nresponses = r\n" BY_CRL, "4: [issuer "
	    "i] source: cannot be given with responses, which say themselves "
	    "what is so; remove one of the two" },
	{ ISSUER BY_CRL "allow = certificate crl\n", "10: [issuer i] allow: "
	    "has no \"ocsp\", and source = crl, index or certdb is for nothing "
	    "else" },
	{ ISSUER BY_CRL "archive-cutoff = 1y\n", "10: [issuer i] "
	    "archive-cutoff: cannot be promised with source = crl: a CRL "
	    "drops what has expired; remove it" },
	{ ISSUER "unlisted = good\n", "8: [issuer i] unlisted: is given "
	    "without source = crl; add that or remove this" },
	{ ISSUER BY_CRL "issued = l\n", "10: [issuer i] issued: is given "
	    "without unlisted = good; add that or remove this" },
	{ ISSUER BY_CRL "unlisted = good\nunknown = revoked\n", "11: [issuer "
	    "i] unknown: needs to know what was issued; add issued, or "
	    "remove this" },
	{ "[responder]\nnonce-budget = 0\n" ISSUER BY_CRL
	    "unlisted = good\n", "12: [issuer i] unlisted: nothing would be "
	    "answered with nonce-budget = 0 in [responder]; raise that" },
	{ ISSUER "crl-dropped = 1\n", "8: [issuer i] crl-dropped: is given "
	    "without crl-file; add that or remove this" },
	{ ISSUER "crl-file = f\ncrl-dropped = 101\n", "9: [issuer i] "
	    "crl-dropped: 101 is out of range; write 0 to 100" },
	{ "[daemon]\ntable-directory = /t\n" ISSUER "crl-file = /t/i.crl\n",
	    "10: [issuer i] crl-file: is in table-directory, where "
	    "ocsign-status puts files of its own; choose another folder" },
	/* By a database. */
	{ ISSUER "source = index\n", "8: [issuer i] index-file: is missing; "
	    "source = index needs it" },
	{ ISSUER "source = certdb\n", "8: [issuer i] certdb-file: is missing; "
	    "source = certdb needs it, or certdb-database" },
	{ ISSUER "source = certdb\ncertdb-file = f\ncertdb-database = "
	    "host=a\n", "10: [issuer i] certdb-database: is given beside "
	    "certdb-file; remove one of the two" },
	{ ISSUER "certdb-database = host=a\n", "8: [issuer i] "
	    "certdb-database: is given without source = certdb; add that or "
	    "remove this" },
	{ ISSUER "source = certdb\ncertdb-file = f\n"
	    "certdb-password-source = /p\n", "10: [issuer i] "
	    "certdb-password-source: is given without certdb-database; add "
	    "that or remove this" },
	{ ISSUER "index-file = f\n", "8: [issuer i] index-file: is given "
	    "without source = index; add that or remove this" },
	{ ISSUER BY_INDEX "certdb-file = f\n", "10: [issuer i] certdb-file: "
	    "is given without source = certdb; add that or remove this" },
	{ ISSUER BY_CRL "source-dropped = 1\n", "10: [issuer i] "
	    "source-dropped: is given without source = index or certdb; "
	    "remove it" },
	{ ISSUER "source-max-age = 4d\n", "8: [issuer i] source-max-age: is "
	    "given without source = index or certdb; remove it" },
	{ ISSUER BY_INDEX "source-max-age = 59s\n", "10: [issuer i] "
	    "source-max-age: 59s is too short; write at least "
	    "60s" },
	{ ISSUER BY_INDEX "unlisted = good\n", "10: [issuer i] unlisted: is "
	    "given without source = crl; add that or remove this" },
	{ ISSUER BY_INDEX "allow = crl\n", "10: [issuer i] allow: has no "
	    "\"ocsp\", and source = crl, index or certdb is for nothing "
	    "else" },
	{ "[issuer i]\ncertificate = c\nresponses = r\n" BY_INDEX, "4: "
	    "[issuer i] source: cannot be given with responses, which say "
	    "themselves what is so; remove one of the two" },
	{ "[daemon]\ntable-directory = /t\n" ISSUER "source = index\n"
	    "index-file = /t/i.source\n", "11: [issuer i] index-file: is in "
	    "table-directory, where ocsign-status puts files of its own; "
	    "choose another folder" },
	/* Values. */
	{ "[daemon]\nlog-level = Info\n", "2: [daemon] log-level: \"Info\" "
	    "is none of error, warning, notice, info, debug" },
	{ "[responder]\nworkers = 0\n", "2: [responder] workers: 0 is out of "
	    "range; write 1 to 64" },
	{ "[responder]\nworkers = 65\n", "2: [responder] workers: 65 is out "
	    "of range; write 1 to 64" },
	{ "[responder]\nworkers = two\n", "2: [responder] workers: \"two\" "
	    "is no number; write 1 to 64" },
	{ "[responder]\nexempt-addresses = ::1 192.0.2.1/24\n",
	    "2: [responder] exempt-addresses: \"192.0.2.1/24\" is no address "
	    "and no range of addresses; write 192.0.2.1, 192.0.2.0/24 or "
	    "2001:db8::/32, with nothing but zeros behind the prefix" },
	{ "[responder]\nidle-timeout = 30\n", "2: [responder] idle-timeout: "
	    "\"30\" is no duration; write a number and s, m, h, d, w or y, "
	    "such as 90s or 7d" },
	{ "[responder]\nidle-timeout = 0s\n", "2: [responder] idle-timeout: "
	    "0s is too short; write at least 1s" },
	{ "[responder]\nidle-timeout = 2h\n", "2: [responder] idle-timeout: "
	    "2h is too long; write at most 3600s" },
	{ "[responder]\nmax-age = 0s\n", "2: [responder] max-age: 0s is "
	    "too short; write at least 1s" },
	{ "[responder]\nlisten = 8889\n", "2: [responder] listen: \"8889\" is "
	    "no address and port; write 192.0.2.1:80 or [2001:db8::1]:80" },
	{ "[responder]\nlisten = localhost:80\n", "2: [responder] listen: "
	    "\"localhost:80\" is no address and port; write 192.0.2.1:80 or "
	    "[2001:db8::1]:80" },
	{ "[responder]\nlisten = 127.0.0.1:65536\n", "2: [responder] listen: "
	    "\"127.0.0.1:65536\" is no address and port; write 192.0.2.1:80 "
	    "or [2001:db8::1]:80" },
	{ "[responder]\nlisten = ::1:80\n", "2: [responder] listen: "
	    "\"::1:80\" is no address and port; write 192.0.2.1:80 or "
	    "[2001:db8::1]:80" },
	{ "[responder]\nlisten = [127.0.0.1]:80\n", "2: [responder] listen: "
	    "\"[127.0.0.1]:80\" is no address and port; write 192.0.2.1:80 "
	    "or [2001:db8::1]:80" },
	{ "[responder]\nlisten = [::1]:80 [::1]:80\n", "2: [responder] "
	    "listen: \"[::1]:80\" is there twice; remove one" },
	{ "[responder]\nprefix = ocsp\n", "2: [responder] prefix: \"ocsp\" is "
	    "no URL path prefix; write / or a path such as /ocsp/ that starts "
	    "and ends with '/'" },
	{ "[responder]\nprefix = /a b/\n", "2: [responder] prefix: \"/a b/\" "
	    "is no URL path prefix; write / or a path such as /ocsp/ that "
	    "starts and ends with '/'" },
	{ "[token t]\nmodule = m.so\nuri = pkcs11:token=t\n", "2: [token t] "
	    "module: \"m.so\" is not absolute; write the whole path of the "
	    "PKCS#11 module" },
	{ "[token t]\nmodule = /m.so\nuri = token=t\n", "3: [token t] uri: "
	    "\"token=t\" is no PKCS#11 URI; write pkcs11:token=NAME" },
	{ TOKEN "pin-source = fd:x\n", "4: [token t] pin-source: \"fd:x\" is "
	    "no file descriptor; write fd:5" },
	{ TOKEN "pin-source = file:\n", "4: [token t] pin-source: no path; "
	    "write file:/PATH, fd:N or credential:NAME" },
	{ TOKEN "pin-source = 123456\n", "4: [token t] pin-source: no path; "
	    "write file:/PATH, fd:N or credential:NAME" },
	{ TOKEN "pin-source = credential:../x\n", "4: [token t] pin-source: "
	    "\"credential:../x\" is no credential; write credential:NAME with "
	    "the name that LoadCredential= of the unit has" },
	{ TOKEN "environment = A=b c\n", "4: [token t] environment: \"c\" is "
	    "no variable; write NAME=VALUE" },
	{ TOKEN "environment = 1A=b\n", "4: [token t] environment: \"1A=b\" "
	    "is no variable; write NAME=VALUE" },
	{ TOKEN "sessions = 257\n", "4: [token t] sessions: 257 is out of "
	    "range; write 1 to 64" },
	{ ISSUER "ocsp-url = https://x/\n", "8: [issuer i] ocsp-url: https "
	    "cannot be used here, clients would need what they are about to "
	    "fetch (RFC 5280, 8); write http://" },
	{ ISSUER "crl-url = x.example/crl\n", "8: [issuer i] crl-url: "
	    "\"x.example/crl\" is no URL; write http://HOST/PATH" },
	{ ISSUER "crl-url = http:///crl\n", "8: [issuer i] crl-url: "
	    "\"http:///crl\" is no URL; write http://HOST/PATH" },
	{ ISSUER "ca-issuers-url = http://x/a b\n", "8: [issuer i] "
	    "ca-issuers-url: \"http://x/a b\" has a character that a URL "
	    "cannot have; write it as %XX" },
	{ ISSUER "crl-url = http://x/\xc3\xa4\n", "8: [issuer i] crl-url: "
	    "\"http://x/\xc3\xa4\" has a character that a URL cannot have; "
	    "write it as %XX" },
	{ ISSUER "allow = crl ocps\n", "8: [issuer i] allow: \"ocps\" is none "
	    "of certificate, crl, ocsp" },
	{ ISSUER "presign = never\n", "8: [issuer i] presign: \"never\" is "
	    "none of all, asked, none" },
	/* One section and another. */
	{ ISSUER "[issuer j]\ncertificate = c\ntoken = missing\nkey = k\n",
	    "10: [issuer j] token: there is no [token missing]; add that "
	    "section" },
	{ "[token soft]\nmodule = /m\nuri = pkcs11:token=t\n[issuer j]\n"
	    "certificate = c\ntoken = sotf\nkey = k\n", "6: [issuer j] token: "
	    "there is no [token sotf]; did you mean soft?" },
	{ ISSUER "ocsp-certificate = o\nocsp-key = k\nocsp-token = zz\n",
	    "10: [issuer i] ocsp-token: there is no [token zz]; add that "
	    "section" },
	{ ISSUER "ocsp-certificate = o\n", "4: [issuer i] ocsp-key: is "
	    "missing; ocsp-certificate needs it" },
	{ ISSUER "ocsp-key = k\n", "8: [issuer i] ocsp-key: is given without "
	    "ocsp-certificate; add that or remove this" },
	{ ISSUER "ocsp-token = t\n", "8: [issuer i] ocsp-token: is given "
	    "without ocsp-certificate; add that or remove this" },
	{ ISSUER "[issuer j]\ncertificate = j\nkey = k\ntoken = t zz\n",
	    "11: [issuer j] token: there is no [token zz]; add that "
	    "section" },
	{ ISSUER "[issuer j]\ncertificate = j\nkey = k\ntoken = t t\n",
	    "11: [issuer j] token: \"t\" is there twice; remove one" },
	{ ISSUER "[ocsp-signer s]\nissuer = x\ncertificate = o\nkey = k\n",
	    "9: [ocsp-signer s] issuer: there is no [issuer x]; add that "
	    "section" },
	{ ISSUER SIGNER "token = zz\n", "12: [ocsp-signer s] token: there is "
	    "no [token zz]; add that section" },
	{ ISSUER "[ocsp-signer s]\nissuer = i\nkey = k\n", "8: [ocsp-signer "
	    "s] certificate: is missing; add it" },
	{ ISSUER "ocsp-certificate = o\nocsp-key = k\n" SIGNER, "12: "
	    "[ocsp-signer s] certificate: is that of [issuer i] too; each "
	    "signer has its own" },
	{ ISSUER SIGNER "[ocsp-signer r]\nissuer = i\ncertificate = o\n"
	    "key = k\n", "14: [ocsp-signer r] certificate: is that of "
	    "[ocsp-signer s] too; each signer has its own" },
	{ ISSUER "allow = crl\n" SIGNER, "10: [ocsp-signer s] issuer: "
	    "[issuer i] does not allow ocsp; add that, or remove this "
	    "section" },
	{ TOKEN "[issuer i]\ncertificate = ca.pem\nresponses = r\n" SIGNER,
	    "8: [ocsp-signer s] issuer: [issuer i] has responses, and signs "
	    "none here; remove this section" },
	{ "[responder]\nnonce-budget = 0\n" ISSUER SIGNER "presign = none\n",
	    "14: [ocsp-signer s] presign: nothing would be answered with "
	    "nonce-budget = 0 in [responder]; raise that" },
	{ ISSUER "ocsp-lifetime = 1h\nocsp-backdate = 1h\n", "9: [issuer i] "
	    "ocsp-backdate: is not shorter than ocsp-lifetime; make it so" },
	{ ISSUER "[issuer j]\ncertificate = ./ca.pem\ntoken = t\nkey = k\n",
	    "9: [issuer j] certificate: is that of [issuer i] too; each "
	    "issuer has its own" },
	{ ISSUER "nonce = require\n[responder]\nnonce-budget = 0\n",
	    "8: [issuer i] nonce: nothing would be answered with "
	    "nonce-budget = 0 in [responder]; raise that" },
	{ ISSUER "presign = none\n[responder]\nnonce-budget = 0\n",
	    "8: [issuer i] presign: nothing would be answered with "
	    "nonce-budget = 0 in [responder]; raise that" },
	{ ISSUER "signed-requests = verify\n", "8: [issuer i] requestor-ca: is "
	    "missing; signed-requests needs it" },
	{ ISSUER "requestor-ca = r.pem\n", "8: [issuer i] requestor-ca: is "
	    "given without signed-requests = verify; add that or remove "
	    "this" },
	{ ISSUER "crl-reference = yes\n", "8: [issuer i] crl-reference: is "
	    "given without crl-url; add that or remove this" },
	{ ISSUER "responder-id = hash\n", "8: [issuer i] responder-id: "
	    "\"hash\" is none of key, name" },
	{ ISSUER "archive-cutoff = 60y\n", "8: [issuer i] archive-cutoff: 60y "
	    "is too long; write at most 1576800000s" },
	{ ISSUER "signed-requests = required\n", "8: [issuer i] "
	    "signed-requests: \"required\" is none of ignore, verify, "
	    "require" },
	{ ISSUER "nonce = required\n", "8: [issuer i] nonce: \"required\" "
	    "is none of live, ignore, require" },
	{ ISSUER "nonce = require\n[responder]\nnonce-budget = x\n",
	    "10: [responder] nonce-budget: \"x\" is no number; write 0 to "
	    "1000000" },
	{ "[profile server]\nbased-on = client\n", "1: [profile server]: this "
	    "name is a built-in profile's; choose another" },
	{ "[profile p]\nbased-on = p\n", "2: [profile p] based-on: leads back "
	    "to this profile or into a loop; end at a built-in one" },
	{ "[profile p]\nbased-on = sever\n", "2: [profile p] based-on: there "
	    "is no profile \"sever\"; did you mean server?" },
	{ "[profile p]\nbased-on = something\n", "2: [profile p] based-on: "
	    "there is no profile \"something\"; the built-in ones are server, "
	    "client, ocsp-signer, intermediate, origin-rsa and origin-ecc" },
	{ "[profile p]\nbased-on = server\nsubject = fixed\n", "1: [profile "
	    "p] subject-name: is missing; subject = fixed needs it" },
	{ "[profile p]\nbased-on = server\nsubject-name = CN=x\n", "3: "
	    "[profile p] subject-name: is given without subject = fixed; add "
	    "that or remove this" },
	/* The syntax's errors come through. */
	{ "[store]\npath = a\npath = b\n", "3: [store] path: is also on line "
	    "2; remove one of them" },
};

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oc_config_errors errors = { .num = 0 };
		struct oc_config *config = NULL;
		char expected[OC_ERROR_TEXT_MAX];
		enum oc_err err;

		base_test_put_text("ocsign.conf", bad[i].text);
		err = oc_config_load("ocsign.conf", &config, &errors);
		if (err != OC_ERR_CONFIG)
			fail_msg("\"%s\": %s", bad[i].error, oc_strerror(err));
		snprintf(expected, sizeof(expected), "ocsign.conf:%s",
		    bad[i].error);
		assert_string_equal(errors.list[0].text, expected);
		if (errors.num_found != 1)
			fail_msg("and: %s", errors.list[1].text);
		assert_null(config);
	}
}

/* Issuer by issuer, each one's own signer first. */
static void
test_ocsp_list(void **state)
{
	struct oc_config *c = load(ISSUER "[token u]\n"
	    "module = /m.so\nuri = pkcs11:token=u\n"
	    "[ocsp-signer rsa]\nissuer = j\ncertificate = rsa.pem\n"
	    "key = r\n"
	    "[issuer j]\ncertificate = j.pem\ntoken = t\nkey = jk\n"
	    "ocsp-certificate = jo.pem\nocsp-key = jo\nocsp-token = u\n"
	    "presign = none\n"
	    "[ocsp-signer pq]\nissuer = j\ncertificate = pq.pem\n"
	    "key = p\ntoken = t\npresign = all\n"
	    "[ocsp-signer own]\nissuer = i\ncertificate = own.pem\n"
	    "key = o\n");
	static const struct {
		const char *name, *issuer, *signer, *token, *key;
		enum oc_config_presign presign;
	} expected[] = {
		{ "i", "i", NULL, "t", "k", OC_PRESIGN_ALL },
		{ "i+own", "i", "own", "t", "o", OC_PRESIGN_ASKED },
		{ "j", "j", NULL, "u", "jo", OC_PRESIGN_NONE },
		{ "j+rsa", "j", "rsa", "u", "r", OC_PRESIGN_ASKED },
		{ "j+pq", "j", "pq", "t", "p", OC_PRESIGN_ALL },
	};

	(void)state;
	assert_int_equal(c->num_ocsp, 5);
	for (size_t i = 0; i < c->num_ocsp; i++) {
		const struct oc_config_ocsp *o = &c->ocsp[i];

		assert_string_equal(o->name, expected[i].name);
		assert_string_equal(o->issuer->name, expected[i].issuer);
		if (expected[i].signer == NULL)
			assert_null(o->signer);
		else
			assert_string_equal(o->signer, expected[i].signer);
		assert_int_equal(o->tokens.num, 1);
		assert_string_equal(o->tokens.words[0], expected[i].token);
		assert_string_equal(o->key, expected[i].key);
		assert_int_equal(o->presign, expected[i].presign);
		assert_ptr_equal(oc_config_find_ocsp(c, o->name), o);
	}
	/* The CA's own key needs no certificate beside. */
	assert_null(c->ocsp[0].certificate);
	assert_non_null(strstr(c->ocsp[2].certificate, "/jo.pem"));
	assert_non_null(strstr(c->ocsp[3].certificate, "/rsa.pem"));
	assert_null(oc_config_find_ocsp(c, "rsa"));
	oc_config_free(c);
}

/* Paths start at ocsign.conf, whatever file they stand in and wherever we
 * are. */
/* compromised-since so many days from now, in a file that was written so many
 * days from now; 0: now. */
static enum oc_err
load_compromised(int days, int written_days)
{
	struct oc_config_errors errors = { .num = 0 };
	struct oc_config *config;
	struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, UTIME_NOW } };
	time_t date = (time_t)(oc_clock_now_s() + days * DAY_S);
	char text[400], day[32];
	enum oc_err err;

	assert_int_equal(strftime(day, sizeof(day), "%Y-%m-%d",
	    gmtime(&date)), 10);
	snprintf(text, sizeof(text), ISSUER "compromised-since = %s\n", day);
	base_test_put_text("ocsign.conf", text);
	if (written_days != 0)
		times[1] = (struct timespec){ (time_t)(oc_clock_now_s() +
		    written_days * DAY_S), 0 };
	assert_int_equal(utimensat(AT_FDCWD, "ocsign.conf", times, 0), 0);
	err = oc_config_load("ocsign.conf", &config, &errors);
	if (err == OC_OK) {
		assert_int_equal(config->issuers[0].compromised_since,
		    date - date % DAY_S);
		oc_config_free(config);
	}
	return err;
}

/* Of a clock that was set back the file knows better. */
static void
test_clock_set_back(void **state)
{
	(void)state;
	assert_int_equal(load_compromised(-1, 0), OC_OK);
	assert_int_equal(load_compromised(10, 0), OC_ERR_CONFIG);
	assert_int_equal(load_compromised(10, 12), OC_OK);
	assert_int_equal(load_compromised(10, 8), OC_ERR_CONFIG);
}

#define CONFIG_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, base_test_enter, base_test_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(test_presets),
		CONFIG_TEST(test_all_keys),
		CONFIG_TEST(test_by_crl),
		CONFIG_TEST(test_bad),
		CONFIG_TEST(test_ocsp_list),
		CONFIG_TEST(test_clock_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
