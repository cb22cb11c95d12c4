/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that ocsign-validator looks with, made by [validation]: resolver and
 * pages, WHOIS and RDAP, mail, dynamic updates, the hook.  Each task goes to
 * the one that does it.
 */
#ifndef VALIDATION_TOOLS_H
#define VALIDATION_TOOLS_H

#include "base/config.h"
#include "validation/service.h"

struct event_base;
struct validation_tools;

/* Begins the hook's runner, reads keys, passwords and certificates: before the
 * sandbox.  The resolver's thread begins with the first question.  config is
 * borrowed.  CONFIG, and what those say who read them. */
enum oc_err validation_tools_new(const struct oc_config_validation *config,
    struct event_base *base, struct validation_tools **tools,
    struct oc_error *error) OC_MUST_CHECK;
/* Behind the service, which cancels what is under way.  NULL is fine. */
void validation_tools_free(struct validation_tools *tools);

struct validation_looker validation_tools_looker(
    struct validation_tools *tools);

#endif
