/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child, and what runs in it.  The result comes back in memory that both
 * share; that the child ended is told by a pipe that closes.
 */
#include "pkcs11/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <libp11.h>
#include <openssl/err.h>

#include "base/clock.h"
#include "pkcs11/admin_impl.h"
#include "pkcs11/key.h"
#include "pkcs11/login.h"
#include "pkcs11/module.h"
#include "pkcs11/recover.h"
#include "pkcs11/token.h"

/* Shared between parent and child. */
struct result {
	bool is_over;
	enum oc_err err;
	struct oc_error error;
	size_t num;
	struct sign_key_info info;
	struct p11_token_entry tokens[P11_ADMIN_MAX];
	struct p11_key_entry keys[P11_ADMIN_MAX];
	uint8_t out[P11_ADMIN_OUT_MAX];		/* p11_admin_run()'s */
};

/* What is asked; fields unused by a function are zero. */
struct request {
	enum oc_err (*run)(const struct request *request, struct result *out);
	const char *module;
	const char *const *environment;
	const char *init_args;
	const struct p11_token_config *token;
	const char *state_dir, *serial, *label;
	const struct oc_secret *so_pin, *user_pin;
	enum sign_key_type type;
	unsigned int bits;
	bool is_extractable;
	p11_admin_fn *other;			/* p11_admin_run()'s */
	const void *other_request;
};

static OC_NORETURN void
child(const struct request *request, struct result *out, int fd)
{
	/* fd stays open on purpose: it closes when we are gone. */
	(void)fd;
	out->err = request->run(request, out);
	out->is_over = true;
	_exit(0);
}

/* Until the child has closed its end; false at the deadline. */
static bool
wait_closed(int fd, int64_t deadline_ns)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	for (;;) {
		int rc = poll(&pfd, 1, oc_clock_poll_ms(deadline_ns));

		if (rc > 0)
			return true;
		if (rc == 0 && oc_clock_mono_ns() >= deadline_ns)
			return false;
		if (rc < 0 && errno != EINTR)
			return false;
	}
}

static enum oc_err
run_child(const struct request *request, struct result *out,
    int64_t deadline_ns, struct oc_error *error)
{
	int fds[2], status = 0;
	bool is_late;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "pipe");
	pid = fork();
	if (pid < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return oc_error_set_errno(error, OC_ERR_SYSTEM, "fork");
	}
	if (pid == 0) {
		(void)close(fds[0]);
		child(request, out, fds[1]);
	}
	(void)close(fds[1]);
	is_late = !wait_closed(fds[0], deadline_ns);
	(void)close(fds[0]);
	if (is_late)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (is_late)
		return oc_error_set(error, OC_ERR_TIMEOUT,
		    "PKCS#11 module %s does not answer", request->module);
	if (!out->is_over && WIFSIGNALED(status))
		return oc_error_set(error, OC_ERR_TOKEN,
		    "PKCS#11 module %s crashed (signal %d)", request->module,
		    WTERMSIG(status));
	if (!out->is_over)
		return oc_error_set(error, OC_ERR_TOKEN,
		    "PKCS#11 module %s ended the process", request->module);
	if (out->err != OC_OK)
		return oc_error_set(error, out->err, "%s", out->error.text);
	return OC_OK;
}

