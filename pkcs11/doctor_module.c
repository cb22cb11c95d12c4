/* SPDX-License-Identifier: Apache-2.0 */
/* The probes that need no key: the module, its tokens, the login; and what
 * every probe begins with. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "pkcs11/doctor_probe.h"
#include "pkcs11/key.h"
#include "pkcs11/login.h"
#include "pkcs11/recover.h"
#include "pkcs11/token.h"

static void
leave(struct p11_doctor_child *c)
{
	(void)snprintf(c->shared->step, sizeof(c->shared->step),
	    "C_Finalize");
	if (c->f != NULL)
		(void)c->f->C_Finalize(NULL);
	_exit(1);
}

static void
set_step(struct p11_doctor_child *c, int64_t more_ns, const char *format,
    va_list ap)
{
	if (atomic_load(&c->shared->is_cancelled))
		leave(c);
	(void)vsnprintf(c->shared->step, sizeof(c->shared->step), format, ap);
	atomic_store(&c->shared->step_until_ns, oc_clock_mono_ns() +
	    c->options->timeout_ns + more_ns);
}

void
p11_doctor_step(struct p11_doctor_child *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_step(c, 0, format, ap);
	va_end(ap);
}

void
p11_doctor_long_step(struct p11_doctor_child *c, int64_t more_ns,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	set_step(c, more_ns, format, ap);
	va_end(ap);
}

void
p11_doctor_go_on(struct p11_doctor_child *c)
{
	atomic_store(&c->shared->step_until_ns, oc_clock_mono_ns() +
	    c->options->timeout_ns);
}

unsigned int
p11_doctor_us_since(int64_t since_ns)
{
	int64_t us = (oc_clock_mono_ns() - since_ns) / 1000;

	return us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (unsigned int)us;
}

/* A blank-padded field; out has one octet more. */
static void
copy_padded(const unsigned char *field, size_t len, char *out)
{
	while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\0'))
		len--;
	for (size_t i = 0; i < len; i++)
		out[i] = field[i] < 0x20 || field[i] >= 0x7f ? '?' :
		    (char)field[i];
	out[len] = '\0';
}

static void
fill_token(const CK_TOKEN_INFO *info, struct p11_token_entry *e)
{
	copy_padded(info->label, sizeof(info->label), e->label);
	copy_padded(info->serialNumber, sizeof(info->serialNumber),
	    e->serial);
	copy_padded(info->manufacturerID, sizeof(info->manufacturerID),
	    e->manufacturer);
	copy_padded(info->model, sizeof(info->model), e->model);
	e->is_initialized = (info->flags & CKF_TOKEN_INITIALIZED) != 0;
	e->has_user_pin = (info->flags & CKF_USER_PIN_INITIALIZED) != 0;
	e->has_pin_pad =
	    (info->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
	e->is_pin_locked = (info->flags & CKF_USER_PIN_LOCKED) != 0;
	e->is_final_try = (info->flags & CKF_USER_PIN_FINAL_TRY) != 0;
}

/* --- what every probe begins with ------------------------------------- */

enum oc_err
p11_doctor_open(struct p11_doctor_child *c, struct oc_error *error)
{
	const struct p11_token_config *token = &c->options->token;
	struct p11_uri uri;
	enum oc_err err;

	p11_doctor_step(c, "C_Initialize");
	err = p11_module_open_args(token->module, token->environment,
	    token->init_args, &c->module, error);
	if (err != OC_OK)
		return err;
	c->f = c->module->f;
	err = p11_uri_parse_token(token->uri, &uri, error);
	if (err != OC_OK)
		return err;
	p11_doctor_step(c, "C_GetTokenInfo");
	return p11_token_find(c->f, &uri, &c->slot, &c->info, error);
}

enum oc_err
p11_doctor_open_session(struct p11_doctor_child *c,
    CK_SESSION_HANDLE *session, struct oc_error *error)
{
	CK_RV rv;

	p11_doctor_step(c, "C_OpenSession");
	rv = p11_token_open_session(c->f, c->slot, session);
	return rv == CKR_OK ? OC_OK : p11_error(error, "C_OpenSession", rv);
}

enum oc_err
p11_doctor_login(struct p11_doctor_child *c, CK_SESSION_HANDLE session,
    struct oc_error *error)
{
	const struct p11_token_config *token = &c->options->token;

	p11_doctor_step(c, token->pin_source == NULL ?
	    "C_Login, at its pin pad" : "C_Login");
	return p11_login(&(struct p11_login){ .f = c->f, .session = session,
	    .user = CKU_USER, .info = &c->info, .name = token->name,
	    .pin_source = token->pin_source,
	    .state_dir = c->options->state_dir }, NULL, error);
}

enum oc_err
p11_doctor_start(struct p11_doctor_child *c, CK_SESSION_HANDLE *session,
    struct oc_error *error)
{
	enum oc_err err = p11_doctor_open(c, error);

	if (err == OC_OK)
		err = p11_doctor_open_session(c, session, error);
	if (err == OC_OK)
		err = p11_doctor_login(c, *session, error);
	return err;
}

/* --- module ----------------------------------------------------------- */

static enum oc_err
load(struct p11_doctor_child *c, struct oc_error *error)
{
	const char *const *e = c->options->token.environment;
	const char *path = c->options->token.module, *reason;
	CK_C_GetFunctionList get;
	CK_FUNCTION_LIST *again = NULL;
	void *library;
	CK_RV rv;

	/* The child's own, and it ends soon: putenv may keep it. */
	for (; e != NULL && *e != NULL; e++) {
		char *copy = strdup(*e);

		if (copy == NULL || putenv(copy) != 0)
			return oc_error_set(error, OC_ERR_NOMEM,
			    "out of memory");
	}
	p11_doctor_step(c, "dlopen");
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		reason = dlerror();
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "it cannot be loaded: %s", reason != NULL ? reason :
		    path);
	}
	get = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
	if (get == NULL)
		return oc_error_set(error, OC_ERR_UNSUPPORTED,
		    "it is no PKCS#11 module: it has no C_GetFunctionList");
	p11_doctor_step(c, "C_GetFunctionList");
	rv = get(&c->f);
	if (rv != CKR_OK || c->f == NULL)
		return p11_error(error, "C_GetFunctionList", rv);
	rv = get(&again);
	c->facts->is_same_list = rv == CKR_OK && again == c->f;
	return OC_OK;
}

