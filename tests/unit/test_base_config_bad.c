/* SPDX-License-Identifier: Apache-2.0 */
/* The typed configuration: each wrong line's text, and that there is no other
 * error. */
#include "base_test.h"

#include "base/config.h"

#define TOKEN "[token t]\nmodule = /m.so\nuri = pkcs11:token=t\n"
#define ISSUER TOKEN "[issuer i]\ncertificate = ca.pem\ntoken = t\nkey = k\n"
#define BY_CRL "source = crl\ncrl-file = f\n"
#define BY_INDEX "source = index\nindex-file = f\n"
#define SIGNER "[ocsp-signer s]\nissuer = i\ncertificate = o\nkey = k\n"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bad, base_test_enter,
		    base_test_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
