/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent: which probe comes next, its child, and the time its calls have.
 * Nothing in here calls into a module.
 */
#include "pkcs11/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "pkcs11/doctor_probe.h"

#define TICK_MS 100
/* How often a child may die in a trial before the rest is left untried. */
#define TRIAL_DEATHS_MAX 6

struct doctor {
	const struct p11_doctor_options *options;
	struct p11_doctor_shared *shared;
	struct p11_doctor_facts *facts;
	bool is_login_lost;		/* a PIN is not tried again */
};

static const struct {
	const char *name;
	p11_probe_fn *run;
} probes[P11_PROBE_MAX] = {
	[P11_PROBE_MODULE] = { "module", p11_probe_module },
	[P11_PROBE_NULL_INIT] = { "locks", p11_probe_null_init },
	[P11_PROBE_TOKEN] = { "token", p11_probe_token },
	[P11_PROBE_LOGIN] = { "login", p11_probe_login },
	[P11_PROBE_MAKE_KEYS] = { "make-keys", p11_probe_make_key },
	[P11_PROBE_KEYS] = { "keys", p11_probe_keys },
	[P11_PROBE_OBSERVE] = { "needs", p11_probe_observe },
	[P11_PROBE_TRIALS] = { "mechanisms", p11_probe_trials },
	[P11_PROBE_LOGOUT] = { "logout", p11_probe_logout },
	[P11_PROBE_OPERATIONS] = { "operations", p11_probe_operations },
	[P11_PROBE_SESSIONS] = { "sessions", p11_probe_sessions },
	[P11_PROBE_SPEED] = { "speed", p11_probe_speed },
	[P11_PROBE_IDLE] = { "idle", p11_probe_idle },
	[P11_PROBE_SWEEP] = { "sweep", p11_probe_sweep },
};

const char *
p11_probe_name(enum p11_probe probe)
{
	return probes[probe].name;
}

/* --- interrupted ------------------------------------------------------ */

static volatile sig_atomic_t is_interrupted;

static void
on_signal(int signal_number)
{
	(void)signal_number;
	is_interrupted++;
}

static void
catch_signals(struct sigaction old[2])
{
	struct sigaction action = { .sa_handler = on_signal };

	is_interrupted = 0;
	(void)sigaction(SIGINT, &action, &old[0]);
	(void)sigaction(SIGTERM, &action, &old[1]);
}

static void
restore_signals(const struct sigaction old[2])
{
	(void)sigaction(SIGINT, &old[0], NULL);
	(void)sigaction(SIGTERM, &old[1], NULL);
}

/* --- one child -------------------------------------------------------- */

struct child_process {
	pid_t pid;
	int over_fd;		/* closes when it is gone */
	int socket;		/* its listener comes from here; or -1 */
	int listener;		/* what it opens; or -1 */
	int said_fd;		/* what it writes on 1 and 2; or -1 */
};

static OC_NORETURN void
child_main(struct doctor *d, enum p11_probe probe, enum sign_key_type make,
    int socket, int said_fd)
{
	struct p11_doctor_child c = { .options = d->options,
	    .shared = d->shared, .facts = d->facts, .make = make };

	/* A terminal's ^C is for the parent, who then ends us. */
	(void)signal(SIGINT, SIG_IGN);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* Modules talk; the report is not for them. */
	if (said_fd >= 0) {
		(void)dup2(said_fd, STDOUT_FILENO);
		(void)dup2(said_fd, STDERR_FILENO);
	}
	if (socket >= 0) {
		d->facts->is_watched = p11_observe_begin(socket);
		(void)close(socket);
	}
	d->shared->err = probes[probe].run(&c, &d->shared->error);
	p11_doctor_step(&c, "C_Finalize");
	p11_module_close(c.module);
	d->shared->is_over = true;
	_exit(0);
}