static void
get_info(struct p11_doctor_child *c)
{
	CK_INFO info;

	p11_doctor_step(c, "C_GetInfo");
	if (c->f->C_GetInfo(&info) != CKR_OK)
		return;
	copy_padded(info.libraryDescription, sizeof(info.libraryDescription),
	    c->facts->description);
	copy_padded(info.manufacturerID, sizeof(info.manufacturerID),
	    c->facts->manufacturer);
	c->facts->library_version[0] = info.libraryVersion.major;
	c->facts->library_version[1] = info.libraryVersion.minor;
	c->facts->cryptoki_version[0] = info.cryptokiVersion.major;
	c->facts->cryptoki_version[1] = info.cryptokiVersion.minor;
}

static enum oc_err
list_tokens(struct p11_doctor_child *c, struct oc_error *error)
{
	CK_SLOT_ID slots[256];
	CK_ULONG num = 256, all = 0;
	CK_TOKEN_INFO info;
	CK_RV rv;

	p11_doctor_step(c, "C_GetSlotList");
	if (c->f->C_GetSlotList(CK_FALSE, NULL, &all) == CKR_OK)
		c->facts->num_slots = (unsigned int)all;
	rv = c->f->C_GetSlotList(CK_TRUE, slots, &num);
	if (rv != CKR_OK)
		return p11_error(error, "C_GetSlotList", rv);
	for (CK_ULONG i = 0; i < num; i++) {
		if (c->facts->num_tokens == P11_DOCTOR_TOKENS_MAX)
			break;
		p11_doctor_step(c, "C_GetTokenInfo, slot %lu of %lu", i + 1,
		    num);
		if (c->f->C_GetTokenInfo(slots[i], &info) == CKR_OK)
			fill_token(&info,
			    &c->facts->tokens[c->facts->num_tokens++]);
	}
	return OC_OK;
}

/* NSS reads one pointer more than PKCS#11 has in this structure. */
struct initialize_args {
	CK_C_INITIALIZE_ARGS args;
	void *nss_extra;
};

enum oc_err
p11_probe_module(struct p11_doctor_child *c, struct oc_error *error)
{
	struct initialize_args a;
	enum oc_err err = load(c, error);

	if (err != OC_OK)
		return err;
	memset(&a, 0, sizeof(a));
	a.args.flags = CKF_OS_LOCKING_OK;
	a.args.pReserved = (void *)(uintptr_t)c->options->token.init_args;
	p11_doctor_step(c, "C_Initialize");
	c->facts->rv_init = c->f->C_Initialize(&a);
	if (c->facts->rv_init != CKR_OK)
		return p11_error(error, "C_Initialize", c->facts->rv_init);
	get_info(c);
	err = list_tokens(c, error);
	p11_doctor_step(c, "C_Initialize, the second time");
	c->facts->rv_init_again = c->f->C_Initialize(&a);
	p11_doctor_step(c, "C_Finalize");
	(void)c->f->C_Finalize(NULL);
	return err;
}

enum oc_err
p11_probe_null_init(struct p11_doctor_child *c, struct oc_error *error)
{
	bool is_same_list = c->facts->is_same_list;
	enum oc_err err = load(c, error);

	c->facts->is_same_list = is_same_list;
	if (err != OC_OK)
		return err;
	p11_doctor_step(c, "C_Initialize(NULL)");
	c->facts->rv_init_null = c->f->C_Initialize(NULL);
	if (c->facts->rv_init_null == CKR_OK)
		(void)c->f->C_Finalize(NULL);
	return OC_OK;
}

/* --- token ------------------------------------------------------------ */

