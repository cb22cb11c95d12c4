/* SPDX-License-Identifier: Apache-2.0 */
/* dlopen, C_GetFunctionList, C_Initialize; and the gate around it all. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "pkcs11/module.h"
#include "pkcs11/recover.h"

/* NSS reads one pointer more than PKCS#11 has in this structure. */
struct initialize_args {
	CK_C_INITIALIZE_ARGS args;
	void *nss_extra;
};

static enum oc_err
set_environment(const char *const *environment, struct oc_error *error)
{
	for (; environment != NULL && *environment != NULL; environment++) {
		const char *equals = strchr(*environment, '=');
		char *name;
		int rc;

		if (equals == NULL || equals == *environment)
			return oc_error_set(error, OC_ERR_CONFIG,
			    "environment wants NAME=value");
		name = strndup(*environment, (size_t)(equals - *environment));
		rc = name == NULL ? -1 : setenv(name, equals + 1, 1);
		free(name);
		if (rc != 0)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
	}
	return OC_OK;
}

/* NULL: no memory. */
static char **
copy_environment(const char *const *environment)
{
	size_t num = 0;
	char **copy;

	while (environment != NULL && environment[num] != NULL)
		num++;
	copy = calloc(num + 1, sizeof(*copy));
	for (size_t i = 0; copy != NULL && i < num; i++)
		if ((copy[i] = strdup(environment[i])) == NULL) {
			while (i > 0)
				free(copy[--i]);
			free(copy);
			return NULL;
		}
	return copy;
}

/*
 * A process has one environment, and modules may want the same variable to be
 * different: each gets its own for C_Initialize, one after the other.  One in
 * which that hangs has read it long ago.
 *
 * Every variable was set before there were threads, so that changing one moves
 * nothing that another thread may be looking at.
 */
static pthread_mutex_t initializing = PTHREAD_MUTEX_INITIALIZER;
#define INITIALIZING_NS (2 * OC_NS_PER_S)

static bool
take_environment(const struct p11_module *m)
{
	int64_t until_ns = oc_clock_mono_ns() + INITIALIZING_NS;
	struct timespec until = { until_ns / OC_NS_PER_S,
	    until_ns % OC_NS_PER_S };
	bool is_ours = pthread_mutex_clocklock(&initializing,
	    CLOCK_MONOTONIC, &until) == 0;

	(void)!set_environment((const char *const *)m->environment, NULL);
	return is_ours;
}

static CK_RV
initialize(const struct p11_module *m)
{
	bool is_ours = take_environment(m);
	struct initialize_args a;
	CK_RV rv;

	memset(&a, 0, sizeof(a));
	/* Without it, or with NULL, SoftHSM takes no locks at all. */
	a.args.flags = CKF_OS_LOCKING_OK;
	a.args.pReserved = m->init_args;
	rv = m->f->C_Initialize(&a);
	if (is_ours)
		(void)pthread_mutex_unlock(&initializing);
	return rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv;
}

static enum oc_err
load(struct p11_module *m, struct oc_error *error)
{
	CK_C_GetFunctionList get_function_list;
	char text[P11_CKR_TEXT_MAX];
	const char *reason;
	CK_RV rv;

	if (access(m->path, F_OK) != 0)
		return oc_error_set_errno(error, OC_ERR_NOT_FOUND,
		    "PKCS#11 module %s", m->path);
	m->library = dlopen(m->path, RTLD_NOW | RTLD_LOCAL);
	if (m->library == NULL) {
		reason = dlerror();
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "PKCS#11 module %s: %s", m->path,
		    reason != NULL ? reason : "cannot be loaded");
	}
	get_function_list = (CK_C_GetFunctionList)dlsym(m->library,
	    "C_GetFunctionList");
	if (get_function_list == NULL)
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "%s is no PKCS#11 module: it has no C_GetFunctionList",
		    m->path);
	rv = get_function_list(&m->f);
	if (rv != CKR_OK || m->f == NULL)
		return oc_error_set(error, OC_ERR_TOKEN,
		    "PKCS#11 module %s: C_GetFunctionList: %s", m->path,
		    p11_ckr_text(rv, text));
	return OC_OK;
}

enum oc_err
p11_module_start(struct p11_module *m, struct oc_error *error)
{
	char text[P11_CKR_TEXT_MAX];
	enum oc_err err = OC_OK;
	CK_RV rv;

	(void)pthread_mutex_lock(&m->lock);
	if (m->epoch == 0) {
		rv = initialize(m);
		if (rv == CKR_OK)
			m->epoch = 1;
		else if (rv == CKR_ARGUMENTS_BAD)
			err = oc_error_set(error, OC_ERR_CONFIG,
			    "PKCS#11 module %s: C_Initialize: %s: it may want "
			    "%sinit-args", m->path, p11_ckr_text(rv, text),
			    m->init_args == NULL ? "" : "other ");
		else
			err = oc_error_set(error, OC_ERR_TOKEN,
			    "PKCS#11 module %s: C_Initialize: %s", m->path,
			    p11_ckr_text(rv, text));
	}
	(void)pthread_mutex_unlock(&m->lock);
	return err;
}

