/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/status_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <openssl/pem.h>

#include "ipc/message.h"

/* --- the clock ---------------------------------------------------------- */

static int64_t calendar_s;		/* what it is set by */

/* In front of the C library's. */
int
clock_gettime(clockid_t id, struct timespec *ts)
{
	long r = syscall(SYS_clock_gettime, id, ts);

	if (id == CLOCK_REALTIME)
		ts->tv_sec += calendar_s;
	return (int)r;
}

void
world_set_clock(struct world *w, int64_t ahead_s)
{
	calendar_s = ahead_s;
	oc_clock_watch_fini(&w->clock);
	assert_int_equal(oc_clock_watch_init(&w->clock, w->directory,
	    OC_CLOCK_WATCH_WRITES), OC_OK);
	w->has_clock = true;
}

/* --- the door ----------------------------------------------------------- */

static enum oc_err
gate_submit(struct signer *s, struct sign_job *job)
{
	struct gate *gate = (struct gate *)s;
	const uint64_t one = 1;
	enum oc_err err = gate->refuse;

	assert_string_equal(job->key, "ocsp/ca");
	assert_int_equal(job->kind, SIGN_KIND_OCSP);
	if (err == OC_OK && gate->fail != OC_OK) {
		job->next = gate->failed;
		gate->failed = job;
		assert_int_equal(write(gate->event_fd, &one, sizeof(one)),
		    sizeof(one));
	} else if (err == OC_OK) {
		err = sign_submit(gate->soft, job);
	}
	if (err != OC_OK) {
		gate->num_refused++;
		return err;
	}
	gate->num_submitted++;
	gate->num_in_lane[job->lane]++;
	return OC_OK;
}

static void
gate_cancel(struct signer *s, struct sign_job *job)
{
	struct gate *gate = (struct gate *)s;
	struct sign_job **at;

	for (at = &gate->failed; *at != NULL; at = &(*at)->next)
		if (*at == job) {
			*at = job->next;
			return;
		}
	sign_cancel(gate->soft, job);
}

static int
gate_fd(const struct signer *s)
{
	return ((const struct gate *)s)->epoll_fd;
}

static void
gate_dispatch(struct signer *s)
{
	struct gate *gate = (struct gate *)s;
	struct sign_job *job, *failed = gate->failed;
	uint64_t count;

	(void)!read(gate->event_fd, &count, sizeof(count));
	gate->failed = NULL;
	while ((job = failed) != NULL) {
		failed = job->next;
		job->err = gate->fail != OC_OK ? gate->fail : OC_ERR_DOWN;
		snprintf(job->error_text, sizeof(job->error_text),
		    "the test says so");
		job->done(job, job->arg);
	}
	sign_dispatch(gate->soft);
}

static enum oc_err
gate_find_key(struct signer *s, const char *key, int64_t deadline_ns,
    struct sign_key_info *info, struct oc_error *error)
{
	return sign_find_key(((struct gate *)s)->soft, key, deadline_ns, info,
	    error);
}

static void
gate_free(struct signer *s)
{
	struct gate *gate = (struct gate *)s;

	assert_null(gate->failed);
	sign_free(gate->soft);
	close(gate->epoll_fd);
	close(gate->event_fd);
}

static void
gate_use_new_key(struct gate *gate)
{
	struct epoll_event event = { .events = EPOLLIN };

	sign_free(gate->soft);
	assert_int_equal(sign_soft_new(&gate->soft), OC_OK);
	assert_int_equal(sign_soft_generate(gate->soft, "ocsp/ca",
	    SIGN_KEY_P256, 0), OC_OK);
	assert_int_equal(epoll_ctl(gate->epoll_fd, EPOLL_CTL_ADD,
	    sign_fd(gate->soft), &event), 0);
}

static void
gate_init(struct gate *gate)
{
	static const struct signer_ops ops = {
		gate_submit, gate_cancel, gate_fd, gate_dispatch,
		gate_find_key, gate_free, NULL
	};
	struct epoll_event event = { .events = EPOLLIN };

	gate->signer.ops = &ops;
	gate->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	gate->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(gate->epoll_fd >= 0 && gate->event_fd >= 0);
	assert_int_equal(epoll_ctl(gate->epoll_fd, EPOLL_CTL_ADD,
	    gate->event_fd, &event), 0);
	gate_use_new_key(gate);
}

