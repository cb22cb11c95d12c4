/* SPDX-License-Identifier: Apache-2.0 */
/* Who a name or a number is, becoming it for good, and what the configuration
 * says of users and of the signer's sandbox. */
#include "base_test.h"

#include <grp.h>
#include <sys/wait.h>

#include "base/config.h"
#include "base/user.h"

#define TOKEN "[token t]\nmodule = /m.so\nuri = pkcs11:token=t\n"

static void
a_name_and_its_number_are_one(void **state)
{
	struct oc_user by_name, by_number;
	struct oc_error error = { 0 };
	char number[16];

	(void)state;
	assert_int_equal(oc_user_find("nobody", &by_name, &error), OC_OK);
	assert_string_equal(by_name.name, "nobody");
	assert_true(by_name.uid != 0);
	(void)snprintf(number, sizeof(number), "%ld", (long)by_name.uid);
	assert_int_equal(oc_user_find(number, &by_number, &error), OC_OK);
	assert_int_equal(by_number.uid, by_name.uid);
	assert_int_equal(by_number.gid, by_name.gid);
	assert_string_equal(by_number.name, "nobody");
}

static void
a_number_needs_no_name(void **state)
{
	struct oc_error error = { 0 };
	struct oc_user user;

	(void)state;
	assert_int_equal(oc_user_find("61987", &user, &error), OC_OK);
	assert_int_equal(user.uid, 61987);
	assert_int_equal(user.gid, 61987);
	assert_string_equal(user.name, "");
}

