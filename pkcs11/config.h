/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the pool is told: tokens and keys, as the configuration names them.
 * Plain data without a PKCS#11 type, so that mains and the command line can
 * fill it in.  Strings and bytes are borrowed until p11_local_new() returns.
 */
#ifndef PKCS11_CONFIG_H
#define PKCS11_CONFIG_H

#include "pkcs11/allow.h"
#include "pkcs11/uri.h"
#include "sign/sign.h"

#define P11_SESSIONS_DEFAULT 4
#define P11_WEIGHT_DEFAULT 100
#define P11_SESSIONS_MAX 64		/* one thread each */
#define P11_TIMEOUT_DEFAULT_NS (10 * INT64_C(1000000000))
#define P11_QUEUE_DEFAULT 4096		/* jobs waiting for a token */

struct p11_token_config {
	const char *name;		/* "[token NAME]" */
	const char *module;		/* absolute path */
	const char *uri;		/* RFC 7512: which token */
	const char *pin_source;		/* pkcs11/pin.h; NULL: pin pad */
	/* Its share of the work of a key that others have too, beside theirs;
	 * 0: P11_WEIGHT_DEFAULT. */
	unsigned int weight;
	bool is_standby;		/* works only while no other does */
	unsigned int num_sessions;	/* 0: P11_SESSIONS_DEFAULT */
	int64_t timeout_ns;		/* one call; 0: the default above */
	int64_t keep_alive_ns;		/* a canary on each session that was
					 * idle for so long; 0: none */
	const char *const *environment;	/* "NAME=value", NULL at the end, for
					 * the module; or NULL */
	const char *init_args;		/* C_Initialize's pReserved, or NULL */
};

struct p11_key_config {
	const char *name;		/* sign_key_name() */
	const char *token;		/* p11_token_config.name */
	const char *const *others;	/* more of them that have it, NULL at
					 * the end; or NULL */
	const char *uri;		/* RFC 7512, or a plain label */
	struct der_bytes spki;		/* what it must be; len 0: anything */
	enum sign_alg alg;		/* NONE: what suits its type */
	bool is_alg_free;		/* another, where the token wants it */
	struct p11_allow allow;		/* what it may sign */
};

struct p11_local_config {
	const struct p11_token_config *tokens;
	size_t num_tokens;
	const struct p11_key_config *keys;
	size_t num_keys;
	const char *state_dir;		/* where PIN latches are kept */
	size_t queue_max;		/* for each token; 0: the default */
	int64_t start_timeout_ns;	/* 0: 60 s */
	/* Nothing is signed after a jump.  NULL: the clock is believed; else
	 * it outlives the signer. */
	struct oc_clock_watch *clock;
	/* Where each signature is recorded; NULL: nowhere.  Outlives the
	 * signer. */
	struct p11_journal *journal;
};

/* A key as it is listed. */
struct p11_key_entry {
	char label[P11_OBJECT_LABEL_MAX];	/* cut, control bytes as '?' */
	uint8_t id[P11_ID_MAX];
	size_t id_len;
	enum sign_key_type type;	/* NONE: one we do not know */
	unsigned int bits;
	bool has_private, has_public;
	bool is_extractable;		/* the private key */
	/* Since it was made, and whether it was made there. */
	bool was_always_sensitive, was_never_extractable, is_local;
};

#endif