/* --- certificates and store --------------------------------------------- */

static void
write_cert(const struct world *w, const char *name, X509 *cert, char **path)
{
	FILE *f;

	free(*path);
	assert_true(asprintf(path, "%s/%s.pem", w->directory, name) > 0);
	f = fopen(*path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	assert_int_equal(fclose(f), 0);
}

static EVP_PKEY *
soft_public(const struct world *w)
{
	struct sign_key_info info;
	struct oc_error error = { 0 };
	const unsigned char *p = info.spki;
	EVP_PKEY *key;

	assert_int_equal(sign_find_key(w->gate.soft, "ocsp/ca", INT64_MAX,
	    &info, &error), OC_OK);
	key = d2i_PUBKEY(NULL, &p, (long)info.spki_len);
	assert_non_null(key);
	return key;
}

static void
set_serial(X509 *cert, struct oc_serial serial)
{
	BIGNUM *number = BN_bin2bn(serial.bytes, serial.len, NULL);

	assert_non_null(number);
	assert_non_null(BN_to_ASN1_INTEGER(number,
	    X509_get_serialNumber(cert)));
	BN_free(number);
}

void
world_new_key(struct world *w)
{
	gate_use_new_key(&w->gate);
	world_set_delegate(w, oc_clock_now_s() + YEAR / 2);
}

void
world_set_delegate(struct world *w, int64_t not_after)
{
	EVP_PKEY *key = soft_public(w);

	X509_free(w->delegate);
	w->delegate = fixture_cert("OCSP signer", key, FIXTURE_DELEGATE,
	    w->ca, w->ca_key);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(w->delegate),
	    (time_t)(not_after - YEAR)));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(w->delegate),
	    (time_t)not_after));
	set_serial(w->delegate, world_serial(WORLD_DELEGATE));
	assert_true(X509_sign(w->delegate, w->ca_key, EVP_sha256()) > 0);
	EVP_PKEY_free(key);
	write_cert(w, "ocsp", w->delegate, &w->issuer.ocsp_certificate);
}

static void
open_store(struct world *w)
{
	static const uint8_t spki_hash[STORE_HASH_LEN] = { 1 };
	struct blob der = fixture_cert_der(w->ca);
	struct oc_error error = { 0 };

	assert_true(asprintf(&w->config.store.path, "%s/store.db",
	    w->directory) > 0);
	assert_int_equal(store_open(w->config.store.path, STORE_CREATE,
	    &w->store, &error), OC_OK);
	assert_int_equal(store_put_issuer(w->store, "ca",
	    (struct store_blob){ der.bytes, der.len }, spki_hash,
	    &w->issuer_id), OC_OK);
}

static void
catch_log(struct world *w)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/log", w->directory);
	w->log_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	w->stderr_fd = dup(STDERR_FILENO);
	assert_true(w->log_fd >= 0 && w->stderr_fd >= 0);
	assert_int_equal(dup2(w->log_fd, STDERR_FILENO), STDERR_FILENO);
	oc_log_init("test", OC_LOG_INFO);
}

int
world_num_lines(const struct world *w, const char *text)
{
	char path[300], line[2000];
	int num = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/log", w->directory);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		num += strstr(line, text) != NULL;
	fclose(f);
	return num;
}

/* What may have changed since. */
static void
configure(struct world *w)
{
	w->ocsp = (struct oc_config_ocsp){
		.issuer = &w->issuer,
		.certificate = w->issuer.ocsp_certificate,
		.presign = w->issuer.presign,
	};
	snprintf(w->ocsp.name, sizeof(w->ocsp.name), "%s", w->issuer.name);
}