static void
nobody_and_root_are_refused(void **state)
{
	struct oc_error error = { 0 };
	struct oc_user user = { .uid = 7 };

	(void)state;
	assert_int_equal(oc_user_find("no-such-user-here", &user, &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(oc_user_find("root", &user, &error),
	    OC_ERR_REFUSED);
	assert_int_equal(oc_user_find("0", &user, &error), OC_ERR_REFUSED);
	assert_int_equal(oc_user_find("4294967295", &user, &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(user.uid, 7);
}

/* The child: 0 if it is that user, with no group of before, and stays it. */
static int
become(const struct oc_user *user)
{
	struct oc_error error = { 0 };
	const gid_t mine[] = { 0, 4 };
	gid_t groups[64];
	int num;

	if (setgroups(2, mine) != 0 || oc_user_become(user, &error) != OC_OK)
		return 1;
	if (getuid() != user->uid || geteuid() != user->uid ||
	    getgid() != user->gid || getegid() != user->gid)
		return 2;
	num = getgroups(64, groups);
	for (int i = 0; i < num; i++)
		if (groups[i] == 0 || groups[i] == 4)
			return 3;
	return setuid(0) == 0 || setgid(0) == 0 ? 4 : 0;
}

static void
who_becomes_somebody_stays_it(void **state)
{
	struct oc_error error = { 0 };
	struct oc_user user;
	const char *const who[] = { "61987", "nobody" };

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < 2; i++) {
		int status = -1;
		pid_t pid;

		assert_int_equal(oc_user_find(who[i], &user, &error), OC_OK);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(become(&user));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

static void
who_is_not_root_becomes_nobody_else(void **state)
{
	struct oc_user other = { .uid = 61987, .gid = 61987 };
	struct oc_error error = { 0 };
	int status = -1;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && setuid(61986) != 0)
			_exit(5);
		_exit(oc_user_become(&other, &error) == OC_ERR_REFUSED ?
		    0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

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

#define FETCHED "[token t]\nmodule = /m.so\nuri = pkcs11:token=t\n" \
	"[issuer ca]\ncertificate = ca.pem\ntoken = t\nkey = ca\n" \
	"source = crl\ncrl-fetch = http://h/x.crl\n"
#define USERS "[daemon]\nrun-directory = /r\nsigner-user = a\n" \
	"status-user = b\nresponder-user = c\n"

/* Without users all is in one place; with them each role has its own. */
static void
who_has_a_user_has_a_folder(void **state)
{
	struct oc_config *c = load("[store]\npath = /s/x.db\n"
	    "[daemon]\nrun-directory = /r\n");

	(void)state;
	assert_false(oc_config_is_separate(c));
	assert_string_equal(c->daemon.status_directory, "/r");
	assert_string_equal(c->daemon.responder_directory, "/r");
	assert_string_equal(c->daemon.issuer_directory, "/r");
	assert_string_equal(c->daemon.signer_directory, "/s");
	oc_config_free(c);
	c = load(USERS "operators = d 1000\nsigner-directory = sig\n");
	assert_true(oc_config_is_separate(c));
	assert_string_equal(c->daemon.signer_user, "a");
	assert_string_equal(c->daemon.status_user, "b");
	assert_string_equal(c->daemon.responder_user, "c");
	assert_null(c->daemon.issuer_user);
	assert_int_equal(c->daemon.operators.num, 2);
	assert_string_equal(c->daemon.status_directory, "/r/status");
	assert_string_equal(c->daemon.responder_directory, "/r/responder");
	assert_string_equal(c->daemon.issuer_directory, "/r/issuer");
	assert_string_equal(c->daemon.validator_directory, "/r/validator");
	assert_non_null(strstr(c->daemon.signer_directory, "/sig"));
	oc_config_free(c);
}

static void
a_token_has_what_its_section_says(void **state)
{
	struct oc_config *c = load(TOKEN);

	(void)state;
	assert_false(oc_config_has_network(&c->tokens[0]));
	assert_int_equal(c->tokens[0].devices.num, 0);
	oc_config_free(c);
	c = load(TOKEN "network = no\n");
	assert_false(oc_config_has_network(&c->tokens[0]));
	oc_config_free(c);
	c = load(TOKEN "network = yes\ndevices = /dev/tpmrm0 /dev/bus/usb\n"
	    "paths = /var/lib/x sub\n");
	assert_true(oc_config_has_network(&c->tokens[0]));
	assert_int_equal(c->tokens[0].devices.num, 2);
	assert_string_equal(c->tokens[0].devices.words[1], "/dev/bus/usb");
	assert_int_equal(c->tokens[0].paths.num, 2);
	assert_int_equal(c->tokens[0].paths.words[1][0], '/');
	oc_config_free(c);
	c = load(TOKEN "network = 192.0.2.0/24 2001:db8::1\n");
	assert_true(oc_config_has_network(&c->tokens[0]));
	oc_config_free(c);
}

static const struct {
	const char *text, *error;
} bad[] = {
	{ "[daemon]\nsigner-user = a\nstatus-user = b\n", "1: [daemon] "
	    "responder-user: is missing; each role has a user of its own, or "
	    "none has" },
	{ "[daemon]\nsigner-user = a\nstatus-user = b\nresponder-user = a\n",
	    "4: [daemon] responder-user: is signer-user's, too; each role "
	    "has a user of its own" },
	{ "[daemon]\nsigner-user = a b\n", "2: [daemon] signer-user: \"a b\" "
	    "is no user; write a name or a number" },
	{ "[daemon]\noperators = x\n", "2: [daemon] operators: is given "
	    "without signer-user; add that or remove this" },
	{ "[daemon]\nsigner-user = a\nstatus-user = b\nresponder-user = c\n"
	    FETCHED, "1: [daemon] fetcher-user: is missing; each role has a "
	    "user of its own" },
	{ "[daemon]\nsigner-user = a\nstatus-user = b\nresponder-user = c\n"
	    "fetcher-user = a\n" FETCHED, "5: [daemon] fetcher-user: is "
	    "signer-user's, too" },
	{ "[daemon]\nsigner-user = a\nstatus-user = b\nresponder-user = c\n"
	    "[validation]\n", "1: [daemon] validator-user: is missing; each "
	    "role has a user of its own" },
	{ "[daemon]\nsigner-user = a\nstatus-user = b\nresponder-user = c\n"
	    "validator-user = b\n[validation]\n", "5: [daemon] "
	    "validator-user: is status-user's, too" },
	{ TOKEN "network = yes 192.0.2.1\n", "4: [token t] network: is yes, "
	    "no, or addresses; remove one of them" },
	{ TOKEN "network = hsm.example\n", "4: [token t] network: "
	    "\"hsm.example\" is no address and no range of addresses; write "
	    "192.0.2.1, 192.0.2.0/24 or 2001:db8::/32, with nothing but zeros "
	    "behind the prefix" },
	{ TOKEN "devices = tpmrm0\n", "4: [token t] devices: \"tpmrm0\" is "
	    "no device; write /dev/NAME" },
	{ TOKEN "devices = /dev/../etc\n", "4: [token t] devices: "
	    "\"/dev/../etc\" is no device; write /dev/NAME" },
};

static void
what_is_wrong_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oc_config_errors errors = { .num = 0 };
		struct oc_config *config = NULL;

		base_test_put_text("ocsign.conf", bad[i].text);
		assert_int_equal(oc_config_load("ocsign.conf", &config,
		    &errors), OC_ERR_CONFIG);
		if (strstr(errors.list[0].text, bad[i].error) == NULL)
			fail_msg("%s: not %s", errors.list[0].text,
			    bad[i].error);
	}
}

#define CONFIG_TEST(fn) \
	cmocka_unit_test_setup_teardown(fn, base_test_enter, base_test_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_and_its_number_are_one),
		cmocka_unit_test(a_number_needs_no_name),
		cmocka_unit_test(nobody_and_root_are_refused),
		cmocka_unit_test(who_becomes_somebody_stays_it),
		cmocka_unit_test(who_is_not_root_becomes_nobody_else),
		CONFIG_TEST(who_has_a_user_has_a_folder),
		CONFIG_TEST(a_token_has_what_its_section_says),
		CONFIG_TEST(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
