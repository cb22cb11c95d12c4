/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/renewal.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define NEVER INT64_MAX
/* Some signatures, and a reload. */
#define LIMIT_NS (600 * OC_NS_PER_S)
/* While a role is away. */
#define AGAIN_NS (10 * OC_NS_PER_S)

/* Of some that begin at the same time, not all come back at the same time. */
static int64_t
random_below(int64_t limit)
{
	uint64_t number = 0;

	(void)!getrandom(&number, sizeof(number), 0);
	return (int64_t)(number % (uint64_t)limit);
}

/* From 7 to 9 eighths. */
static void
schedule(struct daemon_renewal *r)
{
	int64_t every_ns = r->every_s * OC_NS_PER_S;

	r->next_ns = oc_clock_mono_ns() + every_ns - every_ns / 8 +
	    random_below(every_ns / 4);
}

void
daemon_renewal_begin(struct daemon_renewal *r, const struct oc_config *config)
{
	int64_t every_s = config->daemon.renew_every_s;
	int64_t every_ns = every_s * OC_NS_PER_S;

	r->is_left = false;
	if (every_s == r->every_s)
		return;
	r->every_s = every_s;
	/* The first soon, it may have been due for a while; not at once, there
	 * is enough to do then. */
	if (every_s != 0)
		r->next_ns = oc_clock_mono_ns() + every_ns / 60 +
		    random_below(every_ns / 6);
}

/* The key of the CA is here, and issues. */
static bool
is_ours(const struct oc_config_ocsp *ocsp)
{
	const unsigned both = OC_ALLOW_CERTIFICATE | OC_ALLOW_OCSP;

	return ocsp->certificate != NULL && ocsp->key != NULL &&
	    (ocsp->issuer->allow & both) == both;
}

/* False: no certificate, or none that we may replace. */
static bool
may_replace(const char *path, bool *is_there)
{
	char *resolved = realpath(path, NULL), *slash;
	bool may;

	*is_there = access(path, F_OK) == 0;
	if (resolved == NULL)
		return false;
	slash = strrchr(resolved, '/');
	*slash = '\0';
	may = access(slash == resolved ? "/" : resolved, W_OK | X_OK) == 0;
	free(resolved);
	return may;
}

/* Said once: it is no failure. */
static void
leave(struct daemon_renewal *r, const char *path, const char *why)
{
	if (!r->is_left)
		oc_log(OC_LOG_NOTICE, "%s %s: renewing OCSP signers' "
		    "certificates is left to \"ocsign ocsp renew\", from a "
		    "timer", path, why);
	r->is_left = true;
}

/* Who cannot replace a file leaves it to others: under systemd, in a sandbox,
 * a timer does it. */
static bool
has_work(struct daemon_renewal *r, const struct daemon_launch *launch,
    const struct oc_config *config)
{
	const char *left = NULL;
	bool has_any = false, is_there;

	for (size_t i = 0; i < config->num_ocsp; i++) {
		const struct oc_config_ocsp *ocsp = &config->ocsp[i];

		if (!is_ours(ocsp))
			continue;
		if (may_replace(ocsp->certificate, &is_there))
			has_any = true;
		else if (is_there)
			left = ocsp->certificate;
	}
	if (has_any && access(launch->tool, X_OK) != 0) {
		leave(r, launch->tool, "is not there");
		return false;
	}
	if (!has_any && left != NULL)
		leave(r, left, "cannot be replaced from here");
	return has_any;
}

static void
start(struct daemon_renewal *r, const struct daemon_launch *launch,
    int64_t now_ns)
{
	struct oc_error error = { 0 };

	if (daemon_spawn_renewal(launch, &r->pid, &error) != OC_OK) {
		oc_log(OC_LOG_ERROR, "ocsign ocsp renew: %s", error.text);
		return;
	}
	r->limit_ns = now_ns + LIMIT_NS;
	oc_log(OC_LOG_INFO, "ocsign ocsp renew: process %ld started",
	    (long)r->pid);
}

void
daemon_renewal_tick(struct daemon_renewal *r,
    const struct daemon_launch *launch, const struct oc_config *config,
    bool may_start, int64_t now_ns)
{
	if (r->pid != 0 && now_ns >= r->limit_ns) {
		oc_log(OC_LOG_ERROR, "ocsign ocsp renew (process %ld) does "
		    "not end: killed", (long)r->pid);
		(void)kill(r->pid, SIGKILL);
		r->limit_ns = NEVER;
	}
	if (r->pid != 0 || r->every_s == 0 || now_ns < r->next_ns)
		return;
	if (!may_start) {
		r->next_ns = now_ns + AGAIN_NS;
		return;
	}
	schedule(r);
	if (has_work(r, launch, config))
		start(r, launch, now_ns);
}

int64_t
daemon_renewal_next_tick(const struct daemon_renewal *r)
{
	if (r->pid != 0)
		return r->limit_ns;
	return r->every_s != 0 ? r->next_ns : NEVER;
}

/* Each failure is said: there is one an hour, and somebody has to mend it.
 * The next one is no sooner because this one took long. */
void
daemon_renewal_reap(struct daemon_renewal *r)
{
	int64_t now_ns = oc_clock_mono_ns();
	bool has_failed;
	int status;

	if (r->pid == 0 || waitpid(r->pid, &status, WNOHANG) != r->pid)
		return;
	if (r->every_s != 0 && now_ns >= r->next_ns)
		schedule(r);
	has_failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
	if (has_failed && r->every_s != 0)
		oc_log(OC_LOG_ERROR, "ocsign ocsp renew (process %ld) failed: "
		    "what it said stands above; again in %lld s",
		    (long)r->pid, (long long)((r->next_ns - now_ns +
		    OC_NS_PER_S - 1) / OC_NS_PER_S));
	else if (r->has_failed && !has_failed)
		oc_log(OC_LOG_NOTICE, "ocsign ocsp renew works again");
	r->has_failed = has_failed;
	r->pid = 0;
}

void
daemon_renewal_stop(struct daemon_renewal *r)
{
	r->every_s = 0;
	if (r->pid != 0)
		(void)kill(r->pid, SIGTERM);
}