int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(w);
	snprintf(w->directory, sizeof(w->directory), "%s/ocsign-status-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(w->directory));
	catch_log(w);
	gate_init(&w->gate);
	w->ca_key = fixture_key("P-256");
	w->ca = fixture_cert("Test CA", w->ca_key, FIXTURE_CA, NULL, NULL);
	write_cert(w, "ca", w->ca, &w->issuer.certificate);
	world_set_delegate(w, oc_clock_now_s() + YEAR / 2);
	open_store(w);
	w->issuer.name = strdup("ca");
	w->issuer.ocsp_lifetime_s = 4 * 86400;
	w->issuer.ocsp_backdate_s = 3600;
	w->issuer.presign = OC_PRESIGN_ASKED;
	assert_true(asprintf(&w->config.daemon.table_directory, "%s/tables",
	    w->directory) > 0);
	snprintf(w->table_path, sizeof(w->table_path), "%s/ca.table",
	    w->config.daemon.table_directory);
	w->budget.rate = 100;
	w->verify_budget.rate = 100;
	configure(w);
	*state = w;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

/* What cmocka said of a failure went into the log as well. */
static void
release_log(struct world *w)
{
	char path[300], line[2000];
	FILE *f;

	dup2(w->stderr_fd, STDERR_FILENO);
	close(w->stderr_fd);
	close(w->log_fd);
	snprintf(path, sizeof(path), "%s/log", w->directory);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "test: ", 6) != 0 &&
		    strncmp(line, "ocsign-status: ", 15) != 0)
			fputs(line, stderr);
	if (f != NULL)
		fclose(f);
}

