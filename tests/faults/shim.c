/* SPDX-License-Identifier: Apache-2.0 */
/* The shim module: see tests/faults/shim.h. */
#include "tests/faults/shim.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

#define EXPORT __attribute__((visibility("default")))

static CK_FUNCTION_LIST *real, table;
static struct shim_control *control;

static void
pause_ms(int ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	(void)nanosleep(&ts, NULL);
}

/* Until so long after then. */
static void
pause_until(struct timespec then, int ms)
{
	then.tv_nsec += ms % 1000 * 1000000L;
	then.tv_sec += ms / 1000 + then.tv_nsec / 1000000000;
	then.tv_nsec %= 1000000000;
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL);
}

/* The rule that strikes this call, or NULL. */
static struct shim_rule *
find_rule(enum shim_function function)
{
	for (int i = 0; i < SHIM_RULES; i++) {
		struct shim_rule *r = &control->rules[i];
		int seen, count;

		if (atomic_load(&r->function) != (int)function)
			continue;
		seen = atomic_fetch_add(&r->seen, 1) - atomic_load(&r->after);
		count = atomic_load(&r->count);
		if (seen >= 0 && (count == 0 || seen < count))
			return r;
	}
	return NULL;
}

/* Before a call: true if *rv is to be returned instead. */
static bool
strike(enum shim_function function, CK_SESSION_HANDLE session,
    struct shim_rule **rule, CK_RV *rv)
{
	CK_SESSION_INFO info;
	struct shim_rule *r;

	(void)atomic_fetch_add(&control->calls[function], 1);
	*rv = atomic_load(&control->broken);
	if (*rv != CKR_OK && function != SHIM_FINALIZE)
		return true;
	r = find_rule(function);
	*rule = r;
	if (r == NULL)
		return false;
	if (atomic_load(&r->mode) != SHIM_LASTS)
		pause_ms(atomic_load(&r->latency_ms));
	switch ((enum shim_mode)atomic_load(&r->mode)) {
	case SHIM_RETURN:
		*rv = atomic_load(&r->rv);
		return true;
	case SHIM_HANG:
		while (atomic_load(&r->function) == (int)function)
			pause_ms(2);
		return false;
	case SHIM_DO_LOGOUT:
		(void)real->C_Logout(session);
		return false;
	case SHIM_DO_CLOSE_ALL:
		if (real->C_GetSessionInfo(session, &info) == CKR_OK &&
		    real->C_CloseAllSessions(info.slotID) == CKR_OK)
			atomic_store(&control->num_open, 0);
		return false;
	case SHIM_BREAK:
		*rv = atomic_load(&r->rv);
		atomic_store(&control->broken, *rv);
		return true;
	case SHIM_SLOW:
	case SHIM_LASTS:
	case SHIM_FLIP:
	case SHIM_SHORTEN:
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

static bool
is_mode(const struct shim_rule *rule, enum shim_mode mode)
{
	return rule != NULL && atomic_load(&rule->mode) == (int)mode;
}

static CK_RV
shim_initialize(void *args)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_INITIALIZE, 0, &rule, &rv))
		return rv;
	return real->C_Initialize(args);
}

static CK_RV
shim_finalize(void *reserved)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_FINALIZE, 0, &rule, &rv))
		return rv;
	atomic_store(&control->broken, CKR_OK);
	atomic_store(&control->num_open_at_finalize,
	    atomic_exchange(&control->num_open, 0));
	return real->C_Finalize(reserved);
}

static CK_RV
shim_get_slot_list(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_GET_SLOT_LIST, 0, &rule, &rv))
		return rv;
	return real->C_GetSlotList(present, list, count);
}

static CK_RV
shim_get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_GET_TOKEN_INFO, 0, &rule, &rv))
		return rv;
	rv = real->C_GetTokenInfo(slot, info);
	if (rv == CKR_OK && is_mode(rule, SHIM_FLAGS))
		info->flags |= atomic_load(&rule->rv);
	return rv;
}

