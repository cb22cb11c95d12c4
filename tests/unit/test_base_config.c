/* SPDX-License-Identifier: Apache-2.0 */
/* The typed configuration: what each key takes. */
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

/* A path as ocsign.conf's directory has it. */
static void
assert_path(const char *path, const char *before, const char *name)
{
	char *cwd = realpath(".", NULL), expected[4200];

	snprintf(expected, sizeof(expected), "%s%s%s", before, cwd, name);
	assert_string_equal(path, expected);
	free(cwd);
}

static void
check_daemon(const struct oc_config *c)
{
	assert_path(c->directory, "", "");
	assert_path(c->store.path, "", "/db/store.db");
	assert_path(oc_config_store_where(c), "file:",
	    "/db.txt\nhost=a,b dbname=x");
	assert_int_equal(c->store.database_network.num, 2);
	assert_path(c->daemon.run_directory, "", "/run");
	assert_string_equal(c->daemon.table_directory, "/t");
	assert_int_equal(c->daemon.log_level, OC_LOG_DEBUG);
}

static void
check_responder(const struct oc_config *c)
{
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
}

static void
check_tokens(const struct oc_config *c)
{
	const struct oc_config_token *t = oc_config_find_token(c, "a");

	assert_non_null(t);
	assert_path(t->pin_source, "file:", "/pin.txt");
	assert_string_equal(c->tokens[1].pin_source, "fd:7");
	assert_int_equal(t->environment.num, 3);
	assert_path(t->environment.words[0], "A=", "/x");
	assert_string_equal(t->environment.words[1], "B=y");
	assert_string_equal(t->environment.words[2], "C=");
	assert_int_equal(c->tokens[1].weight, 0);
}

static void
check_issuer(const struct oc_config *c)
{
	const struct oc_config_issuer *i = oc_config_find_issuer(c, "i");

	assert_non_null(i);
	assert_path(i->certificate, "", "/ca.pem");
	assert_string_equal(i->chain, "/chain.pem");
	assert_int_equal(i->tokens.num, 2);
	assert_string_equal(i->tokens.words[0], "b");
	assert_string_equal(i->tokens.words[1], "a");
	assert_int_equal(i->ocsp_tokens.num, 1);
	assert_string_equal(i->ocsp_tokens.words[0], "a");
	assert_int_equal(c->issuers[1].ocsp_tokens.num, 0);
	assert_int_equal(i->crl_lifetime_s, 1209600);
	assert_int_equal(i->ocsp_backdate_s, 0);
	assert_int_equal(i->presign, OC_PRESIGN_ASKED);
	assert_int_equal(i->nonce, OC_NONCE_IGNORE);
	assert_int_equal(i->unknown, OC_UNKNOWN_UNKNOWN);
	assert_int_equal(i->responder_id, OC_RESPONDER_ID_NAME);
	assert_int_equal(i->archive_cutoff_s, 2 * 31536000);
	assert_int_equal(i->crl_reference, OC_SWITCH_YES);
	assert_int_equal(i->signed_requests, OC_SIGNED_REQUESTS_REQUIRE);
	assert_path(i->requestor_ca, "", "/r.pem");
	assert_int_equal(i->allow, OC_ALLOW_CRL | OC_ALLOW_OCSP);
	assert_null(oc_config_find_issuer(c, "I"));
}

static void
check_profiles(const struct oc_config *c)
{
	const struct oc_config_profile *p = oc_config_find_profile(c, "p");

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
	assert_null(oc_config_find_profile(c, "server"));
}

static void
test_all_keys(void **state)
{
	struct oc_config *c = load(all_keys);

	(void)state;
	check_daemon(c);
	check_responder(c);
	check_tokens(c);
	check_issuer(c);
	check_profiles(c);
	oc_config_free(c);
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
		CONFIG_TEST(test_ocsp_list),
		CONFIG_TEST(test_clock_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