int
world_teardown(void **state)
{
	struct world *w = *state;
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);

	world_stop(w);
	sign_free(&w->gate.signer);
	store_close(w->store);
	release_log(w);
	X509_free(w->ca);
	X509_free(w->delegate);
	EVP_PKEY_free(w->ca_key);
	calendar_s = 0;
	oc_clock_watch_fini(&w->clock);
	free(w->issuer.name);
	free(w->issuer.certificate);
	free(w->issuer.ocsp_certificate);
	free(w->issuer.requestor_ca);
	free(w->config.store.path);
	free(w->config.daemon.table_directory);
	nftw(w->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

struct oc_serial
world_serial(uint64_t n)
{
	struct oc_serial serial = { .len = 16 };

	serial.bytes[0] = 0x40;
	for (int i = 15; i > 7; i--, n >>= 8)
		serial.bytes[i] = (uint8_t)n;
	return serial;
}

void
world_issue(struct world *w, uint64_t n, int64_t not_after)
{
	static const uint8_t octets[] = { 0x30, 0x00 };
	const struct store_reservation r = {
		.issuer_id = w->issuer_id,
		.serial = world_serial(n),
		.tbs = { octets, sizeof(octets) },
		.not_before = 1000,
		.not_after = not_after,
		.profile = "tls",
		.subject = "CN=a.example",
		.names = "DNS:a.example",
	};
	int64_t id;

	assert_int_equal(store_reserve(w->store, &r, &id), OC_OK);
	assert_int_equal(store_issue(w->store, id, r.tbs), OC_OK);
}

void
world_issue_many(struct world *w, uint64_t first, uint64_t num)
{
	assert_int_equal(store_begin_group(w->store), OC_OK);
	for (uint64_t n = first; n < first + num; n++)
		world_issue(w, n, oc_clock_now_s() + YEAR);
	assert_int_equal(store_commit_group(w->store), OC_OK);
}

void
world_revoke(struct world *w, uint64_t n, enum crl_reason reason)
{
	struct store_revocation r = {
		.issuer_id = w->issuer_id,
		.serial = world_serial(n),
		.reason = reason,
		.revoked_at = 1700000000,
	};

	if (store_revoke(w->store, &r) != OC_OK)
		fail_msg("%s", store_error(w->store));
}

/* --- the service --------------------------------------------------------- */

void
world_open(struct world *w)
{
	const struct status_service_plan plan = {
		.config = &w->config,
		.ocsp = &w->ocsp,
		.signer = &w->gate.signer,
		.budget = &w->budget,
		.verify_budget = &w->verify_budget,
		.clock = w->has_clock ? &w->clock : NULL,
		.crl_file = w->crl_file,
		.share = w->share,
	};
	struct oc_error error = { 0 };

	configure(w);
	if (status_service_new(&plan, &w->service, &error) != OC_OK)
		fail_msg("%s", error.text);
}

void
world_start(struct world *w)
{
	world_open(w);
	world_until(w, status_service_is_ready(w->service));
}

void
world_stop(struct world *w)
{
	status_service_free(w->service);
	w->service = NULL;
	if (w->reader != NULL)
		ocsp_table_close(w->reader);
	w->reader = NULL;
}

static void
watch(struct world *w)
{
	struct ocsp_slot slot;

	for (uint8_t e = 0; w->never_good.len != 0 && e < OCSP_ENCODING_MAX;
	    e++)
		if (w->reader != NULL && ocsp_table_find(w->reader,
		    &w->never_good, e, &slot))
			assert_int_not_equal(slot.status.kind, OCSP_GOOD);
}

void
world_turn(struct world *w, int ms)
{
	struct pollfd p[2] = {
		{ status_service_fd(w->service), POLLIN, 0 },
		{ sign_fd(&w->gate.signer), POLLIN, 0 },
	};

	(void)poll(p, 2, ms);
	if (p[0].revents != 0)
		status_service_dispatch(w->service);
	watch(w);
	if (p[1].revents != 0)
		sign_dispatch(&w->gate.signer);
	watch(w);
	status_service_tick(w->service, oc_clock_now_s() + w->skip_s);
	watch(w);
}

void
world_idle(struct world *w, int ms)
{
	int64_t end = oc_clock_mono_ns() + ms * OC_NS_PER_MS;

	while (oc_clock_mono_ns() < end)
		world_turn(w, 10);
}

void
reply_take(void *arg, const struct ipc_answer *answer)
{
	struct reply *reply = arg;

	reply->num++;
	reply->kind = answer->kind;
	reply->status = answer->status;
	reply->retry_after_s = answer->retry_after_s;
	reply->next_update = answer->next_update;
	assert_true(answer->response.len <= sizeof(reply->response));
	if (answer->response.len > 0)
		memcpy(reply->response, answer->response.p,
		    answer->response.len);
	reply->response_len = answer->response.len;
}

void
world_ask(struct world *w, uint64_t n, uint8_t encoding, struct reply *reply)
{
	static struct ipc_ask ask;

	memset(&ask, 0, sizeof(ask));
	ask.num_singles = 1;
	ask.singles[0].encoding = encoding;
	ask.singles[0].serial = world_serial(n);
	status_service_ask(w->service, &ask, reply_take, reply);
}

void
world_ask_live(struct world *w, const uint64_t *n, uint32_t num,
    size_t nonce_len, struct reply *reply)
{
	static struct ipc_ask ask;
	static uint8_t nonce[OCSP_NONCE_MAX];

	memset(&ask, 0, sizeof(ask));
	memset(nonce, 0x5a, sizeof(nonce));
	ask.num_singles = num;
	for (uint32_t i = 0; i < num; i++) {
		ask.singles[i].encoding = OCSP_ENCODING_USUAL;
		ask.singles[i].serial = world_serial(n[i]);
	}
	ask.nonce = (struct der_bytes){ nonce, nonce_len };
	status_service_ask(w->service, &ask, reply_take, reply);
}

static struct ocsp_table *
reader_of(struct world *w)
{
	struct oc_error error = { 0 };

	if (w->reader != NULL && ocsp_table_is_retired(w->reader)) {
		ocsp_table_close(w->reader);
		w->reader = NULL;
	}
	if (w->reader == NULL && ocsp_table_open(w->table_path, &w->reader,
	    &error) != OC_OK)
		fail_msg("%s", error.text);
	return w->reader;
}

bool
world_look(struct world *w, uint64_t n, uint8_t encoding,
    struct ocsp_slot *slot)
{
	struct oc_serial serial = world_serial(n);

	return ocsp_table_find(reader_of(w), &serial, encoding, slot);
}

uint32_t
world_num_slots(struct world *w)
{
	return ocsp_table_num_used(reader_of(w));
}

unsigned long
world_num_signed(const struct world *w)
{
	return sign_soft_num_signed(w->gate.soft);
}
