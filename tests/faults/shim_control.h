/* SPDX-License-Identifier: Apache-2.0 */
/* The test's side of the shim. */
#ifndef TESTS_SHIM_CONTROL_H
#define TESTS_SHIM_CONTROL_H

#include "tests/faults/shim.h"
#include "tests/unit/softhsm_fixture.h"

/* Puts the shim in front of the fixture's module; hsm->token uses it. */
struct shim_control *shim_open(struct softhsm *hsm);
void shim_close(struct shim_control *control);

/* Adds a rule; returns which. */
int shim_add(struct shim_control *control, enum shim_function function,
    enum shim_mode mode, unsigned long rv, int after, int count);
void shim_clear(struct shim_control *control);
unsigned long shim_calls(const struct shim_control *control,
    enum shim_function function);

#endif
