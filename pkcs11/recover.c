/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ladder, in two tables: value -> class, class -> action.
 *
 * Four providers answer "not logged in" with four different values (0x60,
 * 0x63, 0x82, 0x101), so all of them mean LOGIN here and the keeper asks the
 * session for its state.  What is not in the table, vendor values included,
 * is MODULE: a try on a new session, then the keeper's canary, tell whether it
 * is.
 */
#include <stdio.h>

#include "base/err.h"
#include "pkcs11/recover.h"

struct row {
	CK_RV rv;
	const char *name;
	enum p11_class open, sign;
};

#define ROW(rv, open, sign) \
	{ rv, #rv, P11_CLASS_##open, P11_CLASS_##sign }

static const struct row rows[] = {
	ROW(CKR_OK, OK, OK),
	ROW(CKR_CANCEL, SESSION, SESSION),
	/* NSS, when it is logged out and a key has to be decrypted. */
	ROW(CKR_HOST_MEMORY, MODULE, LOGIN),
	ROW(CKR_SLOT_ID_INVALID, MODULE, MODULE),
	ROW(CKR_GENERAL_ERROR, MODULE, MODULE),
	/* How CloudHSM says that it is asked for too much. */
	ROW(CKR_FUNCTION_FAILED, LIMIT, LIMIT),
	/* CloudHSM opens no further session with this one. */
	ROW(CKR_ARGUMENTS_BAD, LIMIT, REQUEST),
	ROW(CKR_ATTRIBUTE_SENSITIVE, REQUEST, REQUEST),
	ROW(CKR_ATTRIBUTE_TYPE_INVALID, REQUEST, REQUEST),
	ROW(CKR_ATTRIBUTE_VALUE_INVALID, REQUEST, REQUEST),
	ROW(CKR_ACTION_PROHIBITED, REQUEST, REQUEST),
	ROW(CKR_DATA_INVALID, REQUEST, REQUEST),
	ROW(CKR_DATA_LEN_RANGE, REQUEST, REQUEST),
	ROW(CKR_DEVICE_ERROR, MODULE, MODULE),
	ROW(CKR_DEVICE_MEMORY, LIMIT, MODULE),
	ROW(CKR_DEVICE_REMOVED, MODULE, MODULE),
	ROW(CKR_FUNCTION_CANCELED, SESSION, SESSION),
	ROW(CKR_FUNCTION_NOT_SUPPORTED, REQUEST, REQUEST),
	ROW(CKR_KEY_HANDLE_INVALID, LOGIN, LOGIN),
	ROW(CKR_KEY_SIZE_RANGE, REQUEST, REQUEST),
	ROW(CKR_KEY_TYPE_INCONSISTENT, LOGIN, LOGIN),
	ROW(CKR_KEY_CHANGED, LOGIN, LOGIN),
	ROW(CKR_KEY_FUNCTION_NOT_PERMITTED, REQUEST, REQUEST),
	ROW(CKR_MECHANISM_INVALID, REQUEST, REQUEST),
	ROW(CKR_MECHANISM_PARAM_INVALID, REQUEST, REQUEST),
	ROW(CKR_OBJECT_HANDLE_INVALID, LOGIN, LOGIN),
	ROW(CKR_OPERATION_ACTIVE, SESSION, SESSION),
	ROW(CKR_OPERATION_NOT_INITIALIZED, SESSION, SESSION),
	ROW(CKR_PIN_INCORRECT, PIN, PIN),
	ROW(CKR_PIN_INVALID, PIN, PIN),
	ROW(CKR_PIN_LEN_RANGE, PIN, PIN),
	ROW(CKR_PIN_EXPIRED, PIN, PIN),
	ROW(CKR_PIN_LOCKED, PIN, PIN),
	ROW(CKR_SESSION_CLOSED, SESSION, SESSION),
	ROW(CKR_SESSION_COUNT, LIMIT, SESSION),
	ROW(CKR_SESSION_HANDLE_INVALID, SESSION, SESSION),
	ROW(CKR_SESSION_READ_ONLY, SESSION, SESSION),
	ROW(CKR_TOKEN_NOT_PRESENT, MODULE, MODULE),
	ROW(CKR_TOKEN_NOT_RECOGNIZED, MODULE, MODULE),
	ROW(CKR_TOKEN_WRITE_PROTECTED, SESSION, SESSION),
	ROW(CKR_USER_ALREADY_LOGGED_IN, OK, OK),
	ROW(CKR_USER_NOT_LOGGED_IN, LOGIN, LOGIN),
	ROW(CKR_USER_PIN_NOT_INITIALIZED, PIN, PIN),
	ROW(CKR_USER_TYPE_INVALID, PIN, PIN),
	ROW(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, MODULE, LOGIN),
	ROW(CKR_CURVE_NOT_SUPPORTED, REQUEST, REQUEST),
	ROW(CKR_BUFFER_TOO_SMALL, REQUEST, REQUEST),
	ROW(CKR_TEMPLATE_INCOMPLETE, REQUEST, REQUEST),
	ROW(CKR_TEMPLATE_INCONSISTENT, REQUEST, REQUEST),
	ROW(CKR_CRYPTOKI_NOT_INITIALIZED, MODULE, MODULE),
	ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED, OK, OK),
	ROW(CKR_MUTEX_BAD, MODULE, MODULE),
	ROW(CKR_FIPS_SELF_TEST_FAILED, MODULE, MODULE),
	ROW(CKR_KEY_NOT_WRAPPABLE, REQUEST, REQUEST),
	ROW(CKR_KEY_UNEXTRACTABLE, REQUEST, REQUEST),
	ROW(CKR_WRAPPED_KEY_INVALID, REQUEST, REQUEST),
	ROW(CKR_WRAPPED_KEY_LEN_RANGE, REQUEST, REQUEST),
	ROW(CKR_WRAPPING_KEY_HANDLE_INVALID, REQUEST, REQUEST),
	ROW(CKR_WRAPPING_KEY_TYPE_INCONSISTENT, REQUEST, REQUEST),
	ROW(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, REQUEST, REQUEST),
	ROW(CKR_FUNCTION_REJECTED, REQUEST, REQUEST),
};