static CK_RV
shim_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app,
    CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_OPEN_SESSION, 0, &rule, &rv))
		return rv;
	rv = real->C_OpenSession(slot, flags, app, notify, session);
	if (rv == CKR_OK)
		(void)atomic_fetch_add(&control->num_open, 1);
	return rv;
}

static CK_RV
shim_close_session(CK_SESSION_HANDLE session)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_CLOSE_SESSION, session, &rule, &rv))
		return rv;
	rv = real->C_CloseSession(session);
	if (rv == CKR_OK)
		(void)atomic_fetch_sub(&control->num_open, 1);
	return rv;
}

static CK_RV
shim_close_all_sessions(CK_SLOT_ID slot)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_CLOSE_ALL_SESSIONS, 0, &rule, &rv))
		return rv;
	atomic_store(&control->num_open, 0);
	return real->C_CloseAllSessions(slot);
}

static CK_RV
shim_get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_GET_SESSION_INFO, session, &rule, &rv))
		return rv;
	return real->C_GetSessionInfo(session, info);
}

static CK_RV
shim_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin,
    CK_ULONG len)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_LOGIN, session, &rule, &rv))
		return rv;
	if (is_mode(rule, SHIM_PIN_PAD)) {
		char *typed = getenv("OCSIGN_SHIM_PIN");

		if (pin != NULL || typed == NULL)
			return CKR_PIN_INCORRECT;
		pin = (CK_BYTE *)typed;
		len = strlen(typed);
	}
	return real->C_Login(session, user, pin, len);
}

static CK_RV
shim_logout(CK_SESSION_HANDLE session)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_LOGOUT, session, &rule, &rv))
		return rv;
	return real->C_Logout(session);
}

static CK_RV
shim_find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template,
    CK_ULONG count)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_FIND_OBJECTS_INIT, session, &rule, &rv))
		return rv;
	return real->C_FindObjectsInit(session, template, count);
}

static CK_RV
shim_find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects,
    CK_ULONG max, CK_ULONG *count)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_FIND_OBJECTS, session, &rule, &rv))
		return rv;
	rv = real->C_FindObjects(session, objects, max, count);
	if (rv == CKR_OK && is_mode(rule, SHIM_TWICE) && *count == 1 &&
	    max > 1)
		objects[(*count)++] = objects[0];
	return rv;
}

static CK_RV
shim_find_objects_final(CK_SESSION_HANDLE session)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_FIND_OBJECTS_FINAL, session, &rule, &rv))
		return rv;
	return real->C_FindObjectsFinal(session);
}

/* Out of their OCTET STRINGs, shorter than 128 octets. */
static void
bare_points(CK_ATTRIBUTE *template, CK_ULONG count)
{
	for (CK_ULONG i = 0; i < count; i++) {
		CK_ATTRIBUTE *a = &template[i];

		if (a->type != CKA_EC_POINT || a->pValue == NULL ||
		    a->ulValueLen < 2)
			continue;
		a->ulValueLen -= 2;
		memmove(a->pValue, (CK_BYTE *)a->pValue + 2, a->ulValueLen);
	}
}

static CK_RV
shim_get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE *template, CK_ULONG count)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_GET_ATTRIBUTE_VALUE, session, &rule, &rv))
		return rv;
	if (is_mode(rule, SHIM_HIDE) && count == 1 &&
	    template->type == atomic_load(&rule->rv))
		return CKR_ATTRIBUTE_TYPE_INVALID;
	rv = real->C_GetAttributeValue(session, object, template, count);
	if (rv == CKR_OK && is_mode(rule, SHIM_RAW_POINT))
		bare_points(template, count);
	return rv;
}

static CK_RV
shim_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
    CK_OBJECT_HANDLE key)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_SIGN_INIT, session, &rule, &rv))
		return rv;
	return real->C_SignInit(session, mechanism, key);
}

