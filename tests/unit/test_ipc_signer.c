/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signer behind a socket keeps the contract of every signer; and the
 * socket's role keeps it from signing for the wrong caller.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/memfd.h"
#include "ipc/message.h"
#include "ipc/signer_server.h"
#include "sign/soft.h"
#include "sign/verify.h"
#include "tests/unit/ipc_thread.h"
#include "tests/unit/signer_contract.h"

#define LONG_NS (20 * OC_NS_PER_S)

static char dir[IPC_DIR_MAX];
static char issuer_path[IPC_DIR_MAX + 24], status_path[IPC_DIR_MAX + 24];

/* What ocsign-signer is, with keys in memory. */
struct service {
	struct signer *soft;
	bool is_down;			/* no signer behind the servers */
	struct event *soft_event;
	struct ipc_signer_server *issuer, *status;
	struct ipc_thread *thread;
};
static struct service service;
static struct signer *signer;		/* the channel under test */

static void
on_soft(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sign_dispatch(arg);
}

static void
tell_status(void *arg, char *text, size_t text_max)
{
	(void)arg;
	snprintf(text, text_max, "{\"tokens\":0}");
}

static enum oc_err
drain(void *arg, const char *token, unsigned int how, struct oc_error *error)
{
	(void)arg;
	if (strcmp(token, "hsm") == 0 && how == 2)
		return OC_OK;
	return oc_error_set(error, OC_ERR_NOT_FOUND, "no token %s", token);
}

static struct ipc_signer_server *
serve(struct event_base *base, const char *path, enum ipc_signer_role role)
{
	struct ipc_signer_server *server;
	struct oc_error error = { 0 };
	int fd;

	if (ipc_listen(path, &fd, &error) != OC_OK ||
	    ipc_signer_server_new(base, fd, role, tell_status, NULL,
	    &server) != OC_OK)
		abort();
	if (!service.is_down)
		ipc_signer_server_set(server, service.soft);
	return server;
}

static void
service_setup(struct event_base *base, void *arg)
{
	(void)arg;
	service.issuer = serve(base, issuer_path, IPC_SIGNER_ISSUER);
	ipc_signer_server_let_drain(service.issuer, drain);
	service.status = serve(base, status_path, IPC_SIGNER_STATUS);
	service.soft_event = event_new(base, sign_fd(service.soft),
	    EV_READ | EV_PERSIST, on_soft, service.soft);
	event_add(service.soft_event, NULL);
}

static void
service_teardown(struct event_base *base, void *arg)
{
	(void)base;
	(void)arg;
	ipc_signer_server_free(service.issuer);
	ipc_signer_server_free(service.status);
	event_free(service.soft_event);
}

static void
service_start(bool is_down)
{
	service.is_down = is_down;
	service.thread = ipc_thread_start(service_setup, service_teardown,
	    NULL);
}

static void
generate(const char *name, enum sign_key_type type, unsigned int bits)
{
	assert_int_equal(sign_soft_generate(service.soft, name, type, bits),
	    OC_OK);
}

static int
setup_keys(void **state)
{
	(void)state;
	assert_int_equal(sign_soft_new(&service.soft), OC_OK);
	generate("issuer/rsa", SIGN_KEY_RSA, 2048);
	generate("issuer/p256", SIGN_KEY_P256, 256);
	generate("issuer/p384", SIGN_KEY_P384, 384);
	generate("issuer/ed", SIGN_KEY_ED25519, 255);
	generate("ocsp/p256", SIGN_KEY_P256, 256);
	return 0;
}

