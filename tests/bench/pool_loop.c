/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a token gives our pool, for token_loop: "pool_loop MODULE TOKEN KEY
 * PIN-FILE SESSIONS SECONDS" signs certificates with the key of that label,
 * as many as the sessions take, each looked at, verified and handed back.
 * Prints how many there were and how long the CPU took, in ns.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "pkcs11/local.h"
#include "tests/unit/tbs_samples.h"

#define SESSIONS_MAX 64
/* For each session one that it has, and those that wait. */
#define AT_ONCE 4

static struct load {
	struct signer *signer;
	uint8_t tbs[512];
	size_t tbs_len;
	int64_t end_ns;
	unsigned long num_signed, num_under_way;
	struct sign_job jobs[SESSIONS_MAX * AT_ONCE];
} load;

static void
give_up(const char *what, const char *why)
{
	fprintf(stderr, "pool_loop: %s: %s\n", what, why);
	exit(1);
}

static void on_done(struct sign_job *job, void *arg);

static void
submit(struct sign_job *job)
{
	*job = (struct sign_job){ .key = "issuer/bench",
	    .kind = SIGN_KIND_CERTIFICATE, .lane = SIGN_LANE_CERTIFICATE,
	    .tbs = { load.tbs, load.tbs_len },
	    .deadline_ns = load.end_ns + 10 * OC_NS_PER_S, .done = on_done };
	if (sign_submit(load.signer, job) != OC_OK)
		give_up("submit", job->error_text);
	load.num_under_way++;
}

static void
on_done(struct sign_job *job, void *arg)
{
	(void)arg;
	load.num_under_way--;
	if (job->err != OC_OK)
		give_up("C_Sign", job->error_text);
	if (oc_clock_mono_ns() < load.end_ns) {
		load.num_signed++;
		submit(job);
	}
}

static void
open_pool(char **argv, unsigned int num_sessions)
{
	char uri[128];
	struct p11_token_config token = { .name = "bench",
	    .module = argv[1], .uri = uri, .pin_source = argv[4],
	    .num_sessions = num_sessions };
	struct p11_key_config key = { .name = "issuer/bench",
	    .token = "bench", .uri = argv[3],
	    .allow = { .kinds = P11_ALLOW_ISSUER, .name = tbs_name } };
	struct p11_local_config config = { .tokens = &token, .num_tokens = 1,
	    .keys = &key, .num_keys = 1, .state_dir = "." };
	struct oc_error error = { 0 };

	(void)snprintf(uri, sizeof(uri), "pkcs11:token=%s", argv[2]);
	if (p11_local_new(&config, &load.signer, &error) != OC_OK)
		give_up("the pool", error.text);
}

/* What is signed must be of the key's algorithm. */
static void
make_tbs(void)
{
	struct oc_error error = { 0 };
	struct tbs_sample sample;
	struct sign_key_info info;

	if (sign_find_key(load.signer, "issuer/bench", oc_clock_mono_ns(),
	    &info, &error) != OC_OK)
		give_up("the key", error.text);
	tbs_sample_init(&sample, oc_clock_now_s());
	sample.alg = info.alg;
	load.tbs_len = tbs_certificate(&sample, load.tbs, sizeof(load.tbs));
}

int
main(int argc, char **argv)
{
	struct pollfd pfd = { .events = POLLIN };
	struct rusage use;
	int num;

	if (argc != 7)
		give_up("usage", "MODULE TOKEN KEY PIN-FILE SESSIONS SECONDS");
	num = atoi(argv[5]);
	if (num < 1 || num > SESSIONS_MAX)
		give_up("SESSIONS", argv[5]);
	oc_log_init("pool_loop", OC_LOG_ERROR);
	open_pool(argv, (unsigned int)num);
	make_tbs();
	load.end_ns = oc_clock_mono_ns() + atoi(argv[6]) * OC_NS_PER_S;
	for (int i = 0; i < num * AT_ONCE; i++)
		submit(&load.jobs[i]);
	pfd.fd = sign_fd(load.signer);
	while (load.num_under_way > 0) {
		(void)poll(&pfd, 1, 100);
		sign_dispatch(load.signer);
	}
	getrusage(RUSAGE_SELF, &use);
	printf("%lu %lld\n", load.num_signed,
	    (long long)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) *
	    OC_NS_PER_S + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) *
	    1000LL);
	sign_free(load.signer);
	return 0;
}
