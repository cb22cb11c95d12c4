/* SPDX-License-Identifier: Apache-2.0 */
/* The module's side of shim.h: which rule strikes a call, and what then. */
#ifndef TESTS_SHIM_STRIKE_H
#define TESTS_SHIM_STRIKE_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include <p11-kit/pkcs11.h>

#include "tests/faults/shim.h"

extern CK_FUNCTION_LIST *shim_real;
extern struct shim_control *shim_control;
/* Read: the module is signing.  Written: sessions are closed behind the back
 * of who uses them, which a device survives, and SoftHSM only if nobody is
 * inside. */
extern pthread_rwlock_t shim_signing;

/* Before a call: true if *rv is to be returned instead.  *rule is the one that
 * strikes, or NULL. */
bool shim_strike(enum shim_function function, CK_SESSION_HANDLE session,
    struct shim_rule **rule, CK_RV *rv);
bool shim_is_mode(const struct shim_rule *rule, enum shim_mode mode);

/* Until so long after then. */
void shim_pause_until(struct timespec then, int ms);

/* Slots and objects have other numbers after SHIM_RENUMBER, SHIM_FAILOVER:
 * out to the caller, and back in, with CKR_..._INVALID for old ones. */
CK_SLOT_ID shim_slot_out(CK_SLOT_ID slot);
CK_RV shim_slot_in(CK_SLOT_ID *slot);
CK_OBJECT_HANDLE shim_object_out(CK_OBJECT_HANDLE object);
CK_RV shim_object_in(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *object);

#endif
