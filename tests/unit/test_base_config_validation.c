/* SPDX-License-Identifier: Apache-2.0 */
/* [validation] and what goes with it. */
#include "tests/unit/base_test.h"

#include "base/config.h"

#define V "[validation]\n"

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

/* Be it empty, the section is what begins the role. */
static void
test_presets(void **state)
{
	struct oc_config *c = load("[daemon]\n");
	const struct oc_config_validation *v;

	(void)state;
	assert_false(oc_config_validates(c));
	assert_int_equal(c->validation.http_port, 80);
	oc_config_free(c);
	c = load(V);
	v = &c->validation;
	assert_true(oc_config_validates(c));
	assert_int_equal(v->resolvers.num, 0);
	assert_string_equal(v->trust_anchor, "/usr/share/dns/root.key");
	assert_int_equal(v->http_port, 80);
	assert_int_equal(v->https_port, 443);
	assert_int_equal(v->allow_addresses.num, 0);
	assert_int_equal(v->timeout_s, 10);
	assert_int_equal(v->caa_identities.num, 0);
	assert_int_equal(v->challenge_lifetime_s, 7 * 86400);
	assert_int_equal(v->proof_lifetime_s, 30 * 86400);
	assert_int_equal(v->tries, 10);
	assert_int_equal(v->pending_max, 300);
	assert_null(v->mail_server);
	assert_int_equal(v->mail_plain, OC_SWITCH_NO);
	assert_null(v->update_server);
	assert_null(v->publish_hook);
	oc_config_free(c);
}

static void
test_taken(void **state)
{
	struct oc_config *c = load(V
	    "resolvers = 192.0.2.1 192.0.2.2:5353 2001:db8::1 "
	    "[2001:db8::1]:5353\n"
	    "stub-zones = corp.example=192.0.2.1:53 b.test=[::1]:53\n"
	    "insecure-zones = b.test\ntrust-anchor = anchor\n"
	    "http-port = 5002\nallow-addresses = 127.0.0.0/8 ::1\n"
	    "caa-identities = ca.example.net\n"
	    "mail-server = smtps://mail.example:465\n"
	    "mail-from = o'neil+ca@example.com\nmail-user = me\n"
	    "mail-password-source = file:pw\nmail-ca = ca.pem\n"
	    "whois-servers = whois.example com=192.0.2.1:43 [::1]:43 "
	    "org=2001:db8::1 iana\n"
	    "rdap-urls = https://rdap.example/ com=https://b.example/v1/\n"
	    "update-server = 192.0.2.1\nupdate-key = k\n"
	    "update-zones = a.test b.test\npublish-hook = /usr/bin/hook\n");
	const struct oc_config_validation *v = &c->validation;

	(void)state;
	assert_int_equal(v->resolvers.num, 4);
	assert_int_equal(v->stub_zones.num, 2);
	assert_int_equal(v->trust_anchor[0], '/');
	assert_int_equal(v->http_port, 5002);
	assert_int_equal(v->whois_servers.num, 5);
	assert_int_equal(v->rdap_urls.num, 2);
	assert_int_equal(v->update_key[0], '/');
	assert_int_equal(v->mail_ca[0], '/');
	assert_int_equal(strncmp(v->mail_password_source, "file:/", 6), 0);
	oc_config_free(c);
	c = load(V "trust-anchor = none\n");
	assert_string_equal(c->validation.trust_anchor, "none");
	oc_config_free(c);
}

