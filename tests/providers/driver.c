/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool on a real token, driven by a script that breaks things meanwhile.
 *
 *   driver algorithms TOKEN LABEL...    what each key signs, a line each
 *   driver run TOKEN SESSIONS LABEL...  does what standard input says
 *
 * TOKEN is a section of $OCSIGN_CONF.  With $OCSIGN_SHIM_CONTROL the shim
 * stands in front of its module.  A word on standard input gets a line:
 *   sign MS       one signature; "ok", or "failed" and why
 *   many N        N at once, with all keys in turn; "ok MS"
 *   recover S     until one succeeds; "ok MS"
 *   logout, close-all, clear   before the next C_SignInit (the shim)
 *   status        "up logins recovered restarts" as numbers
 *   quit          no line; so does the end of the file
 * What is said to be signed has been verified with OpenSSL, here once more.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/local.h"
#include "pkcs11/plan.h"
#include "sign/verify.h"
#include "tests/faults/shim.h"
#include "tests/unit/tbs_samples.h"

#define KEYS_MAX 16
#define MANY_MAX 1000
/* For what a script has not set a time for: longer than any test takes. */
#define PATIENCE_NS (60 * OC_NS_PER_S)

struct driver {
	struct oc_config *config;
	struct p11_plan *plan;
	struct p11_token_config token;
	struct p11_key_config keys[KEYS_MAX];
	struct p11_local_config local;
	struct shim_control *shim;
	struct signer *signer;
};

static void
give_up(const char *what, const struct oc_error *error)
{
	printf("failed: %s%s\n", what, error != NULL ? error->text : "");
	exit(1);
}

/* The shim's control file is the script's to make; it is empty. */
static void
put_shim_in_front(struct driver *d)
{
	const char *path = getenv("OCSIGN_SHIM_CONTROL");
	static char shim[4096];
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*d->shim)) != 0)
		give_up("no control file", NULL);
	d->shim = mmap(NULL, sizeof(*d->shim), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	(void)close(fd);
	(void)snprintf(shim, sizeof(shim), "%s/tests/faults/ocsign-shim.so",
	    getenv("top_builddir"));
	if (d->shim == MAP_FAILED ||
	    setenv("OCSIGN_SHIM_MODULE", d->token.module, 1) != 0)
		give_up("no shim", NULL);
	d->token.module = shim;
}

static void
open_config(struct driver *d, const char *token)
{
	struct oc_config_errors errors = { 0 };
	const struct p11_token_config *found;
	struct oc_error error = { 0 };

	if (oc_config_load(oc_config_default_path(), &d->config, &errors) !=
	    OC_OK)
		give_up(errors.num > 0 ? errors.list[0].text : "no memory",
		    NULL);
	if (p11_plan_new(d->config, &d->plan, &error) != OC_OK ||
	    p11_plan_token(d->plan, token, &found, &error) != OC_OK)
		give_up("", &error);
	d->token = *found;
	d->local = (struct p11_local_config){ .tokens = &d->token,
		.num_tokens = 1, .keys = d->keys,
		.state_dir = p11_plan_state_dir(d->plan) };
	put_shim_in_front(d);
}

static void
add_key(struct driver *d, const char *label)
{
	if (d->local.num_keys == KEYS_MAX)
		give_up("too many keys", NULL);
	d->keys[d->local.num_keys++] = (struct p11_key_config){
		.name = label, .token = d->token.name, .uri = label,
		.allow = { .kinds = P11_ALLOW_ISSUER, .name = tbs_name },
	};
}

static size_t
make_tbs(enum sign_alg alg, uint8_t tbs[512])
{
	struct tbs_sample sample;

	tbs_sample_init(&sample, oc_clock_now_s());
	sample.alg = alg;
	return tbs_certificate(&sample, tbs, 512);
}

static bool
is_good(const struct sign_key_info *info, const struct sign_job *job)
{
	struct sign_verifier *v;
	bool is_good;

	if (sign_verifier_new((struct der_bytes){ info->spki,
	    info->spki_len }, &v) != OC_OK)
		return false;
	is_good = sign_verify(v, job->signed_alg, job->tbs,
	    (struct der_bytes){ job->signature, job->signature_len }) ==
	    OC_OK;
	sign_verifier_free(v);
	return is_good;
}