static int
teardown_keys(void **state)
{
	(void)state;
	sign_free(service.soft);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	ipc_dir_new(dir);
	snprintf(issuer_path, sizeof(issuer_path), "%s/signer-issuer.sock",
	    dir);
	snprintf(status_path, sizeof(status_path), "%s/signer-status.sock",
	    dir);
	service_start(false);
	assert_int_equal(ipc_signer_new(issuer_path, "ocsign", &signer),
	    OC_OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sign_free(signer);
	ipc_thread_stop(service.thread);
	ipc_dir_remove(dir);
	return 0;
}

static void
hold(void *arg)
{
	sign_soft_hold(arg);
}

static void
release(void *arg)
{
	sign_soft_release(arg);
}

static void
keeps_the_contract(void **state)
{
	struct signer_contract c = {
		.signer = signer,
		.rsa_key = "issuer/rsa",
		.p256_key = "issuer/p256",
		.p384_key = "issuer/p384",
		.ed25519_key = "issuer/ed",
		.hold = hold,
		.release = release,
		.arg = service.soft,
		.num_jobs_full = SIGN_SOFT_QUEUE_MAX + 100,
	};

	(void)state;
	signer_contract_run(&c);
}

static enum oc_err
sign_one(struct signer *s, const char *key, enum sign_kind kind,
    struct der_bytes tbs, struct oc_error *error)
{
	struct sign_job job = { .key = key, .kind = kind,
	    .lane = SIGN_LANE_CERTIFICATE, .tbs = tbs };

	job.deadline_ns = oc_clock_mono_ns() + LONG_NS;
	memset(error, 0, sizeof(*error));
	return sign_now(s, &job, error);
}

/* The rule written down a second time, as a table. */
static void
each_socket_signs_its_kinds_alone(void **state)
{
	static const struct {
		const char *key;
		enum sign_kind kind;
		bool issuer_may, status_may;
	} rows[] = {
		{ "issuer/p256", SIGN_KIND_CERTIFICATE, true, false },
		{ "issuer/p256", SIGN_KIND_CRL, true, false },
		{ "issuer/p256", SIGN_KIND_CSR, true, false },
		{ "issuer/p256", SIGN_KIND_OCSP, false, false },
		{ "ocsp/p256", SIGN_KIND_CERTIFICATE, false, false },
		{ "ocsp/p256", SIGN_KIND_CRL, false, false },
		{ "ocsp/p256", SIGN_KIND_CSR, true, false },
		{ "ocsp/p256", SIGN_KIND_OCSP, false, true },
		{ "p256", SIGN_KIND_CERTIFICATE, false, false },
		{ "p256", SIGN_KIND_OCSP, false, false },
		{ "ocsp", SIGN_KIND_OCSP, false, false },
		{ "Issuer/p256", SIGN_KIND_CRL, false, false },
	};
	struct signer *status;
	unsigned long num_signed = sign_soft_num_signed(service.soft);
	unsigned long num_allowed = 0;
	struct oc_error error;

	(void)state;
	assert_int_equal(ipc_signer_new(status_path, "ocsign-status",
	    &status), OC_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(sign_one(signer, rows[i].key, rows[i].kind,
		    DER_LITERAL("tbs"), &error),
		    rows[i].issuer_may ? OC_OK : OC_ERR_REFUSED);
		assert_int_equal(sign_one(status, rows[i].key, rows[i].kind,
		    DER_LITERAL("tbs"), &error),
		    rows[i].status_may ? OC_OK : OC_ERR_REFUSED);
		num_allowed += rows[i].issuer_may + rows[i].status_may;
	}
	assert_int_equal(sign_soft_num_signed(service.soft) - num_signed,
	    num_allowed);
	sign_free(status);
}

static void
status_is_told_of_ocsp_keys_alone(void **state)
{
	struct sign_key_info info;
	struct signer *status;
	struct oc_error error = { 0 };

	(void)state;
	assert_int_equal(ipc_signer_new(status_path, "ocsign-status",
	    &status), OC_OK);
	assert_int_equal(sign_find_key(status, "ocsp/p256",
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_OK);
	assert_int_equal(info.type, SIGN_KEY_P256);
	assert_int_equal(sign_find_key(status, "issuer/p256",
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_ERR_REFUSED);
	assert_int_equal(sign_find_key(signer, "ocsp/p256",
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_OK);
	sign_free(status);
}

static enum oc_err
ask_drain(const char *path, const char *token, uint8_t how,
    struct ipc_drained *told)
{
	struct ipc_drain m = { .how = how };
	struct ipc_channel *channel;
	struct der_bytes fields;
	enum ipc_type type;
	uint8_t frame[256];
	enum oc_err err;
	uint64_t id;
	size_t len;

	(void)snprintf(m.token, sizeof(m.token), "%s", token);
	assert_int_equal(ipc_channel_new(path, "ocsign", &channel), OC_OK);
	id = ipc_channel_next_id(channel);
	assert_int_equal(ipc_put_drain(frame, sizeof(frame), id, &m, &len),
	    OC_OK);
	err = ipc_channel_ask_now(channel, id, frame, len,
	    oc_clock_mono_ns() + LONG_NS, &type, &fields);
	if (err == OC_OK) {
		assert_int_equal(type, IPC_DRAINED);
		assert_int_equal(ipc_read_drained(fields, told), OC_OK);
		err = (enum oc_err)told->err;
	}
	ipc_channel_free(channel);
	return err;
}

/* Not on the socket of ocsign-status, which a token is nothing to. */
static void
tokens_are_drained_for_the_issuer_alone(void **state)
{
	struct ipc_drained told;

	(void)state;
	assert_int_equal(ask_drain(issuer_path, "hsm", 2, &told), OC_OK);
	assert_string_equal(told.text, "");
	assert_int_equal(ask_drain(issuer_path, "other", 1, &told),
	    OC_ERR_NOT_FOUND);
	assert_string_equal(told.text, "no token other");
	assert_int_equal(ask_drain(status_path, "hsm", 2, &told),
	    OC_ERR_REFUSED);
	assert_non_null(strstr(told.text, "on this socket"));
}

static void
count_done(struct sign_job *job, void *arg)
{
	unsigned int *num_done = arg;

	assert_int_equal(job->err, OC_OK);
	(*num_done)++;
}

/* Nothing of them is asked for while the signer is held; then all is. */
static void
what_is_held_travels_together(void **state)
{
	unsigned long num_signed = sign_soft_num_signed(service.soft);
	struct pollfd poll_fd = { .fd = sign_fd(signer), .events = POLLIN };
	struct sign_job jobs[5];
	unsigned int num_done = 0;

	(void)state;
	sign_hold(signer, true);
	for (int i = 0; i < 5; i++) {
		jobs[i] = (struct sign_job){ .key = "issuer/p256",
		    .kind = SIGN_KIND_CERTIFICATE,
		    .lane = SIGN_LANE_CERTIFICATE,
		    .tbs = DER_LITERAL("tbs"),
		    .deadline_ns = oc_clock_mono_ns() + LONG_NS,
		    .done = count_done, .arg = &num_done };
		assert_int_equal(sign_submit(signer, &jobs[i]), OC_OK);
	}
	sign_cancel(signer, &jobs[1]);
	assert_int_equal(poll(&poll_fd, 1, 100), 0);
	assert_int_equal(sign_soft_num_signed(service.soft), num_signed);
	sign_hold(signer, false);
	while (num_done < 4) {
		assert_int_equal(poll(&poll_fd, 1, 10000), 1);
		sign_dispatch(signer);
	}
	assert_int_equal(sign_soft_num_signed(service.soft), num_signed + 4);
	/* It makes no difference to one in memory. */
	sign_hold(service.soft, true);
	sign_hold(service.soft, false);
}

static void
large_tbs_travels_sealed(void **state)
{
	size_t sizes[] = { OC_TBS_INLINE_MAX, OC_TBS_INLINE_MAX + 1,
	    5 * 1024 * 1024 };
	uint8_t *tbs = malloc(sizes[2]);
	struct sign_key_info info;
	struct sign_verifier *v;
	struct oc_error error = { 0 };

	(void)state;
	for (size_t i = 0; i < sizes[2]; i++)
		tbs[i] = (uint8_t)(i * 7 + i / 253);
	assert_int_equal(sign_find_key(signer, "issuer/p256",
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_OK);
	assert_int_equal(sign_verifier_new((struct der_bytes){ info.spki,
	    info.spki_len }, &v), OC_OK);
	for (size_t i = 0; i < 3; i++) {
		struct sign_job job = { .key = "issuer/p256",
		    .kind = SIGN_KIND_CRL, .lane = SIGN_LANE_CRL,
		    .tbs = { tbs, sizes[i] } };

		job.deadline_ns = oc_clock_mono_ns() + LONG_NS;
		assert_int_equal(sign_now(signer, &job, &error), OC_OK);
		assert_int_equal(sign_verify(v, job.signed_alg, job.tbs,
		    (struct der_bytes){ job.signature, job.signature_len }),
		    OC_OK);
		assert_int_equal(job.tbs.len, sizes[i]);
	}
	assert_int_equal(sign_one(signer, "issuer/p256", SIGN_KIND_CRL,
	    (struct der_bytes){ tbs, 0 }, &error), OC_ERR_LIMIT);
	sign_verifier_free(v);
	free(tbs);
}

/* What was written into one is sent as it is, whatever stands before. */
static void
memory_that_is_sealed_is_sent_as_it_is(void **state)
{
	static const size_t before[] = { 0, 1, OC_TBS_BEFORE_MAX };
	size_t len = OC_TBS_INLINE_MAX + 1000;
	uint8_t *tbs = malloc(len);
	struct oc_error error = { 0 };
	struct sign_key_info info;
	struct sign_verifier *v;

	(void)state;
	for (size_t i = 0; i < len; i++)
		tbs[i] = (uint8_t)(i * 7 + i / 253);
	assert_int_equal(sign_find_key(signer, "issuer/p256",
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_OK);
	assert_int_equal(sign_verifier_new((struct der_bytes){ info.spki,
	    info.spki_len }, &v), OC_OK);
	for (size_t i = 0; i < 3; i++) {
		struct sign_job job = { .key = "issuer/p256",
		    .kind = SIGN_KIND_CRL, .lane = SIGN_LANE_CRL,
		    .tbs = { tbs, len }, .has_memfd = true };
		struct oc_spool spool;

		assert_int_equal(oc_spool_open(&spool, "test", 1 << 20),
		    OC_OK);
		oc_spool_skip(&spool, before[i]);
		oc_spool_put(&spool, tbs, len);
		assert_int_equal(oc_spool_seal(&spool), OC_OK);
		job.memfd = spool.fd;
		job.deadline_ns = oc_clock_mono_ns() + LONG_NS;
		assert_int_equal(sign_now(signer, &job, &error), OC_OK);
		assert_int_equal(sign_verify(v, job.signed_alg, job.tbs,
		    (struct der_bytes){ job.signature, job.signature_len }),
		    OC_OK);
		/* It is still the caller's. */
		assert_true(fcntl(spool.fd, F_GETFD) >= 0);
		oc_spool_close(&spool);
	}
	sign_verifier_free(v);
	free(tbs);
}

static void
take_result(void *arg, enum oc_err err, enum ipc_type type,
    struct der_bytes fields)
{
	enum oc_err *result = arg;
	struct ipc_signed m;

	*result = err;
	if (err != OC_OK)
		return;
	assert_int_equal(type, IPC_SIGNED);
	assert_int_equal(ipc_read_signed(fields, &m), OC_OK);
	*result = (enum oc_err)m.err;
}

/* A SIGN whose TBS is in fd, said by hand. */
static enum oc_err
sign_fd_by_hand(int fd, uint64_t tbs_len)
{
	struct ipc_sign m = { SIGN_KIND_CRL, SIGN_LANE_CRL, 0, 5000,
	    "issuer/p256", tbs_len, { NULL, 0 } };
	enum oc_err result;
	struct ipc_channel *ch;
	uint8_t frame[256];
	size_t len;

	assert_int_equal(ipc_channel_new(issuer_path, "ocsign", &ch), OC_OK);
	assert_int_equal(ipc_put_sign(frame, sizeof(frame), 1, &m, &len),
	    OC_OK);
	result = OC_ERR_INTERNAL;
	assert_int_equal(ipc_channel_ask(ch, 1, frame, len, fd,
	    oc_clock_mono_ns() + 2 * OC_NS_PER_S, take_result, &result),
	    OC_OK);
	while (result == OC_ERR_INTERNAL) {
		struct pollfd pfd = { .fd = ipc_channel_fd(ch),
		    .events = POLLIN };

		poll(&pfd, 1, 100);
		ipc_channel_dispatch(ch);
	}
	ipc_channel_free(ch);
	return result;
}

static int
memfd_with_seals(int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, OC_TBS_INLINE_MAX + 1), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void
memory_that_may_change_is_refused(void **state)
{
	static const int seals[] = { F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW,
	    F_SEAL_WRITE };
	const int all = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE;
	uint64_t size = OC_TBS_INLINE_MAX + 1;
	unsigned long num_signed = sign_soft_num_signed(service.soft);
	char path[IPC_DIR_MAX + 16];
	int fd;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(sign_fd_by_hand(
		    memfd_with_seals(all & ~seals[i]), size),
		    OC_ERR_REFUSED);
	assert_int_equal(sign_fd_by_hand(memfd_with_seals(all), size + 1),
	    OC_ERR_MISMATCH);
	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, (off_t)size + OC_TBS_BEFORE_MAX + 1),
	    0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, all), 0);
	assert_int_equal(sign_fd_by_hand(fd, size), OC_ERR_MISMATCH);
	/* A file of the right size. */
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(sign_fd_by_hand(fd, size), OC_ERR_REFUSED);
	assert_int_equal(sign_fd_by_hand(open("/dev/zero", O_RDONLY), size),
	    OC_ERR_REFUSED);
	assert_int_equal(sign_soft_num_signed(service.soft), num_signed);
	assert_int_equal(sign_fd_by_hand(memfd_with_seals(all), size), OC_OK);
}

static void
never_done(struct sign_job *job, void *arg)
{
	(void)job;
	(*(int *)arg)++;
}

static void
job_of_a_peer_that_goes_is_cancelled(void **state)
{
	enum { NUM = 10 };
	struct sign_job jobs[NUM];
	struct signer *brief;
	struct oc_error error;
	unsigned long num_signed;
	int num_done = 0;

	(void)state;
	sign_soft_hold(service.soft);
	num_signed = sign_soft_num_signed(service.soft);
	assert_int_equal(ipc_signer_new(issuer_path, "brief", &brief), OC_OK);
	for (int i = 0; i < NUM; i++) {
		jobs[i] = (struct sign_job){ .key = "issuer/p256",
		    .kind = SIGN_KIND_CRL, .lane = SIGN_LANE_CRL,
		    .tbs = DER_LITERAL("tbs"), .done = never_done,
		    .arg = &num_done };
		jobs[i].deadline_ns = oc_clock_mono_ns() + LONG_NS;
		assert_int_equal(sign_submit(brief, &jobs[i]), OC_OK);
	}
	usleep(100 * 1000);
	sign_free(brief);
	usleep(100 * 1000);
	sign_soft_release(service.soft);
	assert_int_equal(sign_one(signer, "issuer/p256", SIGN_KIND_CRL,
	    DER_LITERAL("tbs"), &error), OC_OK);
	/* One may have been at the key already. */
	assert_in_range(sign_soft_num_signed(service.soft) - num_signed, 1,
	    2);
	assert_int_equal(num_done, 0);
}

static void
job_survives_its_signer(void **state)
{
	struct sign_job job = { .key = "issuer/p256", .kind = SIGN_KIND_CRL,
	    .lane = SIGN_LANE_CRL, .tbs = DER_LITERAL("tbs"),
	    .done = never_done };
	int num_done = 0;

	(void)state;
	job.arg = &num_done;
	job.deadline_ns = oc_clock_mono_ns() + LONG_NS;
	sign_soft_hold(service.soft);
	assert_int_equal(sign_submit(signer, &job), OC_OK);
	usleep(50 * 1000);
	ipc_thread_stop(service.thread);
	sign_soft_release(service.soft);
	service_start(false);
	while (num_done == 0 && oc_clock_mono_ns() < job.deadline_ns) {
		struct pollfd pfd = { .fd = sign_fd(signer),
		    .events = POLLIN };

		poll(&pfd, 1, 100);
		sign_dispatch(signer);
	}
	assert_int_equal(num_done, 1);
	assert_int_equal(job.err, OC_OK);
	assert_true(job.signature_len > 0);
}

static void
without_a_token_it_is_down_at_once(void **state)
{
	struct sign_key_info info;
	struct oc_error error = { 0 };
	int64_t start;

	(void)state;
	ipc_thread_stop(service.thread);
	service_start(true);
	start = oc_clock_mono_ns();
	assert_int_equal(sign_one(signer, "issuer/p256", SIGN_KIND_CRL,
	    DER_LITERAL("tbs"), &error), OC_ERR_DOWN);
	assert_non_null(strstr(error.text, "token"));
	assert_int_equal(sign_one(signer, "issuer/p256", SIGN_KIND_OCSP,
	    DER_LITERAL("tbs"), &error), OC_ERR_REFUSED);
	assert_int_equal(sign_find_key(signer, "issuer/p256",
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_ERR_DOWN);
	assert_true(oc_clock_mono_ns() - start < 5 * OC_NS_PER_S);
}

static void
status_is_told(void **state)
{
	struct ipc_channel *ch;
	struct der_bytes fields, text;
	enum ipc_type type;
	uint8_t frame[IPC_HEADER_LEN];
	size_t len;

	(void)state;
	assert_int_equal(ipc_channel_new(issuer_path, "ocsign", &ch), OC_OK);
	assert_int_equal(ipc_put_bare(frame, sizeof(frame), 1, IPC_STATUS,
	    &len), OC_OK);
	assert_int_equal(ipc_channel_ask_now(ch, 1, frame, len,
	    oc_clock_mono_ns() + LONG_NS, &type, &fields), OC_OK);
	assert_int_equal(type, IPC_STATUS_IS);
	assert_int_equal(ipc_read_text_message(fields, &text), OC_OK);
	assert_int_equal(text.len, strlen("{\"tokens\":0}"));
	ipc_channel_free(ch);
}

static void
nonsense_is_disconnected(void **state)
{
	struct ipc_channel *ch;
	struct der_bytes fields;
	enum ipc_type type, asked[] = { IPC_FIND_KEY, IPC_SIGNED, IPC_NUDGE,
	    (enum ipc_type)999 };
	uint8_t frame[IPC_HEADER_LEN];
	enum oc_err err;
	size_t len;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct ipc_writer w;

		assert_int_equal(ipc_channel_new(issuer_path, "liar", &ch),
		    OC_OK);
		ipc_begin(&w, frame, sizeof(frame), (uint16_t)asked[i], 0, 1);
		assert_int_equal(ipc_end(&w, &len), OC_OK);
		err = ipc_channel_ask_now(ch, 1, frame, len,
		    oc_clock_mono_ns() + 60 * OC_NS_PER_MS, &type, &fields);
		assert_true(err == OC_ERR_DOWN || err == OC_ERR_TIMEOUT);
		ipc_channel_free(ch);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(keeps_the_contract),
		TEST(each_socket_signs_its_kinds_alone),
		TEST(status_is_told_of_ocsp_keys_alone),
		TEST(tokens_are_drained_for_the_issuer_alone),
		TEST(what_is_held_travels_together),
		TEST(large_tbs_travels_sealed),
		TEST(memory_that_is_sealed_is_sent_as_it_is),
		TEST(memory_that_may_change_is_refused),
		TEST(job_of_a_peer_that_goes_is_cancelled),
		TEST(job_survives_its_signer),
		TEST(without_a_token_it_is_down_at_once),
		TEST(status_is_told),
		TEST(nonsense_is_disconnected),
	};

	oc_log_init("test", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, setup_keys, teardown_keys);
}
