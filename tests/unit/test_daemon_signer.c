/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real ocsign-signer in front of a real SoftHSM token: what it signs for
 * whom, and what becomes of it when the token is away or the PIN is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "der/writer.h"
#include "ipc/channel.h"
#include "sign/verify.h"
#include "tests/unit/ipc_thread.h"
#include "tests/unit/softhsm_fixture.h"
#include "tests/unit/tbs_samples.h"
#include "x509/tbs.h"

#define LONG_NS (20 * OC_NS_PER_S)
#define P256_POINT_LEN 65		/* the last octets of an SPKI */

static struct softhsm hsm;
static struct sign_key_info key;
static char dir[IPC_DIR_MAX];
static pid_t signer_pid;
static int notify_fd;

static const char *
in_dir(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", dir, name);
	return path;
}

static void
write_file(const char *path, const void *bytes, size_t len)
{
	struct oc_error error = { 0 };

	assert_int_equal(oc_file_write(path, 0600, bytes, len, &error),
	    OC_OK);
}

/* --- the process ------------------------------------------------------ */

static int
exec_signer(void)
{
	const char *top = getenv("top_builddir");
	char path[PATH_MAX];
	int log = open(in_dir("stderr"), O_WRONLY | O_CREAT | O_APPEND, 0600);

	snprintf(path, sizeof(path), "%s/ocsign-signer",
	    top != NULL ? top : ".");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("NOTIFY_SOCKET", in_dir("notify"), 1);
	dup2(log, STDERR_FILENO);
	execl(path, path, "-c", in_dir("ocsign.conf"), (char *)NULL);
	return 126;
}

static void
start(void)
{
	signer_pid = fork();
	assert_true(signer_pid >= 0);
	if (signer_pid == 0)
		_exit(exec_signer());
}

