/* SPDX-License-Identifier: Apache-2.0 */
/* The shim module: see tests/faults/shim.h. */
#include "tests/faults/shim_strike.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static CK_FUNCTION_LIST table;
static _Atomic int is_initialized;

/* Before fork(), which no provider survives with what it holds. */
static void
about_to_fork(void)
{
	if (shim_control != NULL && atomic_load(&is_initialized))
		(void)atomic_fetch_add(&shim_control->num_forks, 1);
}

static CK_RV
shim_initialize(void *args)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_INITIALIZE, 0, &rule, &rv))
		return rv;
	rv = shim_real->C_Initialize(args);
	if (rv == CKR_OK)
		atomic_store(&is_initialized, 1);
	return rv;
}

static CK_RV
shim_finalize(void *reserved)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_FINALIZE, 0, &rule, &rv))
		return rv;
	atomic_store(&shim_control->broken, CKR_OK);
	atomic_store(&shim_control->num_open_at_finalize,
	    atomic_exchange(&shim_control->num_open, 0));
	if (atomic_load(&shim_control->num_signing) > 0)
		(void)atomic_fetch_add(&shim_control->num_finalized_inside, 1);
	atomic_store(&is_initialized, 0);
	return shim_real->C_Finalize(reserved);
}

static CK_RV
shim_get_slot_list(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_GET_SLOT_LIST, 0, &rule, &rv))
		return rv;
	if (shim_is_mode(rule, SHIM_EMPTY)) {
		*count = 0;
		return CKR_OK;
	}
	rv = shim_real->C_GetSlotList(present, list, count);
	for (CK_ULONG i = 0; rv == CKR_OK && list != NULL && i < *count; i++)
		list[i] = shim_slot_out(list[i]);
	return rv;
}

static CK_RV
shim_get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_GET_TOKEN_INFO, 0, &rule, &rv))
		return rv;
	rv = shim_slot_in(&slot);
	if (rv == CKR_OK)
		rv = shim_real->C_GetTokenInfo(slot, info);
	if (rv == CKR_OK && shim_is_mode(rule, SHIM_FLAGS))
		info->flags |= atomic_load(&rule->rv);
	return rv;
}

static CK_RV
shim_open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app,
    CK_NOTIFY notify, CK_SESSION_HANDLE *session)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_OPEN_SESSION, 0, &rule, &rv))
		return rv;
	rv = shim_slot_in(&slot);
	if (rv == CKR_OK)
		rv = shim_real->C_OpenSession(slot, flags, app, notify,
		    session);
	if (rv == CKR_OK) {
		(void)atomic_fetch_add(&shim_control->num_open, 1);
		(void)atomic_fetch_add(&shim_control->num_opened, 1);
	}
	return rv;
}

static CK_RV
shim_close_session(CK_SESSION_HANDLE session)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_CLOSE_SESSION, session, &rule, &rv))
		return rv;
	rv = shim_real->C_CloseSession(session);
	if (rv == CKR_OK)
		(void)atomic_fetch_sub(&shim_control->num_open, 1);
	return rv;
}

static CK_RV
shim_close_all_sessions(CK_SLOT_ID slot)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_CLOSE_ALL_SESSIONS, 0, &rule, &rv))
		return rv;
	rv = shim_slot_in(&slot);
	if (rv != CKR_OK)
		return rv;
	atomic_store(&shim_control->num_open, 0);
	return shim_real->C_CloseAllSessions(slot);
}

static CK_RV
shim_get_session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_GET_SESSION_INFO, session, &rule, &rv))
		return rv;
	return shim_real->C_GetSessionInfo(session, info);
}

static CK_RV
shim_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin,
    CK_ULONG len)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_LOGIN, session, &rule, &rv))
		return rv;
	if (shim_is_mode(rule, SHIM_PIN_PAD)) {
		char *typed = getenv("OCSIGN_SHIM_PIN");

		if (pin != NULL || typed == NULL)
			return CKR_PIN_INCORRECT;
		pin = (CK_BYTE *)typed;
		len = strlen(typed);
	}
	return shim_real->C_Login(session, user, pin, len);
}

static CK_RV
shim_logout(CK_SESSION_HANDLE session)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_LOGOUT, session, &rule, &rv))
		return rv;
	return shim_real->C_Logout(session);
}

static CK_RV
shim_find_objects_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template,
    CK_ULONG count)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_FIND_OBJECTS_INIT, session, &rule, &rv))
		return rv;
	return shim_real->C_FindObjectsInit(session, template, count);
}

static CK_RV
shim_find_objects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects,
    CK_ULONG max, CK_ULONG *count)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_FIND_OBJECTS, session, &rule, &rv))
		return rv;
	rv = shim_real->C_FindObjects(session, objects, max, count);
	if (rv == CKR_OK && shim_is_mode(rule, SHIM_TWICE) && *count == 1 &&
	    max > 1)
		objects[(*count)++] = objects[0];
	for (CK_ULONG i = 0; rv == CKR_OK && i < *count; i++)
		objects[i] = shim_object_out(objects[i]);
	return rv;
}

static CK_RV
shim_find_objects_final(CK_SESSION_HANDLE session)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_FIND_OBJECTS_FINAL, session, &rule, &rv))
		return rv;
	return shim_real->C_FindObjectsFinal(session);
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

	if (shim_strike(SHIM_GET_ATTRIBUTE_VALUE, session, &rule, &rv))
		return rv;
	if (shim_is_mode(rule, SHIM_HIDE) && count == 1 &&
	    template->type == atomic_load(&rule->rv))
		return CKR_ATTRIBUTE_TYPE_INVALID;
	rv = shim_object_in(session, &object);
	if (rv == CKR_OK)
		rv = shim_real->C_GetAttributeValue(session, object, template,
		    count);
	if (rv == CKR_OK && shim_is_mode(rule, SHIM_RAW_POINT))
		bare_points(template, count);
	return rv;
}

