/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faults/two_tokens.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "base/file.h"
#include "pkcs11/drain.h"
#include "pkcs11/import.h"
#include "pkcs11/pin.h"
#include "sign/verify.h"
#include "tests/unit/tbs_samples.h"

#define PATIENCE_NS (60 * OC_NS_PER_S)

static void
must(enum oc_err err, const struct oc_error *error)
{
	if (err != OC_OK)
		print_error("%s\n", error->text);
	assert_int_equal(err, OC_OK);
}

/* dlopen() gives the same library for the same file. */
static void
copy_library(const char *from, const char *to)
{
	struct oc_error error = { 0 };
	uint8_t *bytes;
	size_t len;

	must(oc_file_read(from, 64 * 1024 * 1024, &bytes, &len, &error),
	    &error);
	must(oc_file_write(to, 0700, bytes, len, &error), &error);
	free(bytes);
}

static struct shim_control *
map_control(const char *path)
{
	struct shim_control *control;
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, sizeof(*control)), 0);
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	assert_true(control != MAP_FAILED);
	(void)close(fd);
	return control;
}

static void
make_token(struct two *two, size_t i)
{
	const char *build = getenv("top_builddir");
	char shim[400], control[300];

	assert_non_null(build);
	(void)snprintf(shim, sizeof(shim), "%s/tests/faults/ocsign-shim.so",
	    build);
	(void)snprintf(control, sizeof(control), "%.250s/shim-%zu",
	    two->hsm.dir, i);
	(void)snprintf(two->paths[i][0], sizeof(two->paths[i][0]),
	    "%s/shim-%zu.so", two->hsm.dir, i);
	(void)snprintf(two->paths[i][1], sizeof(two->paths[i][1]),
	    "%s/library-%zu.so", two->hsm.dir, i);
	copy_library(shim, two->paths[i][0]);
	copy_library(two->hsm.module, two->paths[i][1]);
	two->shim[i] = map_control(control);
	(void)snprintf(two->variables[i][0], sizeof(two->variables[i][0]),
	    "OCSIGN_SHIM_CONTROL=%s", control);
	(void)snprintf(two->variables[i][1], sizeof(two->variables[i][1]),
	    "OCSIGN_SHIM_MODULE=%s", two->paths[i][1]);
	two->environment[i][0] = two->variables[i][0];
	two->environment[i][1] = two->variables[i][1];
	two->tokens[i] = two->hsm.token;
	two->tokens[i].name = i == 0 ? "a" : "b";
	two->tokens[i].uri = i == 0 ? "pkcs11:token=a" : "pkcs11:token=b";
	two->tokens[i].module = two->paths[i][0];
	two->tokens[i].environment = two->environment[i];
}

/* The same key into both, as somebody would who has it in a file. */
static void
import_key(struct two *two)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	struct p11_imported imported;
	struct p11_import import = { .state_dir = two->hsm.state_dir,
		.label = "ca" };
	struct oc_error error = { 0 };
	char path[300];
	FILE *f;

	assert_non_null(key);
	(void)snprintf(path, sizeof(path), "%.250s/key.pem", two->hsm.dir);
	(void)umask(077);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0,
	    NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
	EVP_PKEY_free(key);
	import.path = path;
	for (size_t i = 0; i < 2; i++) {
		struct p11_token_config token = two->hsm.token;

		token.uri = two->tokens[i].uri;
		import.token = &token;
		must(p11_import(&import, oc_clock_mono_ns() + PATIENCE_NS,
		    &imported, &error), &error);
	}
	two->info = imported.info;
}

/* What a test may change. */
static struct {
	struct p11_token_config tokens[2];
	struct p11_key_config key;
} as_made;

void
two_init(struct two *two)
{
	struct softhsm neighbour;

	memset(two, 0, sizeof(*two));
	softhsm_init(&two->hsm, "a");
	softhsm_add_token(&two->hsm, "b");
	for (size_t i = 0; i < 2; i++)
		make_token(two, i);
	(void)snprintf(two->pin_file, sizeof(two->pin_file), "%.250s/pin-b",
	    two->hsm.dir);
	copy_library(two->hsm.pin_file, two->pin_file);
	assert_int_equal(chmod(two->pin_file, 0600), 0);
	two->tokens[1].pin_source = two->pin_file;
	import_key(two);
	neighbour = two->hsm;
	neighbour.token.uri = "pkcs11:token=b";
	softhsm_generate(&neighbour, "other", SIGN_KEY_P256, 256, NULL);
	softhsm_generate(&two->hsm, "other", SIGN_KEY_P256, 256, NULL);
	two->others[0] = "b";
	two->key = (struct p11_key_config){ .name = TWO_KEY, .token = "a",
	    .others = two->others, .uri = "ca",
	    .spki = { two->info.spki, two->info.spki_len },
	    .allow = { .kinds = P11_ALLOW_ISSUER, .name = tbs_name } };
	memcpy(as_made.tokens, two->tokens, sizeof(two->tokens));
	as_made.key = two->key;
}

void
two_reset(struct two *two)
{
	struct oc_error error = { 0 };
	const char *const names[] = { "a", "b" };

	for (size_t i = 0; i < 2; i++)
		shim_clear(two->shim[i]);
	sign_free(two->signer);
	two->signer = NULL;
	memcpy(two->tokens, as_made.tokens, sizeof(two->tokens));
	two->key = as_made.key;
	two_set_pin(two->pin_file, SOFTHSM_PIN "\n");
	softhsm_write_pin(&two->hsm, SOFTHSM_PIN);
	for (size_t i = 0; i < 2; i++) {
		(void)!p11_pin_unlatch(two->hsm.state_dir, names[i], &error);
		(void)!p11_drain_set(two->hsm.state_dir, names[i], false,
		    &error);
	}
}