static enum oc_err
sign_one(struct driver *d, const char *label, int64_t wait_ns,
    struct oc_error *error)
{
	struct sign_job job = { .key = label, .kind = SIGN_KIND_CERTIFICATE,
	    .lane = SIGN_LANE_CERTIFICATE };
	struct sign_key_info info;
	uint8_t tbs[512];
	enum oc_err err;

	err = sign_find_key(d->signer, label, 0, &info, error);
	if (err != OC_OK)
		return err;
	job.tbs = (struct der_bytes){ tbs, make_tbs(info.alg, tbs) };
	job.deadline_ns = oc_clock_mono_ns() + wait_ns;
	err = sign_now(d->signer, &job, error);
	if (err == OC_OK && !is_good(&info, &job))
		give_up("a signature that is wrong was released", NULL);
	return err;
}

/* --- algorithms -------------------------------------------------------- */

static void
algorithms(struct driver *d)
{
	struct oc_error error = { 0 };
	struct sign_key_info info;

	for (size_t i = 0; d->keys[i].name != NULL; i++) {
		struct p11_local_config one = d->local;
		struct p11_key_config key = d->keys[i];

		one.keys = &key;
		one.num_keys = 1;
		key.is_alg_free = true;
		if (p11_local_new(&one, &d->signer, &error) != OC_OK)
			give_up("", &error);
		if (sign_find_key(d->signer, key.name, 0, &info, &error) !=
		    OC_OK)
			give_up("", &error);
		sign_free(d->signer);
		key.is_alg_free = false;
		for (int alg = 1; alg < SIGN_ALG_MAX; alg++) {
			key.alg = (enum sign_alg)alg;
			if (!sign_alg_fits(key.alg, info.type))
				continue;
			if (p11_local_new(&one, &d->signer, &error) == OC_OK) {
				if (sign_one(d, key.name, PATIENCE_NS,
				    &error) != OC_OK)
					give_up("", &error);
				sign_free(d->signer);
				printf("%s %s\n", key.name,
				    sign_alg_info(key.alg)->name);
			} else
				fprintf(stderr, "%s\n", error.text);
		}
	}
}

/* --- line by line ------------------------------------------------------ */

static void
count(struct sign_job *job, void *arg)
{
	(void)job;
	--*(size_t *)arg;
}

static void
many(struct driver *d, size_t num)
{
	static struct sign_job jobs[MANY_MAX];
	static uint8_t tbs[MANY_MAX][512];
	static struct sign_key_info infos[KEYS_MAX];
	int64_t begin_ns = oc_clock_mono_ns();
	size_t num_left = num, num_bad = 0;

	for (size_t i = 0; i < d->local.num_keys; i++)
		if (sign_find_key(d->signer, d->keys[i].name, 0, &infos[i],
		    NULL) != OC_OK)
			give_up("no such key", NULL);
	for (size_t i = 0; i < num; i++) {
		size_t k = i % d->local.num_keys;

		jobs[i] = (struct sign_job){ .key = d->keys[k].name,
			.kind = SIGN_KIND_CERTIFICATE,
			.lane = SIGN_LANE_CERTIFICATE,
			.tbs = { tbs[i], make_tbs(infos[k].alg, tbs[i]) },
			.deadline_ns = begin_ns + PATIENCE_NS,
			.done = count, .arg = &num_left };
		if (sign_submit(d->signer, &jobs[i]) != OC_OK)
			give_up("a job was not taken", NULL);
	}
	while (num_left > 0) {
		struct pollfd pfd = { sign_fd(d->signer), POLLIN, 0 };

		(void)poll(&pfd, 1, 1000);
		sign_dispatch(d->signer);
	}
	for (size_t i = 0; i < num; i++)
		if (jobs[i].err != OC_OK) {
			if (num_bad++ == 0)
				fprintf(stderr, "%s\n", jobs[i].error_text);
		} else if (!is_good(&infos[i % d->local.num_keys], &jobs[i]))
			give_up("a signature that is wrong was released", NULL);
	if (num_bad > 0)
		printf("failed: %zu of %zu\n", num_bad, num);
	else
		printf("ok %lld\n", (long long)((oc_clock_mono_ns() -
		    begin_ns) / OC_NS_PER_MS));
}

