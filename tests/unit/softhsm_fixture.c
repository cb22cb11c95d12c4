/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/softhsm_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "pkcs11/admin.h"

#define PATIENCE_NS (60 * OC_NS_PER_S)

bool
softhsm_is_there(void)
{
	const char *module = getenv("SOFTHSM_MODULE");

	if (module != NULL && access(module, R_OK) == 0)
		return true;
	(void)fprintf(stderr, "SKIP: no SoftHSMv2 (SOFTHSM_MODULE)\n");
	return false;
}

static void
must(enum oc_err err, const struct oc_error *error)
{
	if (err != OC_OK)
		(void)fprintf(stderr, "%s\n", error->text);
	assert_int_equal(err, OC_OK);
}

void
softhsm_write_pin(const struct softhsm *hsm, const char *pin)
{
	struct oc_error error = { 0 };
	char line[300];
	int len = snprintf(line, sizeof(line), "%s\n", pin);

	must(oc_file_write(hsm->pin_file, 0600, line, (size_t)len, &error),
	    &error);
}

void
softhsm_add_token(const struct softhsm *hsm, const char *label)
{
	struct oc_secret so = { .len = 0 }, user = { .len = 0 };
	struct oc_error error = { 0 };

	must(oc_secret_set(&so, SOFTHSM_SO_PIN, strlen(SOFTHSM_SO_PIN)),
	    &error);
	must(oc_secret_set(&user, SOFTHSM_PIN, strlen(SOFTHSM_PIN)), &error);
	must(p11_admin_init_token(hsm->module, NULL, NULL, label, &so, &user,
	    oc_clock_mono_ns() + PATIENCE_NS, &error), &error);
	oc_secret_fini(&so);
	oc_secret_fini(&user);
}

void
softhsm_init(struct softhsm *hsm, const char *label)
{
	const char *tmp = getenv("TMPDIR");
	struct oc_error error = { 0 };
	char conf[512];
	int len;

	memset(hsm, 0, sizeof(*hsm));
	hsm->module = getenv("SOFTHSM_MODULE");
	assert_non_null(hsm->module);
	(void)snprintf(hsm->dir, sizeof(hsm->dir), "%s/ocsign-hsm-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(hsm->dir));
	(void)snprintf(hsm->conf, sizeof(hsm->conf), "%s/softhsm2.conf",
	    hsm->dir);
	(void)snprintf(hsm->tokens, sizeof(hsm->tokens), "%s/tokens",
	    hsm->dir);
	(void)snprintf(hsm->state_dir, sizeof(hsm->state_dir), "%s/state",
	    hsm->dir);
	(void)snprintf(hsm->pin_file, sizeof(hsm->pin_file), "%s/pin",
	    hsm->dir);
	(void)snprintf(hsm->uri, sizeof(hsm->uri), "pkcs11:token=%s", label);
	(void)snprintf(hsm->label, sizeof(hsm->label), "%s", label);
	assert_int_equal(mkdir(hsm->tokens, 0700), 0);
	assert_int_equal(mkdir(hsm->state_dir, 0700), 0);
	len = snprintf(conf, sizeof(conf), "directories.tokendir = %s\n"
	    "objectstore.backend = file\nlog.level = ERROR\n", hsm->tokens);
	must(oc_file_write(hsm->conf, 0600, conf, (size_t)len, &error),
	    &error);
	softhsm_write_pin(hsm, SOFTHSM_PIN);
	assert_int_equal(setenv("SOFTHSM2_CONF", hsm->conf, 1), 0);
	softhsm_add_token(hsm, label);
	hsm->token = (struct p11_token_config){ .name = "hsm",
	    .module = hsm->module, .uri = hsm->uri,
	    .pin_source = hsm->pin_file };
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void
softhsm_fini(struct softhsm *hsm)
{
	(void)nftw(hsm->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	(void)unsetenv("SOFTHSM2_CONF");
}

void
softhsm_generate(const struct softhsm *hsm, const char *label,
    enum sign_key_type type, unsigned int bits, struct sign_key_info *info)
{
	struct sign_key_info ignored;
	struct oc_error error = { 0 };
	struct p11_token_config token = hsm->token;

	/* Not through a shim, whatever the test put there. */
	token.module = hsm->module;
	must(p11_admin_generate_key(&token, hsm->state_dir, label, type,
	    bits, oc_clock_mono_ns() + PATIENCE_NS,
	    info != NULL ? info : &ignored, &error), &error);
}