/* What a thread signed last. */
static _Thread_local struct memo {
	bool is_there, is_begun;
	CK_OBJECT_HANDLE key;
	CK_BYTE data[96], signature[512];
	CK_ULONG data_len, len;
} memo;

static CK_RV
real_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
    CK_OBJECT_HANDLE key)
{
	CK_RV rv;

	(void)pthread_rwlock_rdlock(&shim_signing);
	rv = shim_real->C_SignInit(session, mechanism, key);
	(void)pthread_rwlock_unlock(&shim_signing);
	return rv;
}

static CK_RV
shim_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
    CK_OBJECT_HANDLE key)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	memo.is_begun = false;
	if (shim_strike(SHIM_SIGN_INIT, session, &rule, &rv))
		return rv;
	rv = shim_object_in(session, &key);
	if (rv != CKR_OK)
		return rv;
	if (atomic_load(&shim_control->is_same) &&
	    mechanism->mechanism == CKM_RSA_PKCS) {
		memo.is_begun = true;
		memo.is_there = memo.is_there && memo.key == key;
		memo.key = key;
		if (memo.is_there)
			return CKR_OK;
	}
	return real_sign_init(session, mechanism, key);
}

/* The module's, or the same as before. */
static CK_RV
make_signature(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len,
    CK_BYTE *signature, CK_ULONG *len)
{
	CK_MECHANISM mechanism = { CKM_RSA_PKCS, NULL, 0 };
	CK_RV rv;

	if (memo.is_begun && memo.is_there && memo.data_len == data_len &&
	    memcmp(memo.data, data, data_len) == 0 && *len >= memo.len) {
		memcpy(signature, memo.signature, memo.len);
		*len = memo.len;
		return CKR_OK;
	}
	if (memo.is_begun && memo.is_there) {
		rv = real_sign_init(session, &mechanism, memo.key);
		if (rv != CKR_OK)
			return rv;
	}
	(void)pthread_rwlock_rdlock(&shim_signing);
	rv = shim_real->C_Sign(session, data, data_len, signature, len);
	(void)pthread_rwlock_unlock(&shim_signing);
	memo.is_there = rv == CKR_OK && memo.is_begun &&
	    data_len <= sizeof(memo.data) && *len <= sizeof(memo.signature);
	if (memo.is_there) {
		memcpy(memo.data, data, data_len);
		memcpy(memo.signature, signature, *len);
		memo.data_len = data_len;
		memo.len = *len;
	}
	return rv;
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
sign_by_rule(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len,
    CK_BYTE *signature, CK_ULONG *len)
{
	struct shim_rule *rule = NULL;
	struct timespec begun;
	CK_RV rv;

	(void)clock_gettime(CLOCK_MONOTONIC, &begun);
	if (shim_strike(SHIM_SIGN, session, &rule, &rv))
		return rv;
	rv = make_signature(session, data, data_len, signature, len);
	if (shim_is_mode(rule, SHIM_LASTS))
		shim_pause_until(begun, atomic_load(&rule->latency_ms));
	if (rv != CKR_OK)
		return rv;
	if (shim_is_mode(rule, SHIM_FLIP))
		signature[*len / 2] ^= 0x04;
	if (shim_is_mode(rule, SHIM_SHORTEN))
		(*len)--;
	if (shim_is_mode(rule, SHIM_SHORT_R))
		memmove(signature, signature + 1, --*len);
	if (shim_is_mode(rule, SHIM_TO_DER) && *len <= 96)
		to_der(signature, len);
	return CKR_OK;
}

static CK_RV
shim_sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len,
    CK_BYTE *signature, CK_ULONG *len)
{
	CK_RV rv;

	(void)atomic_fetch_add(&shim_control->num_signing, 1);
	rv = sign_by_rule(session, data, data_len, signature, len);
	(void)atomic_fetch_sub(&shim_control->num_signing, 1);
	return rv;
}

static CK_RV
shim_generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
    CK_ATTRIBUTE *public, CK_ULONG public_count, CK_ATTRIBUTE *private,
    CK_ULONG private_count, CK_OBJECT_HANDLE *public_key,
    CK_OBJECT_HANDLE *private_key)
{
	struct shim_rule *rule = NULL;
	CK_RV rv;

	if (shim_strike(SHIM_GENERATE_KEY_PAIR, session, &rule, &rv))
		return rv;
	return shim_real->C_GenerateKeyPair(session, mechanism, public,
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
	p = mmap(NULL, sizeof(*shim_control), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	(void)close(fd);
	if (p == MAP_FAILED)
		return false;
	shim_control = p;
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
	    get_function_list(&shim_real) == CKR_OK;
}

EXPORT CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	static int has_handler;

	if (!has_handler && pthread_atfork(about_to_fork, NULL, NULL) != 0)
		return CKR_HOST_MEMORY;
	has_handler = 1;
	/* Each test has its own control file. */
	if (shim_control != NULL)
		(void)munmap(shim_control, sizeof(*shim_control));
	shim_control = NULL;
	if (!map_control() || !load_real())
		return CKR_GENERAL_ERROR;
	table = *shim_real;
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
