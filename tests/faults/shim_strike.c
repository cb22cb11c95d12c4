/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faults/shim_strike.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

CK_FUNCTION_LIST *shim_real;
struct shim_control *shim_control;
pthread_rwlock_t shim_signing = PTHREAD_RWLOCK_INITIALIZER;

static void
pause_ms(int ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	if (ms > 0)
		(void)nanosleep(&ts, NULL);
}

void
shim_pause_until(struct timespec then, int ms)
{
	then.tv_nsec += ms % 1000 * 1000000L;
	then.tv_sec += ms / 1000 + then.tv_nsec / 1000000000;
	then.tv_nsec %= 1000000000;
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL);
}

/* The same seed, the same calls: splitmix64 of both. */
static bool
is_chosen(const struct shim_rule *r, int seen)
{
	uint64_t z = atomic_load(&shim_control->seed) +
	    (uint64_t)seen * UINT64_C(0x9e3779b97f4a7c15);
	int per_mille = atomic_load(&r->per_mille);

	if (per_mille == 0)
		return true;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % 1000 < (uint64_t)per_mille;
}

/* The rule that strikes this call, or NULL. */
static struct shim_rule *
find_rule(enum shim_function function)
{
	for (int i = 0; i < SHIM_RULES; i++) {
		struct shim_rule *r = &shim_control->rules[i];
		int seen, count;

		if (atomic_load(&r->function) != (int)function)
			continue;
		seen = atomic_fetch_add(&r->seen, 1) - atomic_load(&r->after);
		count = atomic_load(&r->count);
		if (seen < 0 || (count != 0 && seen >= count) ||
		    !is_chosen(r, seen))
			continue;
		(void)atomic_fetch_add(&r->struck, 1);
		return r;
	}
	return NULL;
}

/* Closes what the test would count as leaked. */
static void
close_all(CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info;

	if (shim_real->C_GetSessionInfo(session, &info) == CKR_OK &&
	    shim_real->C_CloseAllSessions(info.slotID) == CKR_OK)
		atomic_store(&shim_control->num_open, 0);
}

/* Not under a signature: the module would be gone from below it. */
static void
finalize(void)
{
	(void)pthread_rwlock_wrlock(&shim_signing);
	if (shim_real->C_Finalize(NULL) == CKR_OK)
		atomic_store(&shim_control->num_open, 0);
	(void)pthread_rwlock_unlock(&shim_signing);
}

/* Without what a sanitizer would have to say; threads block all signals. */
static void
crash(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGSEGV);
	(void)signal(SIGSEGV, SIG_DFL);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	(void)raise(SIGSEGV);
}

/* Until the rule is cleared, whatever has its place then. */
static void
hang(const struct shim_rule *r, enum shim_function function)
{
	unsigned int serial = atomic_load(&r->serial);

	while (atomic_load(&r->function) == (int)function &&
	    atomic_load(&r->serial) == serial)
		pause_ms(2);
}

