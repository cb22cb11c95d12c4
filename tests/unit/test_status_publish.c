/* SPDX-License-Identifier: Apache-2.0 */
/* What responders find: the certificate and the newest CRL, and no older
 * one. */
#include "tests/unit/status_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>

#include <openssl/pem.h>

#include "base/file.h"
#include "ocsp/served.h"
#include "status/publish.h"
#include "tests/unit/crl_fixture.h"

enum { CERTIFICATE, CRL };

/* A disk on which nothing can be put in place. */
static bool is_disk_full;
static int num_tries;

int
rename(const char *from, const char *to)
{
	if (is_disk_full) {
		num_tries++;
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

struct bed {
	struct world *w;
	struct oc_config_file files[2];
	struct status_publish *publish;
	struct status_files *crl_files;
	char *paths[2];
};

static void
reopen(struct bed *b)
{
	status_publish_free(b->publish);
	assert_int_equal(status_publish_new(&b->w->config, b->crl_files,
	    &b->publish, NULL), OC_OK);
}

static void
make(struct bed *b, struct world *w)
{
	b->w = w;
	b->publish = NULL;
	b->crl_files = NULL;
	b->files[CERTIFICATE] = (struct oc_config_file){ OC_FILE_CERTIFICATE,
	    &w->issuer, 0, NULL, "http://a/ca.cer", "/ca.cer", 7 };
	b->files[CRL] = (struct oc_config_file){ OC_FILE_CRL, &w->issuer,
	    0, NULL, "http://a/ca.crl", "/ca.crl", 7 };
	w->config.files = b->files;
	w->config.num_files = 2;
	for (int i = 0; i < 2; i++) {
		b->paths[i] = ocsp_served_path(
		    w->config.daemon.table_directory, &b->files[i]);
		assert_non_null(b->paths[i]);
	}
	reopen(b);
}

static void
unmake(struct bed *b)
{
	status_publish_free(b->publish);
	free(b->paths[0]);
	free(b->paths[1]);
	b->w->config.num_files = 0;
}

static void
look(struct bed *b, bool has_news)
{
	status_publish_look(b->publish, b->w->store, has_news);
}

/* A CRL of the world's CA, empty, into the store. */
static struct blob
issue_crl(struct world *w, int64_t this_update, int64_t next_update)
{
	struct crl_order order = { .now = oc_clock_now_s(), .number = 1 };
	struct blob der;
	uint64_t number;
	uint8_t *octets;
	int64_t id;

	order.begins_s = this_update - order.now;
	order.lasts_s = next_update - order.now;
	octets = fixture_crl(&order, w->ca, w->ca_key, &der.len);
	assert_in_range(der.len, 1, sizeof(der.bytes));
	memcpy(der.bytes, octets, der.len);
	OPENSSL_free(octets);
	assert_int_equal(store_reserve_crl(w->store, w->issuer_id,
	    this_update, next_update, &id, &number), OC_OK);
	assert_int_equal(store_issue_crl(w->store, id,
	    (struct store_blob){ der.bytes, der.len }), OC_OK);
	return der;
}

/* What a responder would send. */
static void
assert_served(struct bed *b, int file, const uint8_t *der, size_t len,
    int64_t modified_at, int64_t until)
{
	struct status_published told = status_publish_get(b->publish,
	    (size_t)file);
	struct ocsp_served served;
	uint8_t got[4096];

	assert_int_equal(ocsp_served_open(b->paths[file], &served, NULL),
	    OC_OK);
	assert_int_equal(served.len, len);
	assert_int_equal(pread(served.fd, got, len, served.at), len);
	assert_memory_equal(got, der, len);
	assert_true(served.facts.modified_at == modified_at);
	assert_true(served.facts.until == until);
	assert_true(told.len == len);
	assert_true(told.modified_at == modified_at);
	assert_true(told.until == until);
	ocsp_served_close(&served);
}

static bool
is_served(const struct bed *b, int file)
{
	return access(b->paths[file], F_OK) == 0;
}

static ino_t
inode(const struct bed *b, int file)
{
	struct stat st;

	assert_int_equal(stat(b->paths[file], &st), 0);
	return st.st_ino;
}

static void
test_crls(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct blob first, second;
	struct bed b;
	ino_t before;

	make(&b, w);
	look(&b, true);
	assert_false(is_served(&b, CRL));
	first = issue_crl(w, now - 100, now + 900);
	look(&b, true);
	assert_served(&b, CRL, first.bytes, first.len, now - 100, now + 900);
	/* Nothing new, also after a start: nothing is written. */
	before = inode(&b, CRL);
	look(&b, true);
	look(&b, false);
	reopen(&b);
	look(&b, true);
	assert_true(inode(&b, CRL) == before);
	second = issue_crl(w, now - 50, now + 950);
	look(&b, true);
	assert_served(&b, CRL, second.bytes, second.len, now - 50, now + 950);
	/* Lost, or not ours: made again, without news. */
	assert_int_equal(unlink(b.paths[CRL]), 0);
	look(&b, false);
	assert_served(&b, CRL, second.bytes, second.len, now - 50, now + 950);
	assert_int_equal(oc_file_write(b.paths[CRL], 0644, "x", 1, NULL),
	    OC_OK);
	look(&b, false);
	assert_served(&b, CRL, second.bytes, second.len, now - 50, now + 950);
	assert_int_equal(oc_file_write(b.paths[CRL], 0644, "x", 1, NULL),
	    OC_OK);
	reopen(&b);
	look(&b, true);
	assert_served(&b, CRL, second.bytes, second.len, now - 50, now + 950);
	unmake(&b);
}

/* The issuer of another store has none: that of the one before is gone. */
static void
test_other_store(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct bed b;

	make(&b, w);
	(void)issue_crl(w, now - 100, now + 900);
	look(&b, true);
	assert_true(is_served(&b, CRL));
	w->issuer.name[0] = 'x';
	look(&b, true);
	assert_false(is_served(&b, CRL));
	assert_true(status_publish_get(b.publish, CRL).len == 0);
	w->issuer.name[0] = 'c';
	unmake(&b);
}

/* A CRL in a file is served, whatever the store has; a bad one in its place
 * leaves the good one. */
static void
test_crl_file(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct blob carried, stored;
	char path[300];
	struct bed b;

	make(&b, w);
	carried = issue_crl(w, now - 100, now + 900);
	stored = issue_crl(w, now - 50, now + 950);
	look(&b, true);
	assert_served(&b, CRL, stored.bytes, stored.len, now - 50, now + 950);
	snprintf(path, sizeof(path), "%s/carried.crl", w->directory);
	w->issuer.crl_file = path;
	w->config.issuers = &w->issuer;
	w->config.num_issuers = 1;
	/* Not there yet: nothing else in its place. */
	assert_int_equal(status_files_new(&w->config, &b.crl_files, NULL),
	    OC_OK);
	reopen(&b);
	look(&b, true);
	assert_false(is_served(&b, CRL));
	assert_int_equal(oc_file_write(path, 0644, carried.bytes, carried.len,
	    NULL), OC_OK);
	assert_true(status_watch_look(status_crl_file_watched(
	    status_files_find_crl(b.crl_files, &w->issuer)), now,
	    oc_clock_mono_ns()));
	look(&b, false);
	assert_served(&b, CRL, carried.bytes, carried.len, now - 100,
	    now + 900);
	assert_int_equal(oc_file_write(path, 0644, "x", 1, NULL), OC_OK);
	assert_false(status_watch_look(status_crl_file_watched(
	    status_files_find_crl(b.crl_files, &w->issuer)), now,
	    oc_clock_mono_ns()));
	look(&b, true);
	assert_served(&b, CRL, carried.bytes, carried.len, now - 100,
	    now + 900);
	unmake(&b);
	status_files_free(b.crl_files);
	w->issuer.crl_file = NULL;
	w->config.issuers = NULL;
	w->config.num_issuers = 0;
}

static struct blob
der_of(X509 *cert)
{
	struct blob der;
	uint8_t *p = der.bytes;

	der.len = (size_t)i2d_X509(cert, &p);
	return der;
}

static void
write_pem(const char *path, X509 *cert)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	assert_int_equal(fclose(f), 0);
}

static int64_t
unix_of(const ASN1_TIME *time)
{
	struct tm tm;

	assert_int_equal(ASN1_TIME_to_tm(time, &tm), 1);
	return (int64_t)timegm(&tm);
}

/* From notBefore on, or of the second after the one before. */
static void
assert_cert_served(struct bed *b, X509 *cert)
{
	struct status_published told = status_publish_get(b->publish,
	    CERTIFICATE);
	struct blob der = der_of(cert);

	assert_true(told.modified_at >=
	    unix_of(X509_get0_notBefore(cert)));
	assert_served(b, CERTIFICATE, der.bytes, der.len, told.modified_at,
	    unix_of(X509_get0_notAfter(cert)));
}

/* DER of the PEM; another one when the file is another one, and the last
 * when it is none, which is said once. */
static void
test_certificates(void **state)
{
	struct world *w = *state;
	X509 *other = fixture_cert("Other", w->ca_key, FIXTURE_CA, NULL,
	    NULL);
	struct bed b;

	make(&b, w);
	look(&b, false);
	assert_cert_served(&b, w->ca);
	write_pem(w->issuer.certificate, other);
	look(&b, false);
	assert_cert_served(&b, other);
	assert_int_equal(oc_file_write(w->issuer.certificate, 0644, "none", 4,
	    NULL), OC_OK);
	look(&b, false);
	look(&b, false);
	assert_cert_served(&b, other);
	assert_int_equal(world_num_lines(w, "issuer ca: certificate is not "
	    "served anew: "), 1);
	assert_int_equal(unlink(w->issuer.certificate), 0);
	look(&b, false);
	assert_cert_served(&b, other);
	write_pem(w->issuer.certificate, w->ca);
	look(&b, false);
	assert_cert_served(&b, w->ca);
	X509_free(other);
	unmake(&b);
}

/* Of the same second, or older: Last-Modified is later all the same, and what
 * is lost and made again is no other. */
static void
test_no_later(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s();
	struct blob second, third;
	struct bed b;

	make(&b, w);
	(void)issue_crl(w, now - 100, now + 900);
	look(&b, true);
	second = issue_crl(w, now - 100, now + 950);
	look(&b, true);
	assert_served(&b, CRL, second.bytes, second.len, now - 99, now + 950);
	assert_int_equal(unlink(b.paths[CRL]), 0);
	look(&b, false);
	assert_served(&b, CRL, second.bytes, second.len, now - 99, now + 950);
	reopen(&b);
	third = issue_crl(w, now - 200, now + 990);
	look(&b, true);
	assert_served(&b, CRL, third.bytes, third.len, now - 98, now + 990);
	unmake(&b);
}

/* It is tried again, ever later, and said once; and goes on by itself. */
static void
test_full_disk(void **state)
{
	struct world *w = *state;
	int64_t now = oc_clock_now_s(), begun_ns;
	struct blob first, second;
	struct bed b;

	make(&b, w);
	first = issue_crl(w, now - 100, now + 900);
	look(&b, true);
	second = issue_crl(w, now - 50, now + 950);
	is_disk_full = true;
	begun_ns = oc_clock_mono_ns();
	num_tries = 0;
	while (num_tries < 3) {
		look(&b, num_tries == 0);
		(void)poll(NULL, 0, 10);
	}
	/* At once, after one second, and after two more. */
	assert_true(oc_clock_mono_ns() - begun_ns >= 3 * OC_NS_PER_S);
	assert_served(&b, CRL, first.bytes, first.len, now - 100, now + 900);
	assert_int_equal(world_num_lines(w, "issuer ca: crl is not served "
	    "anew: "), 1);
	is_disk_full = false;
	begun_ns = oc_clock_mono_ns();
	while (status_publish_get(b.publish, CRL).modified_at != now - 50) {
		assert_true(oc_clock_mono_ns() - begun_ns < 30 * OC_NS_PER_S);
		look(&b, false);
		(void)poll(NULL, 0, 10);
	}
	assert_served(&b, CRL, second.bytes, second.len, now - 50, now + 950);
	unmake(&b);
}

#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, \
    world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_crls),
		T(test_other_store),
		T(test_crl_file),
		T(test_certificates),
		T(test_no_later),
		T(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