static void
close_child(struct child_process *child)
{
	const int fds[] = { child->over_fd, child->socket, child->listener,
	    child->said_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

static enum oc_err
start_child(struct doctor *d, enum p11_probe probe, enum sign_key_type make,
    struct child_process *child, struct oc_error *error)
{
	int over[2], sockets[2] = { -1, -1 };

	if (pipe2(over, O_CLOEXEC) != 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "pipe");
	if (probe == P11_PROBE_OBSERVE && socketpair(AF_UNIX,
	    SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
		sockets[0] = sockets[1] = -1;
	child->said_fd = memfd_create("ocsign-doctor", MFD_CLOEXEC);
	child->pid = fork();
	if (child->pid == 0) {
		(void)close(over[0]);
		if (sockets[0] >= 0)
			(void)close(sockets[0]);
		child_main(d, probe, make, sockets[1], child->said_fd);
	}
	(void)close(over[1]);
	if (sockets[1] >= 0)
		(void)close(sockets[1]);
	child->over_fd = over[0];
	child->socket = sockets[0];
	child->listener = -1;
	if (child->pid < 0) {
		close_child(child);
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "fork");
	}
	return OC_OK;
}

/* What the child sent us, and what it waits for. */
static void
serve_child(struct doctor *d, struct child_process *child,
    const struct pollfd fds[3])
{
	if (fds[0].revents != 0) {
		(void)close(child->over_fd);
		child->over_fd = -1;
	}
	if (fds[1].revents != 0) {
		child->listener = p11_observe_receive(child->socket);
		(void)close(child->socket);
		child->socket = -1;
	}
	if ((fds[2].revents & POLLIN) != 0)
		p11_observe_take(child->listener, d->facts);
	else if (fds[2].revents != 0) {
		(void)close(child->listener);
		child->listener = -1;
	}
}

/* False: a step took too long, or somebody cannot wait for its end. */
static bool
wait_child(struct doctor *d, enum p11_probe probe,
    struct child_process *child, int *status)
{
	char text[P11_STEP_MAX + 32];

	for (;;) {
		struct pollfd fds[3] = {
			{ .fd = child->over_fd, .events = POLLIN },
			{ .fd = child->socket, .events = POLLIN },
			{ .fd = child->listener, .events = POLLIN },
		};
		int rc = poll(fds, 3, child->over_fd >= 0 ? TICK_MS : 2);

		if (rc > 0)
			serve_child(d, child, fds);
		/* Its pipe may live on in what the module has started, and
		 * closes before the child is quite gone. */
		if (waitpid(child->pid, status, WNOHANG) == child->pid)
			return true;
		if (is_interrupted != 0)
			atomic_store(&d->shared->is_cancelled, true);
		/* Who asks twice does not want to wait. */
		if (is_interrupted > 1 || oc_clock_mono_ns() >
		    atomic_load(&d->shared->step_until_ns))
			return false;
		if (rc != 0 || d->options->progress == NULL)
			continue;
		(void)snprintf(text, sizeof(text), "%s: %.*s",
		    probes[probe].name, P11_STEP_MAX - 1, d->shared->step);
		d->options->progress(d->options->arg, text);
	}
}

/* The last line, with nothing in it that is not to be printed. */
static void
note_said(int fd, char said[P11_SAID_MAX])
{
	char text[P11_SAID_MAX] = "", *line;
	off_t len = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t at = len > P11_SAID_MAX - 1 ? len - (P11_SAID_MAX - 1) : 0;
	ssize_t n = len <= 0 ? 0 : pread(fd, text, P11_SAID_MAX - 1, at);

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	text[n > 0 ? n : 0] = '\0';
	line = strrchr(text, '\n');
	line = line == NULL ? text : line + 1;
	for (char *p = line; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	(void)snprintf(said, P11_SAID_MAX, "%s", line);
}

static void
note_outcome(struct doctor *d, enum p11_probe probe, bool is_late, int status)
{
	struct p11_probe_outcome *o = &d->facts->outcomes[probe];

	d->shared->step[P11_STEP_MAX - 1] = '\0';
	memcpy(o->step, d->shared->step, sizeof(o->step));
	if (is_late) {
		o->end = P11_END_HUNG;
	} else if (!d->shared->is_over) {
		o->end = P11_END_CRASHED;
		o->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	} else if (d->shared->err != OC_OK) {
		o->end = P11_END_FAILED;
		o->error = d->shared->error;
	} else
		o->end = P11_END_DONE;
	if (o->end == P11_END_FAILED && d->shared->err == OC_ERR_PIN)
		d->is_login_lost = true;
}

static bool
needs_login(enum p11_probe probe)
{
	return probe > P11_PROBE_LOGIN;
}

static enum oc_err
run_probe(struct doctor *d, enum p11_probe probe, enum sign_key_type make,
    struct oc_error *error)
{
	struct child_process child = { .over_fd = -1, .socket = -1,
	    .listener = -1, .said_fd = -1 };
	int status = 0;
	bool is_late;
	enum oc_err err;

	if (needs_login(probe) && d->is_login_lost)
		return OC_OK;
	if (d->options->progress != NULL)
		d->options->progress(d->options->arg, probes[probe].name);
	d->shared->is_over = false;
	atomic_store(&d->shared->is_cancelled, is_interrupted != 0);
	d->shared->err = OC_OK;
	memset(&d->shared->error, 0, sizeof(d->shared->error));
	(void)snprintf(d->shared->step, P11_STEP_MAX, "start");
	atomic_store(&d->shared->step_until_ns, oc_clock_mono_ns() +
	    d->options->timeout_ns);
	err = start_child(d, probe, make, &child, error);
	if (err != OC_OK)
		return err;
	is_late = !wait_child(d, probe, &child, &status);
	if (is_late) {
		(void)kill(child.pid, SIGKILL);
		while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	note_said(child.said_fd, d->facts->outcomes[probe].said);
	close_child(&child);
	note_outcome(d, probe, is_late, status);
	return is_interrupted != 0 ? oc_error_set(error, OC_ERR_CANCELLED,
	    "interrupted") : OC_OK;
}

static bool
is_done(const struct doctor *d, enum p11_probe probe)
{
	return d->facts->outcomes[probe].end == P11_END_DONE;
}

/* --- keys and trials -------------------------------------------------- */

static const enum sign_key_type made_types[] = { SIGN_KEY_P256, SIGN_KEY_P384,
    SIGN_KEY_ED25519, SIGN_KEY_RSA };
#define NUM_MADE_TYPES (sizeof(made_types) / sizeof(made_types[0]))

static enum oc_err
make_keys(struct doctor *d, struct oc_error *error)
{
	enum oc_err err = run_probe(d, P11_PROBE_SWEEP, SIGN_KEY_NONE, error);

	/* Those of one that was killed are not what this one swept. */
	d->facts->num_swept = 0;
	for (size_t i = 0; err == OC_OK && i < NUM_MADE_TYPES; i++) {
		const struct p11_probe_outcome *o =
		    &d->facts->outcomes[P11_PROBE_MAKE_KEYS];
		enum sign_key_type type = made_types[i];

		d->facts->made[type].is_tried = true;
		err = run_probe(d, P11_PROBE_MAKE_KEYS, type, error);
		if (o->end == P11_END_FAILED)
			(void)snprintf(d->facts->made[type].reason,
			    sizeof(d->facts->made[type].reason), "%.127s",
			    o->error.text);
		else if (o->end != P11_END_DONE)
			(void)snprintf(d->facts->made[type].reason,
			    sizeof(d->facts->made[type].reason), "%.80s %s",
			    o->step, o->end == P11_END_HUNG ?
			    "did not return" : "crashed");
	}
	return err;
}

/* One key of each type and size, what is there before what we made. */
static bool
is_tried_key(const struct p11_doctor_facts *facts, size_t i)
{
	const struct p11_key_entry *e = &facts->keys[i].entry;

	if (!facts->keys[i].is_usable)
		return false;
	for (size_t n = 0; n < facts->num_keys; n++) {
		const struct p11_doctor_key *other = &facts->keys[n];

		if (n == i || !other->is_usable || other->entry.type !=
		    e->type || other->entry.bits != e->bits)
			continue;
		if (other->is_temporary == facts->keys[i].is_temporary ?
		    n < i : !other->is_temporary)
			return false;
	}
	return true;
}

static void
list_trials(struct p11_doctor_facts *facts)
{
	for (size_t k = 0; k < facts->num_keys; k++) {
		if (!is_tried_key(facts, k))
			continue;
		for (size_t m = 0; m < p11_doctor_num_mechanisms; m++)
			if (facts->num_trials < P11_DOCTOR_TRIALS_MAX &&
			    sign_alg_fits(p11_doctor_mechanisms[m].alg,
			    facts->keys[k].entry.type))
				facts->trials[facts->num_trials++] =
				    (struct p11_doctor_trial){ .key = k,
				    .mechanism = m };
	}
}

static enum oc_err
run_trials(struct doctor *d, struct oc_error *error)
{
	const struct p11_probe_outcome *o =
	    &d->facts->outcomes[P11_PROBE_TRIALS];
	enum oc_err err = OC_OK;

	list_trials(d->facts);
	if (d->facts->num_trials == 0)
		return OC_OK;
	for (int deaths = 0; err == OC_OK && deaths < TRIAL_DEATHS_MAX;
	    deaths++) {
		err = run_probe(d, P11_PROBE_TRIALS, SIGN_KEY_NONE, error);
		if (o->end != P11_END_HUNG && o->end != P11_END_CRASHED)
			break;
		for (size_t i = 0; i < d->facts->num_trials; i++)
			if (d->facts->trials[i].state == P11_TRIAL_RUNNING)
				d->facts->trials[i].state =
				    o->end == P11_END_HUNG ? P11_TRIAL_HUNG :
				    P11_TRIAL_CRASHED;
	}
	return err;
}

static bool
has_working_trial(const struct p11_doctor_facts *facts, size_t key)
{
	for (size_t i = 0; i < facts->num_trials; i++)
		if (facts->trials[i].key == key &&
		    facts->trials[i].state == P11_TRIAL_WORKS)
			return true;
	return false;
}

/* The least is the best. */
static unsigned int
rank_of(const struct p11_doctor_key *key)
{
	unsigned int rank = (unsigned int)key->entry.type;

	/* RSA last: it says less of the token's own overhead. */
	if (key->entry.type == SIGN_KEY_RSA)
		rank = 100 + key->entry.bits / 100;
	return key->is_temporary ? rank + 1000 : rank;
}

static void
choose_key(const struct p11_doctor_options *options,
    struct p11_doctor_facts *facts)
{
	for (size_t i = 0; i < facts->num_keys; i++) {
		bool is_chosen = options->key == NULL ?
		    has_working_trial(facts, i) : strcmp(options->key,
		    facts->keys[i].entry.label) == 0;

		if (!facts->keys[i].is_usable || !is_chosen)
			continue;
		if (!facts->has_best_key || rank_of(&facts->keys[i]) <
		    rank_of(&facts->keys[facts->best_key]))
			facts->best_key = i;
		facts->has_best_key = true;
	}
}

/* --- all of it -------------------------------------------------------- */

static enum oc_err
run_with_key(struct doctor *d, struct oc_error *error)
{
	static const enum p11_probe gentle[] = { P11_PROBE_LOGOUT,
	    P11_PROBE_OPERATIONS }, rough[] = { P11_PROBE_SESSIONS,
	    P11_PROBE_SPEED };
	enum oc_err err = OC_OK;

	for (size_t i = 0; err == OC_OK && i < 2; i++)
		if (d->facts->has_best_key)
			err = run_probe(d, gentle[i], SIGN_KEY_NONE, error);
	for (size_t i = 0; err == OC_OK && i < 2; i++)
		if (!d->options->is_in_use && (d->facts->has_best_key ||
		    rough[i] == P11_PROBE_SESSIONS))
			err = run_probe(d, rough[i], SIGN_KEY_NONE, error);
	if (err == OC_OK && d->options->idle_s > 0)
		err = run_probe(d, P11_PROBE_IDLE, SIGN_KEY_NONE, error);
	return err;
}

static enum oc_err
run_logged_in(struct doctor *d, struct oc_error *error)
{
	enum oc_err err = OC_OK, swept;

	if (d->options->makes_keys)
		err = make_keys(d, error);
	if (err == OC_OK)
		err = run_probe(d, P11_PROBE_KEYS, SIGN_KEY_NONE, error);
	if (err == OC_OK)
		err = run_trials(d, error);
	choose_key(d->options, d->facts);
	if (err == OC_OK)
		err = run_probe(d, P11_PROBE_OBSERVE, SIGN_KEY_NONE, error);
	p11_observe_settle(d->facts);
	if (err == OC_OK)
		err = run_with_key(d, error);
	if (!d->options->makes_keys)
		return err;
	/* Also when something failed, and when somebody has had enough. */
	is_interrupted = 0;
	swept = run_probe(d, P11_PROBE_SWEEP, SIGN_KEY_NONE, err == OC_OK ?
	    error : NULL);
	return err != OC_OK ? err : swept;
}

static enum oc_err
run_all(struct doctor *d, struct oc_error *error)
{
	const struct p11_token_config *token = &d->options->token;
	enum oc_err err;

	err = run_probe(d, P11_PROBE_MODULE, SIGN_KEY_NONE, error);
	if (err != OC_OK || !is_done(d, P11_PROBE_MODULE))
		return err;
	err = run_probe(d, P11_PROBE_NULL_INIT, SIGN_KEY_NONE, error);
	if (err != OC_OK || token->uri == NULL)
		return err;
	err = run_probe(d, P11_PROBE_TOKEN, SIGN_KEY_NONE, error);
	if (err != OC_OK || !is_done(d, P11_PROBE_TOKEN) ||
	    (token->pin_source == NULL && !d->facts->token.has_pin_pad))
		return err;
	err = run_probe(d, P11_PROBE_LOGIN, SIGN_KEY_NONE, error);
	if (err != OC_OK || !is_done(d, P11_PROBE_LOGIN))
		return err;
	return run_logged_in(d, error);
}

enum oc_err
p11_doctor_run(const struct p11_doctor_options *options,
    struct p11_doctor_facts *facts, struct oc_error *error)
{
	struct doctor d = { .options = options };
	struct sigaction old[2];
	enum oc_err err;

	memset(facts, 0, sizeof(*facts));
	d.shared = mmap(NULL, sizeof(*d.shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (d.shared == MAP_FAILED)
		return oc_error_set_errno(error, OC_ERR_NOMEM, "mmap");
	d.facts = &d.shared->facts;
	d.facts->idle_s = options->idle_s;
	catch_signals(old);
	err = run_all(&d, error);
	restore_signals(old);
	*facts = *d.facts;
	(void)munmap(d.shared, sizeof(*d.shared));
	return err;
}
