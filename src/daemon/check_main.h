/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "ocsignd -t": the configuration as oc_config_load() checks it, and beyond
 * that what the files it names hold.  Part of main: it looks into the rooms
 * of certificates and tokens, which the rest of the supervisor must not.
 */
#ifndef DAEMON_CHECK_MAIN_H
#define DAEMON_CHECK_MAIN_H

#include "base/config.h"

enum daemon_check_how {
	DAEMON_CHECK_ALL,
	/* A PIN that is not there is printed, but no error: the signer may have
	 * read it before; nor is an OCSP signer's certificate that has expired
	 * since it was taken. */
	DAEMON_CHECK_TO_RELOAD,
	/* Nor is a module that is not there, or a chain that is wrong: what is
	 * signed can be served, and the signer goes on looking for it; nor what
	 * keeps the API's role alone from starting. */
	DAEMON_CHECK_TO_START
};

/* Calls print for each error, one line.  CONFIG if there was any. */
enum oc_err daemon_check(const char *path, enum daemon_check_how how,
    void (*print)(const char *line), struct oc_config **config) OC_MUST_CHECK;

#endif