static const struct row *
find_row(CK_RV rv)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].rv == rv)
			return &rows[i];
	return NULL;
}

enum p11_class
p11_classify(enum p11_call call, CK_RV rv)
{
	const struct row *row = find_row(rv);

	if (row == NULL)
		return P11_CLASS_MODULE;
	switch (call) {
	case P11_CALL_SIGN:
		return row->sign;
	case P11_CALL_OPEN:
	case P11_CALL_LOGIN:
		return row->open;
	}
	return P11_CLASS_MODULE;
}

/*
 * What is done: the first time a ticket meets the class, and after that.
 *
 * RETRY closes the session and opens another; FEWER does so after a moment,
 * and lowers the limit (limit.h); DOWN pauses the queue and wakes the keeper,
 * who asks for the login's state, logs in once if it is gone, finds the keys
 * again, signs a canary with each, and restarts the module if that fails.
 * HUNG is a call over the token's timeout (watch.h): its ticket goes to another
 * session, once; too many of them, or a keeper's, and the process ends and
 * is started anew.  PIN ends it for good.
 */
static const struct step {
	const char *name;
	enum p11_action first, again;
	unsigned int tries_max;		/* then it is the job's fault */
} ladder[P11_CLASS_MAX] = {
	[P11_CLASS_OK] = { "ok", P11_SIGNED, P11_SIGNED, 0 },
	[P11_CLASS_REQUEST] = { "request", P11_REFUSED, P11_REFUSED, 0 },
	[P11_CLASS_SESSION] = { "session", P11_RETRY, P11_TOKEN_DOWN, 4 },
	[P11_CLASS_LIMIT] = { "limit", P11_FEWER, P11_FEWER, 16 },
	[P11_CLASS_LOGIN] = { "login", P11_TOKEN_DOWN, P11_TOKEN_DOWN, 4 },
	[P11_CLASS_SIGNATURE] = { "signature", P11_TOKEN_DOWN,
	    P11_TOKEN_DOWN, 4 },
	[P11_CLASS_MODULE] = { "module", P11_RETRY, P11_TOKEN_DOWN, 4 },
	[P11_CLASS_HUNG] = { "hung", P11_RETRY, P11_REFUSED, 4 },
	[P11_CLASS_PIN] = { "pin", P11_TOKEN_DOWN, P11_TOKEN_DOWN, 4 },
};

const char *
p11_class_name(enum p11_class class)
{
	oc_assert(class < P11_CLASS_MAX);
	return ladder[class].name;
}

enum p11_class
p11_class_of(const struct sign_ticket *t, enum p11_call call, CK_RV rv,
    unsigned int num_open)
{
	enum p11_class class = p11_classify(call, rv);

	if (call == P11_CALL_SIGN && rv == CKR_OPERATION_ACTIVE &&
	    (t->retried & 1U << P11_CLASS_SESSION) != 0)
		return P11_CLASS_LIMIT;
	if (call == P11_CALL_OPEN && class == P11_CLASS_LIMIT &&
	    num_open == 0)
		return P11_CLASS_MODULE;
	return class;
}

enum p11_action
p11_recover(struct sign_ticket *t, enum p11_call call, enum p11_class class,
    int64_t now_ns)
{
	const struct step *step = &ladder[class];
	unsigned int bit = 1U << class, num;
	bool is_first = (t->retried & bit) == 0;

	if (class == P11_CLASS_OK || class == P11_CLASS_REQUEST)
		return step->first;
	/* Not this job's doing: it has not reached the key. */
	if (class == P11_CLASS_LIMIT && call == P11_CALL_OPEN)
		return step->first;
	t->retried |= bit;
	/* A busy token says so more often than a broken one. */
	num = class == P11_CLASS_LIMIT ? ++t->num_busy : ++t->num_failed;
	if (num >= step->tries_max || now_ns >= t->deadline_ns)
		return class == P11_CLASS_LIMIT || class == P11_CLASS_HUNG ?
		    P11_REFUSED : P11_REFUSED_DOWN;
	return is_first ? step->first : step->again;
}

const char *
p11_ckr_text(CK_RV rv, char text[P11_CKR_TEXT_MAX])
{
	const struct row *row = find_row(rv);

	if (row != NULL)
		(void)snprintf(text, P11_CKR_TEXT_MAX, "%s", row->name);
	else
		(void)snprintf(text, P11_CKR_TEXT_MAX, "CKR 0x%08lx",
		    (unsigned long)rv);
	return text;
}
