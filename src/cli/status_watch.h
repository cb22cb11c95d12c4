/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status --watch: on a terminal the whole status again and again; anywhere
 * else a line an interval, or with --json a document on a line.
 */
#ifndef CLI_STATUS_WATCH_H
#define CLI_STATUS_WATCH_H

#include <jansson.h>

#include "cli/cli.h"

/* Asks all roles; *facts is the caller's. */
typedef enum oc_err cli_look_fn(struct cli *cli, json_t **facts,
    struct oc_error *error);
/* Prints them for people. */
typedef void cli_show_fn(struct cli *cli, json_t *facts);

/* Until it is interrupted, or nobody reads any more; an error if the service
 * does not run at first.  USAGE if interval is no number of seconds; "" is a
 * preset. */
enum oc_err cli_status_watch(struct cli *cli, const char *interval,
    cli_look_fn *look, cli_show_fn *show, struct oc_error *error)
    OC_MUST_CHECK;

#endif
