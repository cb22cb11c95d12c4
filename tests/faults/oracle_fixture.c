/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/faults/oracle_fixture.h"

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
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "der/writer.h"
#include "ipc/channel.h"
#include "tests/unit/ipc_thread.h"
#include "x509/tbs.h"

#define BYTES(...) ((struct der_bytes){ (const uint8_t[]){ __VA_ARGS__ }, \
	sizeof((const uint8_t[]){ __VA_ARGS__ }) })

struct shim_control *oracle_shim;
struct sign_key_info oracle_ca_key, oracle_ocsp_key;
unsigned long oracle_num_canaries, oracle_num_honest;

static struct softhsm hsm;
static char dir[IPC_DIR_MAX];
static pid_t signer_pid;
static int notify_fd;
static struct signer *honest;		/* ocsign's, all the time */

const char *
oracle_in_dir(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int turn;
	char *path = paths[turn++ % 4];

	(void)snprintf(path, PATH_MAX, "%s/%s", dir, name);
	return path;
}

static void
write_file(const char *path, const void *bytes, size_t len)
{
	struct oc_error error = { 0 };

	assert_int_equal(oc_file_write(path, 0600, bytes, len, &error),
	    OC_OK);
}

/* --- values --------------------------------------------------------------- */

struct der_bytes
oracle_spki(const struct sign_key_info *key)
{
	return (struct der_bytes){ key->spki, key->spki_len };
}

/* AKI, a number, basicConstraints: of one that would be signed. */
static struct der_bytes
good_extensions(bool is_crl)
{
	static uint8_t out[2][512];
	struct der_bytes e = { NULL, 0 };

	e = tbs_add_extension(e, out[is_crl], 512,
	    DER_OID_AUTHORITY_KEY_IDENTIFIER, false,
	    BYTES(0x30, 6, 0x80, 4, 9, 8, 7, 6));
	return tbs_add_extension(e, out[is_crl], 512, is_crl ?
	    DER_OID_CRL_NUMBER : DER_OID_BASIC_CONSTRAINTS, !is_crl,
	    is_crl ? BYTES(2, 1, 1) : BYTES(0x30, 0));
}

void
oracle_good_sample(struct tbs_sample *s, bool is_crl)
{
	tbs_sample_init(s, oc_clock_now_s());
	s->extensions = good_extensions(is_crl);
	s->version = is_crl ? 1 : 2;
}

static void
write_certificate(const char *path, const struct sign_key_info *key,
    struct der_bytes subject, struct der_bytes extensions)
{
	static const uint8_t signature[] = { 0x30, 6, 2, 1, 1, 2, 1, 1 };
	uint8_t tbs[2048], out[4096];
	struct x509_signed s = { .alg = SIGN_ECDSA_SHA256,
	    .signature = DER_ARRAY(signature) };
	struct tbs_sample sample;
	size_t len;

	tbs_sample_init(&sample, oc_clock_now_s() - 1000);
	sample.not_after += 100 * 86400;
	sample.subject = subject;
	sample.spki = oracle_spki(key);
	sample.extensions = extensions;
	s.tbs = (struct der_bytes){ tbs, tbs_certificate(&sample, tbs,
	    sizeof(tbs)) };
	assert_int_equal(der_write(x509_put_signed, &s, out, sizeof(out),
	    &len), OC_OK);
	write_file(oracle_in_dir(path), out, len);
}

static void
write_ca_certificate(void)
{
	uint8_t out[512];
	struct der_bytes e = { NULL, 0 };

	e = tbs_add_extension(e, out, sizeof(out),
	    DER_OID_SUBJECT_KEY_IDENTIFIER, false, BYTES(4, 4, 9, 8, 7, 6));
	e = tbs_add_extension(e, out, sizeof(out), DER_OID_BASIC_CONSTRAINTS,
	    true, BYTES(0x30, 6, 1, 1, 0xff, 2, 1, 0));
	write_certificate("ca.der", &oracle_ca_key, tbs_name, e);
}

static void
configure(void)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
	    "[store]\npath = store.db\n"
	    "[daemon]\nrun-directory = %s\ntable-directory = tables\n"
	    "[token hsm]\nmodule = %s\nuri = %s\npin-source = file:%s\n"
	    "[issuer test]\ncertificate = ca.der\ntoken = hsm\nkey = ca\n"
	    "ocsp-certificate = ocsp.der\nocsp-key = ocsp\n"
	    "excluded-dns = forbidden.example\n",
	    dir, hsm.token.module, hsm.uri, hsm.pin_file);
	write_file(oracle_in_dir("ocsign.conf"), text, strlen(text));
}