static const struct {
	const char *text, *error;
} bad[] = {
	{ V "resolvers = ns.example\n", "2: [validation] resolvers: "
	    "\"ns.example\" is no address; write 192.0.2.1, 192.0.2.1:53 or "
	    "[2001:db8::1]:53" },
	{ V "resolvers = 192.0.2.1:0\n", "is no address" },
	{ V "resolvers = 192.0.2.1:\n", "is no address" },
	{ V "resolvers = [192.0.2.1]:53\n", "is no address" },
	{ V "resolvers = [2001:db8::1]\n", "is no address" },
	{ V "resolvers = [2001:db8::1\n", "is no address" },
	{ V "resolvers = [2001:db8::1]:53x\n", "is no address" },
	{ V "stub-zones = 192.0.2.1:53\n", "2: [validation] stub-zones: "
	    "\"192.0.2.1:53\" is no zone with its server; write "
	    "corp.example=192.0.2.1:53" },
	{ V "stub-zones = a.test=ns\n", "is no zone with its server" },
	{ V "stub-zones = .a=192.0.2.1\n", "is no zone with its server" },
	{ V "allow-addresses = localhost\n", "allow-addresses" },
	{ V "timeout = 0s\n", "2: [validation] timeout: " },
	{ V "timeout = 3m\n", "2: [validation] timeout: " },
	{ V "caa-identities = a b c d e f g h i\n", "2: [validation] "
	    "caa-identities: are more than 8" },
	{ V "caa-identities = CA.example\n", "is no domain" },
	{ V "mail-server = smtp://a:b@mail\nmail-from = a@b\n",
	    "2: [validation] mail-server: this is no mail server; write "
	    "smtp://HOST:PORT" },
	{ V "mail-server = mail.example\nmail-from = a@b\n", "this is no mail "
	    "server" },
	{ V "mail-server = smtp://m\n", "1: [validation] mail-from: is "
	    "missing; mail-server and mail-from go together" },
	{ V "mail-from = a@b.test\n", "1: [validation] mail-server: is "
	    "missing" },
	{ V "mail-server = smtp://m\nmail-from = \"a b\"@c\n", "is no mail "
	    "address" },
	{ V "mail-server = smtp://m\nmail-from = a@b>c\n", "is no mail "
	    "address" },
	{ V "mail-server = smtp://m\nmail-from = a@b\nmail-user = u\n",
	    "1: [validation] mail-password-source: is missing; mail-user and "
	    "mail-password-source go together" },
	{ V "mail-server = smtp://m\nmail-from = a@b\n"
	    "mail-password-source = file:p\n", "1: [validation] mail-user: is "
	    "missing" },
	{ V "mail-user = u\nmail-password-source = file:p\n",
	    "2: [validation] mail-user: is given without mail-server" },
	{ V "mail-server = smtp://m\nmail-from = a@b\nmail-user = u\n"
	    "mail-password-source = file:p\nmail-plain = yes\n",
	    "6: [validation] mail-plain: is given with a password" },
	{ V "whois-servers = com=\n", "is no server; write HOST" },
	{ V "whois-servers = a/b\n", "is no server; write HOST" },
	{ V "whois-servers = a.example:65579\n", "is no server" },
	{ V "whois-servers = a.example:whois\n", "is no server" },
	{ V "whois-servers = com=[::1]:\n", "is no server" },
	{ V "whois-servers = [::1\n", "is no server" },
	{ V "rdap-urls = https://rdap.example\n", "2: [validation] rdap-urls: "
	    "\"https://rdap.example\" is no base URL of RDAP" },
	{ V "rdap-urls = com=ftp://rdap.example/\n", "is no base URL of "
	    "RDAP" },
	{ V "update-server = 192.0.2.1\nupdate-key = k\n", "1: [validation] "
	    "update-zones: is missing; update-server, update-key and "
	    "update-zones go together" },
	{ V "update-zones = a.test\nupdate-key = k\n", "1: [validation] "
	    "update-server: is missing" },
	{ V "update-zones = a.test\nupdate-server = 192.0.2.1\n",
	    "1: [validation] update-key: is missing" },
	{ V "publish-hook = hook\n", "2: [validation] publish-hook: \"hook\" "
	    "is not absolute" },
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oc_config_errors errors = { .num = 0 };
		struct oc_config *config = NULL;

		base_test_put_text("ocsign.conf", bad[i].text);
		if (oc_config_load("ocsign.conf", &config, &errors) !=
		    OC_ERR_CONFIG || strstr(errors.list[0].text,
		    bad[i].error) == NULL)
			fail_msg("%s: not %s", errors.num > 0 ?
			    errors.list[0].text : "taken", bad[i].error);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, base_test_enter,
	    base_test_leave);
}