enum oc_err
p11_probe_token(struct p11_doctor_child *c, struct oc_error *error)
{
	struct p11_doctor_facts *facts = c->facts;
	enum oc_err err = p11_doctor_open(c, error);
	CK_SESSION_HANDLE session;

	if (err != OC_OK)
		return err;
	fill_token(&c->info, &facts->token);
	facts->max_sessions = c->info.ulMaxSessionCount;
	facts->max_rw_sessions = c->info.ulMaxRwSessionCount;
	facts->is_unlimited =
	    facts->max_sessions == CK_EFFECTIVELY_INFINITE;
	facts->is_max_unknown =
	    facts->max_sessions == CK_UNAVAILABLE_INFORMATION;
	facts->is_login_required =
	    (c->info.flags & CKF_LOGIN_REQUIRED) != 0;
	p11_doctor_step(c, "C_OpenSession, read and write");
	facts->rv_open_rw = c->f->C_OpenSession(c->slot, CKF_SERIAL_SESSION |
	    CKF_RW_SESSION, NULL, NULL, &session);
	if (facts->rv_open_rw == CKR_OK)
		(void)c->f->C_CloseSession(session);
	p11_doctor_step(c, "C_OpenSession, read only");
	facts->rv_open_ro = c->f->C_OpenSession(c->slot, CKF_SERIAL_SESSION,
	    NULL, NULL, &session);
	if (facts->rv_open_ro == CKR_OK)
		(void)c->f->C_CloseSession(session);
	if (facts->rv_open_rw == CKR_OK || facts->rv_open_ro == CKR_OK)
		return OC_OK;
	return p11_error(error, "C_OpenSession", facts->rv_open_rw);
}

/* --- login ------------------------------------------------------------ */

static bool
is_logged_in(struct p11_doctor_child *c, CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info;

	return c->f->C_GetSessionInfo(session, &info) == CKR_OK &&
	    (info.state == CKS_RO_USER_FUNCTIONS ||
	    info.state == CKS_RW_USER_FUNCTIONS);
}

/* The scope: one session was there at the login, another comes after it. */
enum oc_err
p11_probe_login(struct p11_doctor_child *c, struct oc_error *error)
{
	struct p11_doctor_facts *facts = c->facts;
	CK_SESSION_HANDLE first, second = 0, later = 0;
	bool has_second;
	int64_t begun_ns;
	enum oc_err err;
	CK_RV rv;

	err = p11_doctor_open(c, error);
	if (err == OC_OK)
		err = p11_doctor_open_session(c, &first, error);
	if (err != OC_OK)
		return err;
	has_second = p11_token_open_session(c->f, c->slot, &second) ==
	    CKR_OK;
	begun_ns = oc_clock_mono_ns();
	err = p11_doctor_login(c, first, error);
	facts->login_us = p11_doctor_us_since(begun_ns);
	if (err != OC_OK)
		return err;
	p11_doctor_step(c, "C_GetSessionInfo");
	facts->is_second_logged_in = has_second && is_logged_in(c, second);
	if (has_second)
		(void)c->f->C_CloseSession(second);
	p11_doctor_step(c, "C_OpenSession after the login");
	rv = p11_token_open_session(c->f, c->slot, &later);
	facts->is_later_logged_in = rv == CKR_OK && is_logged_in(c, later);
	if (rv == CKR_OK)
		(void)c->f->C_CloseSession(later);
	return OC_OK;
}

/* --- idle ------------------------------------------------------------- */

static void
sleep_for(struct p11_doctor_child *c, int64_t seconds)
{
	for (int64_t left = seconds; left > 0; left--) {
		const struct timespec second = { 1, 0 };

		p11_doctor_step(c, "idle, %lld s more", (long long)left);
		(void)nanosleep(&second, NULL);
	}
}

enum oc_err
p11_probe_idle(struct p11_doctor_child *c, struct oc_error *error)
{
	struct p11_doctor_facts *facts = c->facts;
	struct p11_doctor_signature signature;
	struct p11_doctor_signing signing;
	struct p11_doctor_canary canary;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE handle = 0;
	CK_SESSION_INFO info;
	enum oc_err err = p11_doctor_start(c, &session, error);

	if (err == OC_OK && facts->has_best_key)
		err = p11_doctor_find_key(c, session, facts->best_key,
		    &handle, error);
	if (err != OC_OK)
		return err;
	sleep_for(c, facts->idle_s);
	p11_doctor_step(c, "C_GetSessionInfo");
	facts->rv_idle_info = c->f->C_GetSessionInfo(session, &info);
	facts->is_idle_session_alive = facts->rv_idle_info == CKR_OK;
	facts->is_idle_logged_in = facts->is_idle_session_alive &&
	    is_logged_in(c, session);
	if (!facts->has_best_key)
		return OC_OK;
	/* Only a signature tells: C_GetSessionInfo is the library's own. */
	p11_doctor_choose(facts, facts->best_key, handle, &signing);
	p11_doctor_canary(&canary);
	p11_doctor_step(c, "C_Sign after the wait");
	facts->rv_idle_sign = p11_doctor_sign(c->f, session, &signing,
	    &canary, &signature);
	return OC_OK;
}