static void
recover(struct driver *d, int64_t within_ns)
{
	int64_t begin_ns = oc_clock_mono_ns();
	struct oc_error error = { 0 };

	while (oc_clock_mono_ns() - begin_ns < within_ns) {
		if (p11_local_is_stuck(d->signer)) {
			printf("stuck\n");
			return;
		}
		if (sign_one(d, d->keys[0].name, OC_NS_PER_S, &error) ==
		    OC_OK) {
			printf("ok %lld\n", (long long)((oc_clock_mono_ns() -
			    begin_ns) / OC_NS_PER_MS));
			return;
		}
	}
	printf("failed: %s\n", error.text);
}

static void
strike(struct driver *d, enum shim_mode mode)
{
	struct shim_rule *r;

	if (d->shim == NULL)
		give_up("there is no shim", NULL);
	r = &d->shim->rules[0];
	atomic_store(&r->function, SHIM_NONE);
	atomic_store(&r->mode, (int)mode);
	atomic_store(&r->count, 1);
	atomic_store(&r->seen, 0);
	atomic_store(&r->function, (int)SHIM_SIGN_INIT);
	printf("ok\n");
}

static void
tell_status(const struct driver *d)
{
	struct p11_token_status st;

	p11_local_status(d->signer, 0, &st);
	printf("%d %llu %llu %llu\n", (int)st.is_up,
	    (unsigned long long)st.num_logins,
	    (unsigned long long)st.num_recovered,
	    (unsigned long long)st.num_restarts);
}

static bool
obey(struct driver *d, const char *line)
{
	struct oc_error error = { 0 };
	char word[32];
	long long n = 0;

	if (sscanf(line, "%31s %lld", word, &n) < 1)
		return false;
	if (strcmp(word, "sign") == 0) {
		if (sign_one(d, d->keys[0].name, n * OC_NS_PER_MS, &error) ==
		    OC_OK)
			printf("ok\n");
		else
			printf("failed: %s\n", error.text);
	} else if (strcmp(word, "many") == 0 && n > 0 && n <= MANY_MAX)
		many(d, (size_t)n);
	else if (strcmp(word, "recover") == 0)
		recover(d, n * OC_NS_PER_S);
	else if (strcmp(word, "logout") == 0)
		strike(d, SHIM_DO_LOGOUT);
	else if (strcmp(word, "close-all") == 0)
		strike(d, SHIM_DO_CLOSE_ALL);
	else if (strcmp(word, "status") == 0)
		tell_status(d);
	else if (strcmp(word, "quit") == 0)
		return false;
	else
		give_up("what is that? ", NULL);
	return true;
}

static void
run(struct driver *d, unsigned int num_sessions)
{
	struct oc_error error = { 0 };
	char line[128];

	d->token.num_sessions = num_sessions;
	if (p11_local_new(&d->local, &d->signer, &error) != OC_OK)
		give_up("", &error);
	printf("ok\n");
	while (fgets(line, sizeof(line), stdin) != NULL)
		if (!obey(d, line))
			break;
	sign_free(d->signer);
}

int
main(int argc, char **argv)
{
	static struct driver d;
	int first = argc > 1 && strcmp(argv[1], "run") == 0 ? 4 : 3;

	if (argc <= first)
		return 2;
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	oc_log_init("driver", OC_LOG_NOTICE);
	open_config(&d, argv[2]);
	for (int i = first; i < argc; i++)
		add_key(&d, argv[i]);
	if (first == 4)
		run(&d, (unsigned int)atoi(argv[3]));
	else
		algorithms(&d);
	p11_plan_free(d.plan);
	oc_config_free(d.config);
	return 0;
}