/* And itself. */
static void
free_texts(struct p11_module *m)
{
	for (char **e = m == NULL ? NULL : m->environment;
	    e != NULL && *e != NULL; e++)
		free(*e);
	if (m != NULL) {
		free(m->environment);
		free(m->init_args);
		free(m->path);
	}
	free(m);
}

enum oc_err
p11_module_load(const char *path, const char *const *environment,
    const char *init_args, struct p11_module **module, struct oc_error *error)
{
	struct p11_module *m;
	pthread_condattr_t attr;
	enum oc_err err;

	if (path[0] != '/')
		return oc_error_set(error, OC_ERR_CONFIG,
		    "module must be an absolute path, not \"%s\"", path);
	err = set_environment(environment, error);
	if (err != OC_OK)
		return err;
	m = calloc(1, sizeof(*m));
	if (m == NULL || (m->path = strdup(path)) == NULL ||
	    (m->environment = copy_environment(environment)) == NULL ||
	    (init_args != NULL &&
	    (m->init_args = strdup(init_args)) == NULL)) {
		free_texts(m);
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	}
	(void)pthread_mutex_init(&m->lock, NULL);
	(void)pthread_mutex_init(&m->finding, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&m->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	err = load(m, error);
	if (err != OC_OK) {
		m->f = NULL;
		p11_module_close(m);
		return err;
	}
	*module = m;
	return OC_OK;
}

enum oc_err
p11_module_open_args(const char *path, const char *const *environment,
    const char *init_args, struct p11_module **module, struct oc_error *error)
{
	struct p11_module *m = NULL;
	enum oc_err err;

	err = p11_module_load(path, environment, init_args, &m, error);
	if (err == OC_OK)
		err = p11_module_start(m, error);
	if (err != OC_OK)
		p11_module_close(m);
	else
		*module = m;
	return err;
}

enum oc_err
p11_module_open(const char *path, const char *const *environment,
    struct p11_module **module, struct oc_error *error)
{
	return p11_module_open_args(path, environment, NULL, module, error);
}

void
p11_module_close(struct p11_module *module)
{
	if (module == NULL)
		return;
	if (module->f != NULL && module->epoch > 0)
		(void)module->f->C_Finalize(NULL);
	(void)pthread_cond_destroy(&module->changed);
	(void)pthread_mutex_destroy(&module->finding);
	(void)pthread_mutex_destroy(&module->lock);
	free_texts(module);
}

void
p11_module_enter(struct p11_module *module, uint64_t *epoch)
{
	(void)pthread_mutex_lock(&module->lock);
	while (module->is_closed)
		(void)pthread_cond_wait(&module->changed, &module->lock);
	module->num_inside++;
	*epoch = module->epoch;
	(void)pthread_mutex_unlock(&module->lock);
}

void
p11_module_leave(struct p11_module *module)
{
	(void)pthread_mutex_lock(&module->lock);
	oc_assert(module->num_inside > 0);
	if (--module->num_inside == 0)
		(void)pthread_cond_broadcast(&module->changed);
	(void)pthread_mutex_unlock(&module->lock);
}

static enum oc_err
restart_inside(struct p11_module *m, struct oc_error *error)
{
	char text[P11_CKR_TEXT_MAX];
	CK_RV rv;

	/* Whatever it says: a module in this state says anything. */
	(void)m->f->C_Finalize(NULL);
	rv = initialize(m);
	m->epoch++;
	if (rv != CKR_OK)
		return oc_error_set(error, OC_ERR_DOWN, "C_Initialize: %s",
		    p11_ckr_text(rv, text));
	return OC_OK;
}

enum oc_err
p11_module_restart(struct p11_module *module, uint64_t seen_epoch,
    int64_t deadline_ns, struct oc_error *error)
{
	struct timespec at = {
		.tv_sec = deadline_ns / OC_NS_PER_S,
		.tv_nsec = deadline_ns % OC_NS_PER_S,
	};
	enum oc_err err = OC_OK;
	int rc = 0;

	(void)pthread_mutex_lock(&module->lock);
	while (module->is_closed)
		(void)pthread_cond_wait(&module->changed, &module->lock);
	if (module->epoch != seen_epoch)
		goto out;
	module->is_closed = true;
	while (module->num_inside > 0 && rc == 0)
		rc = pthread_cond_timedwait(&module->changed, &module->lock,
		    &at);
	if (module->num_inside > 0)
		err = oc_error_set(error, OC_ERR_TIMEOUT,
		    "a call into the module does not return");
	else
		err = restart_inside(module, error);
	module->is_closed = false;
	(void)pthread_cond_broadcast(&module->changed);
out:
	(void)pthread_mutex_unlock(&module->lock);
	return err;
}
