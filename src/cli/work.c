/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration, store, lock, progress: see cli/work.h. */
#include "cli/work_impl.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/value.h"

#define LOCK_WAIT_S 30
#define LOCK_RETRY_NS (100 * OC_NS_PER_MS)
#define PROGRESS_AFTER_S 2

struct cli_work *
cli_work_of(struct cli *cli)
{
	if (cli->work == NULL) {
		cli->work = calloc(1, sizeof(*cli->work));
		if (cli->work == NULL)
			cli_no_memory();
		cli->work->lock_fd = -1;
	}
	return cli->work;
}

void
cli_no_memory(void)
{
	static const char text[] = "ocsign: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(1);
}

void
cli_close(struct cli *cli, int exit_status)
{
	struct cli_work *w = cli->work;

	if (w == NULL)
		return;
	store_close(w->store);
	cli_close_signers(cli);
	if (w->is_stuck)
		_exit(exit_status);
	ca_blocklist_free(w->blocklist);
	oc_config_free(w->config);
	if (w->lock_fd >= 0)
		(void)close(w->lock_fd);
	free(w);
	cli->work = NULL;
}

int64_t
cli_deadline(int64_t seconds)
{
	return oc_clock_mono_ns() + seconds * OC_NS_PER_S;
}

enum oc_err
cli_validity(const struct cli *cli, int64_t *seconds, struct oc_error *error)
{
	const char *text = cli_option(cli, "validity");
	int64_t read_s = 0;

	if (text != NULL && oc_value_duration(text, &read_s, error) != OC_OK) {
		oc_error_prefix(error, "--validity");
		return OC_ERR_USAGE;
	}
	if (text != NULL && read_s == 0)
		return oc_error_set(error, OC_ERR_USAGE, "--validity %.64s is "
		    "no time; leave it out to have the profile's", text);
	*seconds = read_s;
	return OC_OK;
}

enum oc_err
cli_config(struct cli *cli, const struct oc_config **config,
    struct oc_error *error)
{
	struct cli_work *w = cli_work_of(cli);
	struct oc_config_errors errors = { 0 };
	enum oc_err err;

	if (w->config == NULL) {
		err = oc_config_load(cli->config_path, &w->config, &errors);
		if (err != OC_OK && errors.num_found > 1)
			return oc_error_set(error, err, "%s (and %zu more: "
			    "\"ocsignd -t\" lists them)", errors.list[0].text,
			    errors.num_found - 1);
		if (err == OC_ERR_NOT_FOUND)
			return oc_error_set(error, err, "%s; write one, or "
			    "name another with -c FILE", errors.list[0].text);
		if (err != OC_OK)
			return oc_error_set(error, err, "%s",
			    errors.list[0].text);
	}
	*config = w->config;
	return OC_OK;
}

enum oc_err
cli_config_again(struct cli *cli, const struct oc_config **config,
    struct oc_error *error)
{
	struct cli_work *w = cli_work_of(cli);

	oc_assert(w->plan == NULL && w->local == NULL && w->num_keys == 0);
	store_close(w->store);
	w->store = NULL;
	oc_config_free(w->config);
	w->config = NULL;
	return cli_config(cli, config, error);
}

static enum oc_err
make_directory(const char *path, struct oc_error *error)
{
	char *directory;
	enum oc_err err;

	if (oc_path_directory(path, &directory) != OC_OK)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	err = oc_file_mkdir_p(directory, 0700, error);
	free(directory);
	return err;
}

enum oc_err
cli_store(struct cli *cli, enum store_mode mode, struct store **store,
    struct oc_error *error)
{
	struct cli_work *w = cli_work_of(cli);
	const struct oc_config *config;
	char actor[32];
	enum oc_err err;

	if (w->store != NULL) {
		*store = w->store;
		return OC_OK;
	}
	err = cli_config(cli, &config, error);
	if (err == OC_OK && mode == STORE_CREATE)
		err = make_directory(config->store.path, error);
	if (err == OC_OK && mode != STORE_CREATE &&
	    config->store.database == NULL &&
	    access(config->store.path, F_OK) != 0 && errno == ENOENT)
		err = oc_error_set(error, OC_ERR_NOT_FOUND, "there is no "
		    "store %s yet; \"ocsign ca create\" makes it",
		    config->store.path);
	if (err == OC_OK)
		err = store_open(oc_config_store_where(config), mode,
		    &w->store, error);
	if (err != OC_OK)
		return err;
	(void)snprintf(actor, sizeof(actor), "ocsign[uid %ld]",
	    (long)getuid());
	store_set_actor(w->store, actor);
	*store = w->store;
	return OC_OK;
}

enum oc_err
cli_find_issuer(struct cli *cli, const char *name,
    const struct oc_config_issuer **issuer, struct oc_error *error)
{
	const struct oc_config *config;
	char names[200] = "";
	size_t len = 0;
	enum oc_err err = cli_config(cli, &config, error);

	if (err != OC_OK)
		return err;
	*issuer = oc_config_find_issuer(config, name);
	if (*issuer != NULL)
		return OC_OK;
	for (size_t i = 0; i < config->num_issuers; i++)
		if (len < sizeof(names))
			len += (size_t)snprintf(names + len,
			    sizeof(names) - len, "%s%s", i == 0 ? "" : ", ",
			    config->issuers[i].name);
	return oc_error_set(error, OC_ERR_NOT_FOUND, "there is no [issuer "
	    "%.64s] in %s; %s%s", name, config->path,
	    config->num_issuers == 0 ? "add one" : "it has ", names);
}

