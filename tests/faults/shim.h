/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a test tells the shim module what to do wrong.  The shim
 * (tests/faults/shim.c) is a PKCS#11 module in front of another one,
 * $OCSIGN_SHIM_MODULE; both sides map the file $OCSIGN_SHIM_CONTROL, so rules
 * take effect in a running process and counters can be read while it runs.
 */
#ifndef TESTS_SHIM_H
#define TESTS_SHIM_H

#include <stdatomic.h>

enum shim_function {
	SHIM_NONE, SHIM_INITIALIZE, SHIM_FINALIZE, SHIM_GET_SLOT_LIST,
	SHIM_GET_TOKEN_INFO, SHIM_OPEN_SESSION, SHIM_CLOSE_SESSION,
	SHIM_CLOSE_ALL_SESSIONS, SHIM_GET_SESSION_INFO, SHIM_LOGIN,
	SHIM_LOGOUT, SHIM_FIND_OBJECTS_INIT, SHIM_FIND_OBJECTS,
	SHIM_FIND_OBJECTS_FINAL, SHIM_GET_ATTRIBUTE_VALUE, SHIM_SIGN_INIT,
	SHIM_SIGN, SHIM_GENERATE_KEY_PAIR, SHIM_FUNCTION_MAX
};

enum shim_mode {
	SHIM_RETURN,		/* rv, without calling the module */
	SHIM_SLOW,		/* call it, latency_ms later */
	SHIM_LASTS,		/* C_Sign: ends latency_ms after it began */
	SHIM_HANG,		/* until the rule is cleared; then call it */
	SHIM_DO_LOGOUT,		/* C_Logout first, then call it */
	SHIM_DO_CLOSE_ALL,	/* C_CloseAllSessions first, then call it */
	SHIM_DO_FINALIZE,	/* C_Finalize first, as somebody else in the
				 * process would, then call it */
	SHIM_BREAK,		/* rv from everything until C_Finalize */
	SHIM_CRASH,		/* SIGSEGV */
	SHIM_ABORT,		/* abort() */
	SHIM_FULL,		/* C_OpenSession: rv from arg sessions on */
	SHIM_BUSY,		/* C_Sign: rv when over arg are inside */
	SHIM_FAILOVER,		/* objects get other handles; old ones are
				 * invalid, or, with arg 1, another key's */
	SHIM_RENUMBER,		/* C_GetSlotList: slots have other numbers from
				 * now on, the old ones are invalid */
	SHIM_EMPTY,		/* C_GetSlotList: no slots */
	SHIM_FLIP,		/* C_Sign: a bit of the signature */
	SHIM_SHORTEN,		/* C_Sign: an octet less at the end */
	SHIM_SHORT_R,		/* C_Sign: an octet less at the start */
	SHIM_TO_DER,		/* C_Sign: r||s comes as Ecdsa-Sig-Value */
	SHIM_RAW_POINT,		/* C_GetAttributeValue: CKA_EC_POINT bare */
	SHIM_HIDE,		/* the same: not the attribute whose type is
				 * rv */
	SHIM_PIN_PAD,		/* C_Login: takes no PIN; types
				 * $OCSIGN_SHIM_PIN itself */
	SHIM_TWICE,		/* C_FindObjects: the first object again */
	SHIM_FLAGS		/* C_GetTokenInfo: rv or-ed into the flags */
};

struct shim_rule {
	_Atomic int function;		/* written last; SHIM_NONE: unused */
	_Atomic int mode;
	_Atomic unsigned long rv;
	_Atomic int after;		/* calls let through first */
	_Atomic int count;		/* calls it strikes; 0: all */
	_Atomic int latency_ms;
	_Atomic int per_mille;		/* of these calls; 0: all */
	_Atomic long arg;
	_Atomic unsigned int serial;	/* which use of this place it is */
	_Atomic int seen;		/* calls */
	_Atomic int struck;		/* of these */
};

#define SHIM_RULES 8

struct shim_control {
	struct shim_rule rules[SHIM_RULES];
	_Atomic unsigned long broken;
	_Atomic unsigned long calls[SHIM_FUNCTION_MAX];
	_Atomic unsigned long seed;	/* for per_mille */
	_Atomic long num_open;		/* sessions, by their return values */
	_Atomic long num_open_at_finalize;
	_Atomic unsigned long num_opened;	/* ever, as calls[] */
	_Atomic long num_signing;	/* inside C_Sign */
	/* What nobody may do: C_Finalize while one is inside, and a child of
	 * a process between C_Initialize and C_Finalize. */
	_Atomic unsigned long num_finalized_inside, num_forks;
	_Atomic unsigned long num_failovers, num_renumbered;
	_Atomic int is_other_key;
	/* Whoever signs the same again with a key and CKM_RSA_PKCS, in a
	 * thread, has the same signature, and the module is not asked: for a
	 * token that takes its time but not our CPU. */
	_Atomic int is_same;
};

#endif