static struct result *
map_result(struct oc_error *error)
{
	struct result *out = mmap(NULL, sizeof(*out), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (out == MAP_FAILED) {
		(void)oc_error_set_errno(error, OC_ERR_NOMEM, "mmap");
		return NULL;
	}
	return out;
}

static void
unmap_result(struct result *out)
{
	(void)munmap(out, sizeof(*out));
}

static void
copy_padded(const unsigned char *field, size_t len, char *out)
{
	while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\0'))
		len--;
	for (size_t i = 0; i < len; i++)
		out[i] = field[i] < 0x20 || field[i] == 0x7f ? '?' :
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

static enum oc_err
run_list_tokens(const struct request *request, struct result *out)
{
	CK_SLOT_ID slots[P11_ADMIN_MAX];
	CK_ULONG num = P11_ADMIN_MAX;
	struct p11_module *m;
	CK_TOKEN_INFO info;
	enum oc_err err;
	CK_RV rv;

	err = p11_module_open_args(request->module, request->environment,
	    request->init_args, &m, &out->error);
	if (err != OC_OK)
		return err;
	rv = m->f->C_GetSlotList(CK_TRUE, slots, &num);
	if (rv != CKR_OK)
		err = p11_error(&out->error, "C_GetSlotList", rv);
	for (CK_ULONG i = 0; err == OC_OK && i < num; i++)
		if (m->f->C_GetTokenInfo(slots[i], &info) == CKR_OK)
			fill_token(&info, &out->tokens[out->num++]);
	p11_module_close(m);
	return err;
}

enum oc_err
p11_admin_list_tokens(const char *module, const char *const *environment,
    int64_t deadline_ns, struct p11_token_entry *entries, size_t *num,
    struct oc_error *error)
{
	const struct p11_token_config token = { .module = module,
	    .environment = environment };

	return p11_admin_list_tokens_of(&token, deadline_ns, entries, num,
	    error);
}

enum oc_err
p11_admin_list_tokens_of(const struct p11_token_config *token,
    int64_t deadline_ns, struct p11_token_entry *entries, size_t *num,
    struct oc_error *error)
{
	struct request request = { .run = run_list_tokens,
	    .module = token->module, .environment = token->environment,
	    .init_args = token->init_args };
	struct result *out = map_result(error);
	enum oc_err err;

	if (out == NULL)
		return OC_ERR_NOMEM;
	err = run_child(&request, out, deadline_ns, error);
	if (err == OC_OK) {
		memcpy(entries, out->tokens, out->num * sizeof(*entries));
		*num = out->num;
	}
	unmap_result(out);
	return err;
}

/* libp11's reason is OpenSSL's error queue, which may be empty. */
static enum oc_err
libp11_error(struct oc_error *error, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	return oc_error_set(error, OC_ERR_TOKEN, "%s: %s", what,
	    reason != NULL ? reason : "the token refused");
}

static bool
slot_has_label(const PKCS11_SLOT *slot, const char *label)
{
	return slot->token != NULL && slot->token->initialized &&
	    slot->token->label != NULL &&
	    strcmp(slot->token->label, label) == 0;
}

static enum oc_err
choose_slot(PKCS11_SLOT *slots, unsigned int num,
    const struct request *request, PKCS11_SLOT **chosen,
    struct oc_error *error)
{
	unsigned int num_free = 0;

	for (unsigned int i = 0; i < num; i++) {
		const PKCS11_TOKEN *token = slots[i].token;

		if (slot_has_label(&slots[i], request->label) &&
		    token->userPinSet)
			return oc_error_set(error, OC_ERR_EXISTS,
			    "there is a token \"%s\" already",
			    request->label);
		/* Its user PIN was refused last time: we go on there. */
		if (slot_has_label(&slots[i], request->label)) {
			*chosen = &slots[i];
			return OC_OK;
		}
		if (token == NULL || token->initialized)
			continue;
		if (request->serial != NULL && (token->serialnr == NULL ||
		    strcmp(token->serialnr, request->serial) != 0))
			continue;
		num_free++;
		*chosen = &slots[i];
	}
	if (num_free == 0)
		return oc_error_set(error, OC_ERR_NOT_FOUND,
		    "there is no uninitialised token%s",
		    request->serial != NULL ? " of this serial" : "");
	if (num_free > 1)
		return oc_error_set(error, OC_ERR_MISMATCH, "%u tokens are "
		    "not initialised: name one by its serial", num_free);
	return OC_OK;
}

/* C_InitToken takes 32 octets padded with blanks, and libp11 passes on what
 * it is given. */
static enum oc_err
init_token(PKCS11_CTX *ctx, const struct request *request,
    struct oc_error *error)
{
	char label[33];
	PKCS11_SLOT *slots, *slot = NULL;
	unsigned int num;
	enum oc_err err;

	if (PKCS11_enumerate_slots(ctx, &slots, &num) != 0)
		return libp11_error(error, "C_GetSlotList");
	err = choose_slot(slots, num, request, &slot, error);
	if (err == OC_OK && !slot->token->initialized) {
		(void)snprintf(label, sizeof(label), "%-32s",
		    request->label);
		if (PKCS11_init_token(slot->token,
		    (const char *)request->so_pin->bytes, label) != 0)
			err = libp11_error(error, "C_InitToken");
	}
	PKCS11_release_all_slots(ctx, slots, num);
	return err;
}

/* The token may be in another slot now. */
static enum oc_err
init_pin(PKCS11_CTX *ctx, const struct request *request,
    struct oc_error *error)
{
	PKCS11_SLOT *slots, *slot = NULL;
	enum oc_err err = OC_OK;
	unsigned int num;

	if (PKCS11_enumerate_slots(ctx, &slots, &num) != 0)
		return libp11_error(error, "C_GetSlotList");
	for (unsigned int i = 0; i < num; i++)
		if (slot_has_label(&slots[i], request->label))
			slot = &slots[i];
	if (slot == NULL)
		err = oc_error_set(error, OC_ERR_NOT_FOUND,
		    "the token is gone after C_InitToken");
	else if (PKCS11_open_session(slot, 1) != 0)
		err = libp11_error(error, "C_OpenSession");
	else if (PKCS11_login(slot, 1,
	    (const char *)request->so_pin->bytes) != 0)
		err = libp11_error(error, "C_Login as security officer");
	else if (PKCS11_init_pin(slot->token,
	    (const char *)request->user_pin->bytes) != 0)
		err = libp11_error(error, "the token has its label, but "
		    "not the user PIN in pin-source; put another there and "
		    "run this again: C_InitPIN");
	PKCS11_release_all_slots(ctx, slots, num);
	return err;
}

static enum oc_err
run_init_token(const struct request *request, struct result *out)
{
	const char *const *e;
	PKCS11_CTX *ctx;
	enum oc_err err;

	for (e = request->environment; e != NULL && *e != NULL; e++) {
		/* The child's own, and it ends soon: putenv may keep it. */
		char *copy = strdup(*e);

		if (copy == NULL || putenv(copy) != 0)
			return oc_error_set(&out->error, OC_ERR_NOMEM,
			    "out of memory");
	}
	ctx = PKCS11_CTX_new();
	if (ctx != NULL && request->init_args != NULL)
		PKCS11_CTX_init_args(ctx, request->init_args);
	if (ctx == NULL || PKCS11_CTX_load(ctx, request->module) != 0)
		return oc_error_set(&out->error, OC_ERR_UNSUPPORTED,
		    "PKCS#11 module %s cannot be loaded", request->module);
	err = init_token(ctx, request, &out->error);
	if (err == OC_OK)
		err = init_pin(ctx, request, &out->error);
	PKCS11_CTX_unload(ctx);
	PKCS11_CTX_free(ctx);
	return err;
}

enum oc_err
p11_admin_init_token(const char *module, const char *const *environment,
    const char *serial, const char *label, const struct oc_secret *so_pin,
    const struct oc_secret *user_pin, int64_t deadline_ns,
    struct oc_error *error)
{
	const struct p11_token_config token = { .module = module,
	    .environment = environment };

	return p11_admin_init_token_of(&token, serial, label, so_pin,
	    user_pin, deadline_ns, error);
}

enum oc_err
p11_admin_init_token_of(const struct p11_token_config *token,
    const char *serial, const char *label, const struct oc_secret *so_pin,
    const struct oc_secret *user_pin, int64_t deadline_ns,
    struct oc_error *error)
{
	struct request request = { .run = run_init_token,
	    .module = token->module, .environment = token->environment,
	    .init_args = token->init_args, .serial = serial, .label = label,
	    .so_pin = so_pin, .user_pin = user_pin };
	struct result *out;
	enum oc_err err;

	if (label[0] == '\0' || strlen(label) > 32)
		return oc_error_set(error, OC_ERR_LIMIT,
		    "a token's label has 1 to 32 octets");
	if (so_pin->len == 0 || user_pin->len == 0)
		return oc_error_set(error, OC_ERR_PIN, "a PIN is missing");
	out = map_result(error);
	if (out == NULL)
		return OC_ERR_NOMEM;
	err = run_child(&request, out, deadline_ns, error);
	unmap_result(out);
	return err;
}

/* A session, logged in. */
static enum oc_err
open_token(const struct request *request, struct p11_module **m,
    CK_SESSION_HANDLE *session, struct oc_error *error)
{
	struct p11_uri uri;
	CK_TOKEN_INFO info;
	CK_SLOT_ID slot;
	enum oc_err err;
	CK_RV rv;

	err = p11_uri_parse_token(request->token->uri, &uri, error);
	if (err == OC_OK)
		err = p11_uri_check_module(&uri, request->module, error);
	if (err == OC_OK)
		err = p11_module_open_args(request->module,
		    request->environment, request->init_args, m, error);
	if (err != OC_OK)
		return err;
	err = p11_token_find((*m)->f, &uri, &slot, &info, error);
	if (err == OC_OK) {
		rv = p11_token_open_session((*m)->f, slot, session);
		if (rv != CKR_OK)
			err = p11_error(error, "C_OpenSession", rv);
	}
	if (err == OC_OK)
		err = p11_login(&(struct p11_login){ .f = (*m)->f,
		    .session = *session, .user = CKU_USER, .info = &info,
		    .name = request->token->name,
		    .pin_source = request->token->pin_source,
		    .state_dir = request->state_dir }, NULL, error);
	if (err != OC_OK)
		p11_module_close(*m);
	return err;
}

enum oc_err
p11_admin_open(const struct p11_token_config *token, const char *state_dir,
    struct p11_module **module, CK_SESSION_HANDLE *session,
    struct oc_error *error)
{
	const struct request request = { .module = token->module,
	    .environment = token->environment,
	    .init_args = token->init_args, .token = token,
	    .state_dir = state_dir };

	return open_token(&request, module, session, error);
}

static enum oc_err
run_other(const struct request *request, struct result *out)
{
	return request->other(request->other_request, out->out, &out->error);
}

enum oc_err
p11_admin_run(p11_admin_fn *run, const void *other_request,
    const char *module, int64_t deadline_ns, void *to, size_t to_size,
    struct oc_error *error)
{
	struct request request = { .run = run_other, .module = module,
	    .other = run, .other_request = other_request };
	struct result *out = map_result(error);
	enum oc_err err;

	if (out == NULL)
		return OC_ERR_NOMEM;
	oc_assert(to_size <= sizeof(out->out));
	err = run_child(&request, out, deadline_ns, error);
	memcpy(to, out->out, to_size);
	unmap_result(out);
	return err;
}

static enum oc_err
run_list_keys(const struct request *request, struct result *out)
{
	struct p11_module *m;
	CK_SESSION_HANDLE session;
	enum oc_err err;

	err = open_token(request, &m, &session, &out->error);
	if (err != OC_OK)
		return err;
	err = p11_key_list(m->f, session, out->keys, P11_ADMIN_MAX, &out->num,
	    &out->error);
	p11_module_close(m);
	return err;
}

enum oc_err
p11_admin_list_keys(const struct p11_token_config *token,
    const char *state_dir, int64_t deadline_ns, struct p11_key_entry *entries,
    size_t *num, struct oc_error *error)
{
	struct request request = { .run = run_list_keys,
	    .module = token->module, .environment = token->environment,
	    .init_args = token->init_args,
	    .token = token, .state_dir = state_dir };
	struct result *out = map_result(error);
	enum oc_err err;

	if (out == NULL)
		return OC_ERR_NOMEM;
	err = run_child(&request, out, deadline_ns, error);
	if (err == OC_OK) {
		memcpy(entries, out->keys, out->num * sizeof(*entries));
		*num = out->num;
	}
	unmap_result(out);
	return err;
}

static enum oc_err
run_generate_key(const struct request *request, struct result *out)
{
	struct p11_uri uri = { .type = P11_URI_PRIVATE };
	struct p11_module *m;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE handle;
	enum oc_err err;

	err = open_token(request, &m, &session, &out->error);
	if (err != OC_OK)
		return err;
	err = (request->is_extractable ? p11_key_generate_extractable :
	    p11_key_generate)(m->f, session, request->label, request->type,
	    request->bits, &out->error);
	if (err == OC_OK) {
		(void)snprintf(uri.object, sizeof(uri.object), "%s",
		    request->label);
		err = p11_key_find(m->f, session, &uri, &handle,
		    &out->error);
	}
	if (err == OC_OK)
		err = p11_key_read(m->f, session, handle,
		    (struct der_bytes){ NULL, 0 }, &out->info, &out->error);
	p11_module_close(m);
	return err;
}

static enum oc_err
generate(bool is_extractable, const struct p11_token_config *token,
    const char *state_dir, const char *label, enum sign_key_type type,
    unsigned int bits, int64_t deadline_ns, struct sign_key_info *info,
    struct oc_error *error)
{
	struct request request = { .run = run_generate_key,
	    .module = token->module, .environment = token->environment,
	    .init_args = token->init_args,
	    .token = token, .state_dir = state_dir, .label = label,
	    .type = type, .bits = bits, .is_extractable = is_extractable };
	struct result *out = map_result(error);
	enum oc_err err;

	if (out == NULL)
		return OC_ERR_NOMEM;
	err = run_child(&request, out, deadline_ns, error);
	if (err == OC_OK)
		*info = out->info;
	unmap_result(out);
	return err;
}

enum oc_err
p11_admin_generate_key(const struct p11_token_config *token,
    const char *state_dir, const char *label, enum sign_key_type type,
    unsigned int bits, int64_t deadline_ns, struct sign_key_info *info,
    struct oc_error *error)
{
	return generate(false, token, state_dir, label, type, bits,
	    deadline_ns, info, error);
}

enum oc_err
p11_admin_generate_extractable(const struct p11_token_config *token,
    const char *state_dir, const char *label, enum sign_key_type type,
    unsigned int bits, int64_t deadline_ns, struct sign_key_info *info,
    struct oc_error *error)
{
	return generate(true, token, state_dir, label, type, bits,
	    deadline_ns, info, error);
}