void
two_set_pin(const char *path, const char *pin)
{
	struct oc_error error = { 0 };

	assert_int_equal(oc_file_write(path, 0600, pin, strlen(pin), &error),
	    OC_OK);
}

void
two_kill(struct two *two, size_t token)
{
	(void)shim_add(two->shim[token], SHIM_SIGN, SHIM_RETURN, 0x30, 0, 0);
	(void)shim_add(two->shim[token], SHIM_SIGN_INIT, SHIM_RETURN, 0x30, 0,
	    0);
	(void)shim_add(two->shim[token], SHIM_OPEN_SESSION, SHIM_RETURN, 0x30,
	    0, 0);
	(void)shim_add(two->shim[token], SHIM_GET_SLOT_LIST, SHIM_RETURN,
	    0x30, 0, 0);
}

void
two_fini(struct two *two)
{
	for (size_t i = 0; i < 2; i++)
		shim_close(two->shim[i]);
	softhsm_fini(&two->hsm);
}

enum oc_err
two_try(struct two *two, struct oc_error *error)
{
	struct p11_local_config config = { .tokens = two->tokens,
		.num_tokens = 2, .keys = &two->key, .num_keys = 1,
		.state_dir = two->hsm.state_dir,
		.journal = two->journal };

	return p11_local_new(&config, &two->signer, error);
}

void
two_start(struct two *two, unsigned int num_sessions, int64_t timeout_ns)
{
	struct oc_error error = { 0 };

	for (size_t i = 0; i < 2; i++) {
		two->tokens[i].num_sessions = num_sessions;
		two->tokens[i].timeout_ns = timeout_ns;
	}
	must(two_try(two, &error), &error);
	for (size_t i = 0; i < 2; i++)
		for (int n = 0; n < 3000 && strcmp(two_status(two, i).state,
		    "starting") == 0; n++)
			(void)usleep(10000);
}

void
two_stop(struct two *two)
{
	for (size_t i = 0; i < 2; i++)
		shim_clear(two->shim[i]);
	sign_free(two->signer);
	two->signer = NULL;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(atomic_load(
		    &two->shim[i]->num_open_at_finalize), 0);
}

struct p11_token_status
two_status(const struct two *two, size_t token)
{
	struct p11_token_status status;

	p11_local_status(two->signer, token, &status);
	return status;
}

void
two_await(struct two *two, size_t token, const char *state)
{
	int64_t end_ns = oc_clock_mono_ns() + PATIENCE_NS;

	while (strcmp(two_status(two, token).state, state) != 0) {
		if (oc_clock_mono_ns() > end_ns)
			fail_msg("token %zu is %s: %s", token,
			    two_status(two, token).state,
			    two_status(two, token).failure);
		two_turn(two);
	}
}

static void
note_done(struct sign_job *job, void *arg)
{
	struct two_job *t = arg;

	(void)job;
	t->num_done++;
}

void
two_submit(struct two *two, struct two_job *jobs, size_t num,
    int64_t wait_ns)
{
	struct tbs_sample sample;

	tbs_sample_init(&sample, oc_clock_now_s());
	memset(jobs, 0, num * sizeof(*jobs));
	for (size_t i = 0; i < num; i++) {
		struct two_job *t = &jobs[i];

		t->job = (struct sign_job){ .key = TWO_KEY,
			.kind = SIGN_KIND_CERTIFICATE,
			.lane = (enum sign_lane)(i % SIGN_LANE_MAX),
			.tbs = { t->tbs, tbs_certificate(&sample, t->tbs,
			    sizeof(t->tbs)) },
			.deadline_ns = oc_clock_mono_ns() + wait_ns,
			.done = note_done, .arg = t };
		assert_int_equal(sign_submit(two->signer, &t->job), OC_OK);
	}
}

void
two_turn(struct two *two)
{
	struct pollfd pfd = { .fd = sign_fd(two->signer), .events = POLLIN };

	(void)poll(&pfd, 1, 5);
	sign_dispatch(two->signer);
}

unsigned int
two_finish(struct two *two, struct two_job *jobs, size_t num)
{
	unsigned int num_good = 0;
	struct sign_verifier *v;
	size_t num_left = num;

	/* Each has its own deadline: this ends. */
	while (num_left > 0) {
		two_turn(two);
		num_left = 0;
		for (size_t i = 0; i < num; i++)
			num_left += jobs[i].num_done == 0;
	}
	assert_int_equal(sign_verifier_new((struct der_bytes){
	    two->info.spki, two->info.spki_len }, &v), OC_OK);
	for (size_t i = 0; i < num; i++) {
		const struct sign_job *job = &jobs[i].job;

		assert_int_equal(jobs[i].num_done, 1);
		if (job->err != OC_OK)
			continue;
		assert_int_equal(sign_verify(v, job->signed_alg, job->tbs,
		    (struct der_bytes){ job->signature,
		    job->signature_len }), OC_OK);
		num_good++;
	}
	sign_verifier_free(v);
	return num_good;
}

void
two_sign(struct two *two, unsigned int num)
{
	struct two_job job;

	while (num-- > 0) {
		two_submit(two, &job, 1, 20 * OC_NS_PER_S);
		if (two_finish(two, &job, 1) != 1)
			fail_msg("%s", job.job.error_text);
	}
}