/* --- the process ---------------------------------------------------------- */

static int
exec_signer(void)
{
	const char *top = getenv("top_builddir");
	char path[PATH_MAX];
	int log = open(oracle_in_dir("stderr"), O_WRONLY | O_CREAT | O_APPEND,
	    0600);

	(void)snprintf(path, sizeof(path), "%s/ocsign-signer",
	    top != NULL ? top : ".");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setenv("NOTIFY_SOCKET", oracle_in_dir("notify"), 1);
	(void)dup2(log, STDERR_FILENO);
	(void)execl(path, path, "-c", oracle_in_dir("ocsign.conf"),
	    (char *)NULL);
	return 126;
}

static void
open_notify(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { 20, 0 };

	(void)snprintf(address.sun_path, sizeof(address.sun_path),
	    "%s/notify", dir);
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(notify_fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	(void)setsockopt(notify_fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
}

static void
start(void)
{
	char text[1024] = "";

	signer_pid = fork();
	assert_true(signer_pid >= 0);
	if (signer_pid == 0)
		_exit(exec_signer());
	assert_true(recv(notify_fd, text, sizeof(text) - 1, 0) > 0);
	if (strstr(text, "STATUS=signing") == NULL)
		fail_msg("it says \"%s\"", text);
}

void
oracle_stop(void)
{
	int status;

	assert_int_equal(kill(signer_pid, SIGTERM), 0);
	assert_int_equal(waitpid(signer_pid, &status, 0), signer_pid);
	signer_pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --- asking as a client does ---------------------------------------------- */

struct signer *
oracle_dial(const char *name)
{
	struct signer *s;

	assert_int_equal(ipc_signer_new(oracle_in_dir(name), "test", &s),
	    OC_OK);
	return s;
}

enum oc_err
oracle_sign(struct signer *s, const char *name, enum sign_kind kind,
    struct der_bytes tbs)
{
	struct sign_job job = { .key = name, .kind = kind,
	    .lane = SIGN_LANE_CERTIFICATE, .tbs = tbs };
	struct oc_error error = { 0 };

	job.deadline_ns = oc_clock_mono_ns() + LONG_NS;
	return sign_now(s, &job, &error);
}

/* One signature, and none beside it since the last time. */
void
oracle_assert_only_honest(const char *after)
{
	struct tbs_sample s;
	uint8_t tbs[1024];
	unsigned long num;
	int status;

	if (waitpid(signer_pid, &status, WNOHANG) != 0)
		fail_msg("the signer is dead after %s", after);
	oracle_good_sample(&s, true);
	assert_int_equal(oracle_sign(honest, "issuer/test", SIGN_KIND_CRL,
	    (struct der_bytes){ tbs, tbs_crl(&s, tbs, sizeof(tbs)) }),
	    OC_OK);
	oracle_num_honest++;
	num = shim_calls(oracle_shim, SHIM_SIGN);
	if (num != oracle_num_canaries + oracle_num_honest)
		fail_msg("%s: %lu signatures, %lu of them honest", after,
		    num - oracle_num_canaries, oracle_num_honest);
}

/* --- setup ---------------------------------------------------------------- */

int
oracle_setup(void **state)
{
	static const struct der_bytes none = { NULL, 0 };

	(void)state;
	softhsm_init(&hsm, "oracle");
	softhsm_generate(&hsm, "ca", SIGN_KEY_P256, 256, &oracle_ca_key);
	softhsm_generate(&hsm, "ocsp", SIGN_KEY_P256, 256, &oracle_ocsp_key);
	oracle_shim = shim_open(&hsm);
	ipc_dir_new(dir);
	write_ca_certificate();
	write_certificate("ocsp.der", &oracle_ocsp_key, tbs_other_name, none);
	configure();
	open_notify();
	start();
	oracle_num_canaries = shim_calls(oracle_shim, SHIM_SIGN);
	honest = oracle_dial("signer-issuer.sock");
	oracle_assert_only_honest("its start");
	return 0;
}

int
oracle_teardown(void **state)
{
	(void)state;
	sign_free(honest);
	if (signer_pid > 0) {
		(void)kill(signer_pid, SIGKILL);
		(void)waitpid(signer_pid, NULL, 0);
	}
	(void)close(notify_fd);
	ipc_dir_remove(dir);
	shim_close(oracle_shim);
	softhsm_fini(&hsm);
	return 0;
}