/* What a rule does; true if *rv is to be returned. */
static bool
act(struct shim_rule *r, enum shim_function function,
    CK_SESSION_HANDLE session, CK_RV *rv)
{
	*rv = atomic_load(&r->rv);
	switch ((enum shim_mode)atomic_load(&r->mode)) {
	case SHIM_RETURN:
		return true;
	case SHIM_HANG:
		hang(r, function);
		return false;
	case SHIM_DO_LOGOUT:
		(void)pthread_rwlock_wrlock(&shim_signing);
		(void)shim_real->C_Logout(session);
		(void)pthread_rwlock_unlock(&shim_signing);
		return false;
	case SHIM_DO_CLOSE_ALL:
		(void)pthread_rwlock_wrlock(&shim_signing);
		close_all(session);
		(void)pthread_rwlock_unlock(&shim_signing);
		return false;
	case SHIM_DO_FINALIZE:
		finalize();
		return false;
	case SHIM_BREAK:
		atomic_store(&shim_control->broken, *rv);
		return true;
	case SHIM_CRASH:
		crash();
		return false;
	case SHIM_ABORT:
		abort();
	case SHIM_FULL:
		return atomic_load(&shim_control->num_open) >=
		    atomic_load(&r->arg);
	case SHIM_BUSY:
		return atomic_load(&shim_control->num_signing) >
		    atomic_load(&r->arg);
	case SHIM_FAILOVER:
		atomic_store(&shim_control->is_other_key,
		    (int)atomic_load(&r->arg));
		(void)atomic_fetch_add(&shim_control->num_failovers, 1);
		return false;
	case SHIM_RENUMBER:
		(void)atomic_fetch_add(&shim_control->num_renumbered, 1);
		return false;
	case SHIM_SLOW:
	case SHIM_LASTS:
	case SHIM_EMPTY:
	case SHIM_FLIP:
	case SHIM_SHORTEN:
	case SHIM_SHORT_R:
	case SHIM_TO_DER:
	case SHIM_RAW_POINT:
	case SHIM_HIDE:
	case SHIM_PIN_PAD:
	case SHIM_TWICE:
	case SHIM_FLAGS:
		return false;
	}
	return false;
}

bool
shim_strike(enum shim_function function, CK_SESSION_HANDLE session,
    struct shim_rule **rule, CK_RV *rv)
{
	struct shim_rule *r;

	(void)atomic_fetch_add(&shim_control->calls[function], 1);
	*rv = atomic_load(&shim_control->broken);
	if (*rv != CKR_OK && function != SHIM_FINALIZE)
		return true;
	r = find_rule(function);
	*rule = r;
	if (r == NULL)
		return false;
	if (atomic_load(&r->mode) != SHIM_LASTS)
		pause_ms(atomic_load(&r->latency_ms));
	return act(r, function, session, rv);
}

bool
shim_is_mode(const struct shim_rule *rule, enum shim_mode mode)
{
	return rule != NULL && atomic_load(&rule->mode) == (int)mode;
}

/* SoftHSM's slots are below 2^31, its objects' handles are small, NSS's have 32
 * bits. */
#define SLOT_SHIFT 32
#define OBJECT_SHIFT (8 * sizeof(unsigned long) - 16)

CK_SLOT_ID
shim_slot_out(CK_SLOT_ID slot)
{
	return slot | atomic_load(&shim_control->num_renumbered) <<
	    SLOT_SHIFT;
}

CK_RV
shim_slot_in(CK_SLOT_ID *slot)
{
	if (*slot >> SLOT_SHIFT !=
	    atomic_load(&shim_control->num_renumbered))
		return CKR_SLOT_ID_INVALID;
	*slot &= (1UL << SLOT_SHIFT) - 1;
	return CKR_OK;
}

CK_OBJECT_HANDLE
shim_object_out(CK_OBJECT_HANDLE object)
{
	return object | atomic_load(&shim_control->num_failovers) <<
	    OBJECT_SHIFT;
}

/* Any private key but this one; itself if there is no other. */
static CK_OBJECT_HANDLE
other_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE what = { CKA_CLASS, &class, sizeof(class) };
	CK_OBJECT_HANDLE found[8];
	CK_ULONG num = 0;

	if (shim_real->C_FindObjectsInit(session, &what, 1) != CKR_OK)
		return key;
	(void)shim_real->C_FindObjects(session, found, 8, &num);
	(void)shim_real->C_FindObjectsFinal(session);
	for (CK_ULONG i = 0; i < num; i++)
		if (found[i] != key)
			return found[i];
	return key;
}

CK_RV
shim_object_in(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *object)
{
	unsigned long now = atomic_load(&shim_control->num_failovers);
	bool is_old = *object >> OBJECT_SHIFT != now;

	*object &= (1UL << OBJECT_SHIFT) - 1;
	if (!is_old)
		return CKR_OK;
	if (!atomic_load(&shim_control->is_other_key))
		return CKR_OBJECT_HANDLE_INVALID;
	*object = other_key(session, *object);
	return CKR_OK;
}
