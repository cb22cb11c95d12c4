/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS#11 module: the vendor's library, opened and initialised.
 *
 * Every call into it is made between enter and leave, so that a restart
 * (C_Finalize, C_Initialize) can wait until nobody is inside.  The epoch
 * counts restarts: handles of another epoch mean nothing and are forgotten,
 * never closed.
 */
#ifndef PKCS11_MODULE_H
#define PKCS11_MODULE_H

#include <pthread.h>
#include <stdatomic.h>

#include <p11-kit/pkcs11.h>

#include "base/err.h"
#include "der/bytes.h"

struct p11_module {
	CK_FUNCTION_LIST *f;
	char *path;
	char **environment;		/* "NAME=value", NULL at the end */
	char *init_args;		/* for C_Initialize, or NULL */
	void *library;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_mutex_t finding;	/* C_GetTokenInfo: one at a time */
	unsigned int num_inside;
	atomic_uint num_lost;		/* inside, and will not come back */
	bool is_closed;			/* for a restart */
	uint64_t epoch;			/* 0: not initialised yet */
};

/* Sets the environment first: call before there are threads.  NOT_FOUND when
 * there is no such file, UNSUPPORTED when it is no module. */
enum oc_err p11_module_open(const char *path, const char *const *environment,
    struct p11_module **module, struct oc_error *error) OC_MUST_CHECK;
/* The same without C_Initialize, which may hang: then p11_module_start()
 * before anything else.  init_args, unless NULL, is what C_Initialize gets as
 * pReserved: a string, which NSS wants and others refuse. */
enum oc_err p11_module_load(const char *path, const char *const *environment,
    const char *init_args, struct p11_module **module,
    struct oc_error *error) OC_MUST_CHECK;
/* C_Initialize, once; others wait meanwhile.  CONFIG: it wants other
 * init-args; TOKEN: try again. */
enum oc_err p11_module_start(struct p11_module *module,
    struct oc_error *error) OC_MUST_CHECK;
/* Both. */
enum oc_err p11_module_open_args(const char *path,
    const char *const *environment, const char *init_args,
    struct p11_module **module, struct oc_error *error) OC_MUST_CHECK;
/* C_Finalize.  The library stays loaded: few survive being unloaded. */
void p11_module_close(struct p11_module *module);

/* Waits while a restart runs. */
void p11_module_enter(struct p11_module *module, uint64_t *epoch);
void p11_module_leave(struct p11_module *module);

/* Does nothing if the epoch is no longer seen_epoch: another token's keeper
 * was faster.  TIMEOUT when somebody is still inside at the deadline. */
enum oc_err p11_module_restart(struct p11_module *module,
    uint64_t seen_epoch, int64_t deadline_ns, struct oc_error *error)
    OC_MUST_CHECK;

#endif