/* One INTEGER of at most 66 octets; returns its length. */
static size_t
put_integer(const CK_BYTE *half, size_t len, uint8_t *out)
{
	size_t pad;

	for (; len > 1 && half[0] == 0; half++)
		len--;
	pad = half[0] >> 7;
	out[0] = 0x02;
	out[1] = (uint8_t)(len + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, half, len);
	return 2 + pad + len;
}

/* P-256 and P-384: one-octet lengths. */
static void
to_der(CK_BYTE *signature, CK_ULONG *len)
{
	uint8_t body[128];
	size_t half = *len / 2, body_len;

	body_len = put_integer(signature, half, body);
	body_len += put_integer(signature + half, half, body + body_len);
	signature[0] = 0x30;
	signature[1] = (CK_BYTE)body_len;
	memcpy(signature + 2, body, body_len);
	*len = body_len + 2;
}

static CK_RV
shim_sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len,
    CK_BYTE *signature, CK_ULONG *len)
{
	struct shim_rule *rule = NULL;
	struct timespec begun;
	CK_RV rv;

	(void)clock_gettime(CLOCK_MONOTONIC, &begun);
	if (strike(SHIM_SIGN, session, &rule, &rv))
		return rv;
	rv = real->C_Sign(session, data, data_len, signature, len);
	if (is_mode(rule, SHIM_LASTS))
		pause_until(begun, atomic_load(&rule->latency_ms));
	if (rv != CKR_OK)
		return rv;
	if (is_mode(rule, SHIM_FLIP))
		signature[*len / 2] ^= 0x04;
	if (is_mode(rule, SHIM_SHORTEN))
		(*len)--;
	if (is_mode(rule, SHIM_TO_DER) && *len <= 96)
		to_der(signature, len);
	return CKR_OK;
}

static CK_RV
shim_generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
    CK_ATTRIBUTE *public, CK_ULONG public_count, CK_ATTRIBUTE *private,
    CK_ULONG private_count, CK_OBJECT_HANDLE *public_key,
    CK_OBJECT_HANDLE *private_key)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (strike(SHIM_GENERATE_KEY_PAIR, session, &rule, &rv))
		return rv;
	return real->C_GenerateKeyPair(session, mechanism, public,
	    public_count, private, private_count, public_key, private_key);
}

static bool
map_control(void)
{
	const char *path = getenv("OCSIGN_SHIM_CONTROL");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return false;
	p = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	(void)close(fd);
	if (p == MAP_FAILED)
		return false;
	control = p;
	return true;
}

static bool
load_real(void)
{
	const char *path = getenv("OCSIGN_SHIM_MODULE");
	void *library = path == NULL ? NULL : dlopen(path,
	    RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList get_function_list;

	if (library == NULL)
		return false;
	get_function_list = (CK_C_GetFunctionList)dlsym(library,
	    "C_GetFunctionList");
	return get_function_list != NULL &&
	    get_function_list(&real) == CKR_OK;
}

EXPORT CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	/* Each test has its own control file. */
	if (control != NULL)
		(void)munmap(control, sizeof(*control));
	control = NULL;
	if (!map_control() || !load_real())
		return CKR_GENERAL_ERROR;
	table = *real;
	table.C_Initialize = shim_initialize;
	table.C_Finalize = shim_finalize;
	table.C_GetSlotList = shim_get_slot_list;
	table.C_GetTokenInfo = shim_get_token_info;
	table.C_OpenSession = shim_open_session;
	table.C_CloseSession = shim_close_session;
	table.C_CloseAllSessions = shim_close_all_sessions;
	table.C_GetSessionInfo = shim_get_session_info;
	table.C_Login = shim_login;
	table.C_Logout = shim_logout;
	table.C_FindObjectsInit = shim_find_objects_init;
	table.C_FindObjects = shim_find_objects;
	table.C_FindObjectsFinal = shim_find_objects_final;
	table.C_GetAttributeValue = shim_get_attribute_value;
	table.C_SignInit = shim_sign_init;
	table.C_Sign = shim_sign;
	table.C_GenerateKeyPair = shim_generate_key_pair;
	*list = &table;
	return CKR_OK;
}