static int
wait_for_end(void)
{
	int64_t end = oc_clock_mono_ns() + 2 * LONG_NS;
	int status;

	while (waitpid(signer_pid, &status, WNOHANG) == 0) {
		assert_true(oc_clock_mono_ns() < end);
		usleep(5000);
	}
	signer_pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
stop(void)
{
	assert_int_equal(kill(signer_pid, SIGTERM), 0);
	return wait_for_end();
}

static void
open_notify(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { 20, 0 };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify",
	    dir);
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(notify_fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	setsockopt(notify_fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
}

/* The next thing that it says has this in it. */
static void
assert_says(const char *what)
{
	char text[1024];
	ssize_t n = recv(notify_fd, text, sizeof(text) - 1, 0);

	assert_true(n > 0);
	text[n] = '\0';
	if (strstr(text, what) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", what, text);
}

/* --- configuration ---------------------------------------------------- */

static void
configure(const char *token_uri)
{
	char text[4096];

	snprintf(text, sizeof(text),
	    "[store]\npath = store.db\n"
	    "[daemon]\nrun-directory = %s\ntable-directory = tables\n"
	    "[token hsm]\nmodule = %s\nuri = %s\npin-source = file:%s\n"
	    "[issuer test]\ncertificate = ca.der\ntoken = hsm\nkey = ca\n"
	    "[issuer planned]\ncertificate = none.der\ntoken = hsm\n"
	    "key = other\n",
	    dir, hsm.module, token_uri, hsm.pin_file);
	write_file(in_dir("ocsign.conf"), text, strlen(text));
}

/* A certificate for the key.  Nobody here looks at its signature. */
static void
write_certificate(struct der_bytes spki)
{
	static const uint8_t signature[] = { 0x30, 6, 2, 1, 1, 2, 1, 1 };
	uint8_t tbs[2048], out[4096];
	struct x509_signed s = { .alg = SIGN_ECDSA_SHA256,
	    .signature = DER_ARRAY(signature) };
	static const uint8_t ca[] = { 0x30, 3, 1, 1, 0xff };
	uint8_t extensions[64];
	struct tbs_sample sample;
	size_t len;

	tbs_sample_init(&sample, oc_clock_now_s());
	sample.extensions = tbs_add_extension(sample.extensions, extensions,
	    sizeof(extensions), DER_OID_BASIC_CONSTRAINTS, true,
	    DER_ARRAY(ca));
	sample.subject = tbs_name;
	sample.spki = spki;
	s.tbs = (struct der_bytes){ tbs, tbs_certificate(&sample, tbs,
	    sizeof(tbs)) };
	assert_int_equal(der_write(x509_put_signed, &s, out, sizeof(out),
	    &len), OC_OK);
	write_file(in_dir("ca.der"), out, len);
}

static struct der_bytes
key_spki(void)
{
	return (struct der_bytes){ key.spki, key.spki_len };
}

/* --- asking it -------------------------------------------------------- */

static struct signer *
dial(const char *name)
{
	struct signer *s;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.sock", dir, name);
	assert_int_equal(ipc_signer_new(path, "test", &s), OC_OK);
	return s;
}

static enum oc_err
sign(struct signer *s, const char *name, enum sign_kind kind,
    struct der_bytes tbs, struct oc_error *error)
{
	struct sign_job job = { .key = name, .kind = kind,
	    .lane = SIGN_LANE_CERTIFICATE, .tbs = tbs };
	struct sign_verifier *v;
	enum oc_err err;

	memset(error, 0, sizeof(*error));
	job.deadline_ns = oc_clock_mono_ns() + LONG_NS;
	err = sign_now(s, &job, error);
	if (err != OC_OK)
		return err;
	assert_int_equal(sign_verifier_new(key_spki(), &v), OC_OK);
	assert_int_equal(sign_verify(v, job.signed_alg, tbs,
	    (struct der_bytes){ job.signature, job.signature_len }), OC_OK);
	sign_verifier_free(v);
	return OC_OK;
}

static struct der_bytes
sample_crl(void)
{
	static uint8_t out[2048];
	struct tbs_sample s;

	tbs_sample_init(&s, oc_clock_now_s());
	s.version = 1;
	return (struct der_bytes){ out, tbs_crl(&s, out, sizeof(out)) };
}

static struct der_bytes
sample_ocsp(struct der_bytes issuer)
{
	static uint8_t out[2048], name_hash[20], key_hash[20];
	struct tbs_sample s;

	tbs_sample_init(&s, oc_clock_now_s());
	SHA1(issuer.p, issuer.len, name_hash);
	SHA1(key.spki + key.spki_len - P256_POINT_LEN, P256_POINT_LEN,
	    key_hash);
	s.responder_name = tbs_name;
	s.name_hash = DER_ARRAY(name_hash);
	s.key_hash = DER_ARRAY(key_hash);
	return (struct der_bytes){ out, tbs_ocsp(&s, out, sizeof(out)) };
}

static void
each_caller_gets_what_is_its_own(void **state)
{
	struct signer *issuer = dial("signer-issuer");
	struct signer *status = dial("signer-status");
	struct sign_key_info info;
	struct oc_error error;

	(void)state;
	start();
	assert_says("READY=1");
	assert_int_equal(sign(issuer, "issuer/test", SIGN_KIND_CRL,
	    sample_crl(), &error), OC_OK);
	assert_int_equal(sign(status, "ocsp/test", SIGN_KIND_OCSP,
	    sample_ocsp(tbs_name), &error), OC_OK);
	/* By the socket. */
	assert_int_equal(sign(status, "issuer/test", SIGN_KIND_CRL,
	    sample_crl(), &error), OC_ERR_REFUSED);
	assert_int_equal(sign(issuer, "ocsp/test", SIGN_KIND_OCSP,
	    sample_ocsp(tbs_name), &error), OC_ERR_REFUSED);
	/* By what it is. */
	assert_int_equal(sign(status, "ocsp/test", SIGN_KIND_OCSP,
	    sample_crl(), &error), OC_ERR_MALFORMED);
	assert_int_equal(sign(issuer, "issuer/test", SIGN_KIND_CERTIFICATE,
	    sample_crl(), &error), OC_ERR_MALFORMED);
	assert_int_equal(sign(status, "ocsp/test", SIGN_KIND_OCSP,
	    sample_ocsp(tbs_other_name), &error), OC_ERR_REFUSED);
	assert_string_not_equal(error.text, "");
	/* One without a certificate is not there. */
	assert_int_equal(sign(issuer, "issuer/planned", SIGN_KIND_CSR,
	    sample_crl(), &error), OC_ERR_NOT_FOUND);
	assert_int_equal(sign_find_key(issuer, "issuer/test",
	    oc_clock_mono_ns() + LONG_NS, &info, &error), OC_OK);
	assert_int_equal(info.spki_len, key.spki_len);
	assert_memory_equal(info.spki, key.spki, key.spki_len);
	sign_free(issuer);
	sign_free(status);
	assert_int_equal(stop(), 0);
	assert_says("STOPPING=1");
}

static void
status_is_json(void **state)
{
	struct ipc_channel *ch;
	struct der_bytes fields, text;
	enum ipc_type type;
	uint8_t frame[IPC_HEADER_LEN];
	char path[PATH_MAX];
	size_t len;

	(void)state;
	start();
	assert_says("READY=1");
	snprintf(path, sizeof(path), "%s/signer-issuer.sock", dir);
	assert_int_equal(ipc_channel_new(path, "test", &ch), OC_OK);
	assert_int_equal(ipc_put_bare(frame, sizeof(frame), 1, IPC_STATUS,
	    &len), OC_OK);
	assert_int_equal(ipc_channel_ask_now(ch, 1, frame, len,
	    oc_clock_mono_ns() + LONG_NS, &type, &fields), OC_OK);
	assert_int_equal(type, IPC_STATUS_IS);
	assert_int_equal(ipc_read_text_message(fields, &text), OC_OK);
	assert_non_null(memmem(text.p, text.len, "\"name\":\"hsm\"", 12));
	assert_non_null(memmem(text.p, text.len, "\"up\":true", 9));
	ipc_channel_free(ch);
	assert_int_equal(stop(), 0);
}

static void
key_that_is_not_the_certificates_ends_it(void **state)
{
	uint8_t other[OC_SPKI_MAX];

	(void)state;
	memcpy(other, key.spki, key.spki_len);
	other[key.spki_len - 1] ^= 1;
	write_certificate((struct der_bytes){ other, key.spki_len });
	start();
	assert_int_equal(wait_for_end(), 78);
}

static void
bad_configuration_ends_it(void **state)
{
	(void)state;
	write_file(in_dir("ocsign.conf"), "[nonsense]\n", 11);
	start();
	assert_int_equal(wait_for_end(), 78);
	configure(hsm.uri);
	write_file(in_dir("ca.der"), "garbage", 7);
	start();
	assert_int_equal(wait_for_end(), 78);
}

/* Once is once: the next start does not even try. */
static void
wrong_pin_ends_it_for_good(void **state)
{
	(void)state;
	softhsm_write_pin(&hsm, "9999");
	start();
	assert_int_equal(wait_for_end(), 78);
	start();
	assert_int_equal(wait_for_end(), 78);
	softhsm_write_pin(&hsm, SOFTHSM_PIN);
	start();
	assert_says("STOPPING=1");
	assert_says("STOPPING=1");
	assert_says("READY=1");
	assert_int_equal(stop(), 0);
}

static void
absent_token_is_waited_for(void **state)
{
	struct signer *issuer = dial("signer-issuer");
	char away[PATH_MAX];
	struct oc_error error;
	int64_t end = oc_clock_mono_ns() + LONG_NS;
	enum oc_err err;

	(void)state;
	snprintf(away, sizeof(away), "%s.away", hsm.tokens);
	assert_int_equal(rename(hsm.tokens, away), 0);
	assert_int_equal(mkdir(hsm.tokens, 0700), 0);
	start();
	assert_says("READY=1\nSTATUS=token hsm");
	assert_int_equal(sign(issuer, "issuer/test", SIGN_KIND_CRL,
	    sample_crl(), &error), OC_ERR_DOWN);
	assert_int_equal(rmdir(hsm.tokens), 0);
	assert_int_equal(rename(away, hsm.tokens), 0);
	do {
		usleep(50 * 1000);
		err = sign(issuer, "issuer/test", SIGN_KIND_CRL,
		    sample_crl(), &error);
	} while (err == OC_ERR_DOWN && oc_clock_mono_ns() < end);
	assert_int_equal(err, OC_OK);
	sign_free(issuer);
	assert_int_equal(stop(), 0);
}

static void
it_ends_at_once_while_the_token_is_away(void **state)
{
	int64_t begin;

	(void)state;
	configure("pkcs11:token=nowhere");
	start();
	assert_says("READY=1");
	begin = oc_clock_mono_ns();
	assert_int_equal(stop(), 0);
	assert_true(oc_clock_mono_ns() - begin < 3 * OC_NS_PER_S);
}

/* --- setup ------------------------------------------------------------ */

static int
setup(void **state)
{
	(void)state;
	ipc_dir_new(dir);
	configure(hsm.uri);
	write_certificate(key_spki());
	open_notify();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (signer_pid > 0) {
		kill(signer_pid, SIGKILL);
		waitpid(signer_pid, NULL, 0);
		signer_pid = 0;
	}
	close(notify_fd);
	ipc_dir_remove(dir);
	return 0;
}

static int
setup_token(void **state)
{
	(void)state;
	softhsm_init(&hsm, "signer");
	softhsm_generate(&hsm, "ca", SIGN_KEY_P256, 256, &key);
	return 0;
}

static int
teardown_token(void **state)
{
	(void)state;
	softhsm_fini(&hsm);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_caller_gets_what_is_its_own),
		TEST(status_is_json),
		TEST(key_that_is_not_the_certificates_ends_it),
		TEST(bad_configuration_ends_it),
		TEST(wrong_pin_ends_it_for_good),
		TEST(absent_token_is_waited_for),
		TEST(it_ends_at_once_while_the_token_is_away),
	};

	if (!softhsm_is_there())
		return 77;
	oc_log_init("test", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, setup_token, teardown_token);
}