enum oc_err
cli_blocklist(struct cli *cli, const struct ca_blocklist **blocklist,
    struct oc_error *error)
{
	struct cli_work *w = cli_work_of(cli);
	const struct oc_config *config;
	enum oc_err err = cli_config(cli, &config, error);

	if (err == OC_OK && w->blocklist == NULL)
		err = ca_blocklist_load(config->policy.blocklist,
		    &w->blocklist, error);
	if (err == OC_OK)
		*blocklist = w->blocklist;
	return err;
}

static enum oc_err
open_issuer(struct cli *cli, const char *name,
    const struct ca_blocklist *blocklist, enum store_mode mode,
    struct ca_issuer **issuer, struct oc_error *error)
{
	const struct oc_config_issuer *section;
	struct ca_issuer *opened = NULL;
	struct store *store;
	enum oc_err err;

	err = cli_find_issuer(cli, name, &section, error);
	if (err == OC_OK)
		err = ca_issuer_load(section, &opened, error);
	if (err == OC_OK) {
		opened->blocklist = blocklist;
		err = cli_store(cli, mode, &store, error);
	}
	if (err == OC_OK)
		err = mode == STORE_READ ?
		    ca_issuer_recognize(opened, store, error) :
		    ca_issuer_register(opened, store, error);
	if (err != OC_OK) {
		ca_issuer_free(opened);
		return err;
	}
	*issuer = opened;
	return OC_OK;
}

enum oc_err
cli_open_listed_issuer(struct cli *cli, const char *name,
    struct ca_issuer **issuer, struct oc_error *error)
{
	const struct ca_blocklist *blocklist;
	enum oc_err err = cli_blocklist(cli, &blocklist, error);

	return err != OC_OK ? err : open_issuer(cli, name, blocklist,
	    STORE_CREATE, issuer, error);
}

enum oc_err
cli_open_issuer(struct cli *cli, const char *name, struct ca_issuer **issuer,
    struct oc_error *error)
{
	struct ca_issuer *opened = NULL;
	enum oc_err err = cli_open_listed_issuer(cli, name, &opened, error);

	if (err == OC_OK)
		err = ca_issuer_check_blocked(opened, NULL, error);
	if (err != OC_OK) {
		ca_issuer_free(opened);
		return err;
	}
	*issuer = opened;
	return OC_OK;
}

enum oc_err
cli_open_any_issuer(struct cli *cli, const char *name,
    struct ca_issuer **issuer, struct oc_error *error)
{
	return open_issuer(cli, name, NULL, STORE_CREATE, issuer, error);
}

enum oc_err
cli_open_known_issuer(struct cli *cli, const char *name, enum store_mode mode,
    struct ca_issuer **issuer, struct oc_error *error)
{
	oc_assert(mode != STORE_CREATE);
	return open_issuer(cli, name, NULL, mode, issuer, error);
}

enum oc_err
cli_lock(struct cli *cli, struct oc_error *error)
{
	const struct timespec pause = { 0, LOCK_RETRY_NS };
	struct cli_work *w = cli_work_of(cli);
	int64_t deadline_ns = cli_deadline(LOCK_WAIT_S);
	const struct oc_config *config;
	char *directory, *path = NULL;
	enum oc_err err;

	if (w->lock_fd >= 0)
		return OC_OK;
	err = cli_config(cli, &config, error);
	if (err == OC_OK)
		err = make_directory(config->store.path, error);
	if (err != OC_OK)
		return err;
	if (oc_path_directory(config->store.path, &directory) != OC_OK)
		cli_no_memory();
	if (oc_path_join(directory, "ocsign.lock", &path) != OC_OK)
		cli_no_memory();
	cli_progress_begin("another ocsign, which uses the token");
	while ((err = oc_file_lock(path, &w->lock_fd, error)) ==
	    OC_ERR_BUSY && oc_clock_mono_ns() < deadline_ns)
		(void)nanosleep(&pause, NULL);
	cli_progress_end();
	free(path);
	free(directory);
	return err;
}

/* --- progress --------------------------------------------------------- */

static char progress[128];

static void
on_alarm(int signal_number)
{
	int saved_errno = errno;

	(void)signal_number;
	(void)!write(STDERR_FILENO, progress, strlen(progress));
	errno = saved_errno;
}

/* By a timer, not a thread: pkcs11/admin.h forks. */
static void
set_timer(int seconds)
{
	const struct itimerval timer = { .it_value.tv_sec = seconds };

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

void
cli_progress_begin(const char *what)
{
	struct sigaction action = { .sa_handler = on_alarm,
	    .sa_flags = SA_RESTART };

	if (!isatty(STDERR_FILENO))
		return;
	(void)snprintf(progress, sizeof(progress),
	    "ocsign: waiting for %s ...\n", what);
	(void)sigaction(SIGALRM, &action, NULL);
	set_timer(PROGRESS_AFTER_S);
}

void
cli_progress_end(void)
{
	if (isatty(STDERR_FILENO))
		set_timer(0);
}
