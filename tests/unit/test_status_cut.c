/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each file that says what is so, cut off at each of its octets, for good:
 * what was there before it stays in force, and the log has the issuer, the
 * key, the path and the reason.
 */
#include "tests/unit/crl_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sqlite3.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "status/records.h"

#define END "361124145936Z"
#define INDEX "V\t" END "\t\t01\tunknown\t/CN=a\n" \
    "R\t" END "\t251124145936Z,keyCompromise\t02\tunknown\t/CN=b\n" \
    "V\t" END "\t\t0A0B\tunknown\t/CN=c\n"
#define FILE_MAX 65536
#define KEY_ID "key"

struct cut {
	struct crl_world *w;
	struct status_watch *watch;	/* of either */
	struct status_records *records;
	const char *key;
	char log[112];
	int stderr_fd;
	bool is_der;			/* what is cut */
};
static struct cut cut;

static int
begin(void **state)
{
	FILE *f;

	assert_int_equal(setup(state), 0);
	cut = (struct cut){ .w = *state };
	(void)snprintf(cut.log, sizeof(cut.log), "%s/log", cut.w->directory);
	f = fopen(cut.log, "w");
	assert_non_null(f);
	(void)fflush(stderr);
	cut.stderr_fd = dup(STDERR_FILENO);
	assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
	(void)fclose(f);
	return 0;
}

static int
end(void **state)
{
	(void)fflush(stderr);
	(void)dup2(cut.stderr_fd, STDERR_FILENO);
	(void)close(cut.stderr_fd);
	status_records_free(cut.records);
	return teardown(state);
}

static void
open_crl(const char *key)
{
	start(cut.w);
	cut.watch = status_crl_file_watched(cut.w->file);
	cut.key = key;
}

static void
open_records(enum oc_config_source source, const char *key)
{
	struct crl_world *w = cut.w;
	const struct status_records_plan plan = {
		.issuer = "web", .source = source, .path = w->path,
		.certificate = w->certificate, .copy = w->copy,
		.max_age_s = 3600,
	};
	struct oc_error error = { 0 };

	if (status_records_new(&plan, &cut.records, &error) != OC_OK)
		fail_msg("%s", error.text);
	cut.watch = status_records_watched(cut.records);
	cut.key = key;
	w->mono_ns = oc_clock_mono_ns();
}

/* Once when it has changed, and once when it has settled. */
static bool
look_twice(void)
{
	bool has_news = false;

	for (int i = 0; i < 2; i++) {
		cut.w->mono_ns += 4 * S;
		has_news |= status_watch_look(cut.watch, oc_clock_now_s(),
		    cut.w->mono_ns);
	}
	return has_news;
}

static struct status_watch_report
watched(void)
{
	struct status_watch_report r;

	status_watch_report(cut.watch, &r);
	return r;
}

/* Every line is an error about the source, and names the file. */
static void
check_log(const char *path)
{
	char line[2048], wanted[400];
	FILE *f = fopen(cut.log, "r");
	int num = 0;

	(void)snprintf(wanted, sizeof(wanted), "error: issuer web: %s %s is "
	    "refused: ", cut.key, cut.w->path);
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		const char *at = strstr(line, wanted);

		if (at == NULL || strlen(at) < strlen(wanted) + 10 ||
		    strstr(at, path) == NULL ||
		    strstr(at, "; the last good one stays in force until ") ==
		    NULL)
			fail_msg("%s", line);
		num++;
	}
	(void)fclose(f);
	assert_true(num > 0);
}

/* Behind the header of DER the reason says where. */
static void
check_place(const char *why, size_t n, size_t len)
{
	char wanted[80];

	(void)snprintf(wanted, sizeof(wanted),
	    "cut off after octet %zu of %zu", n, len);
	if (cut.is_der && n >= 4 && strstr(why, wanted) == NULL)
		fail_msg("%zu octets: \"%s\"", n, why);
}

/* part: what may be in the reason; num_same: of that many lengths the rest is
 * padding, without which the file says the same. */
static void
cut_everywhere(const char *path, const char *part, size_t num_same)
{
	struct status_watch_report before = watched();
	size_t len, num = 0;
	uint8_t *whole;

	assert_int_equal(oc_file_read(path, FILE_MAX, &whole, &len, NULL),
	    OC_OK);
	assert_true(before.has_list && before.refused_since == 0);
	for (size_t n = 0; n < len; n++) {
		struct status_watch_report r;

		fixture_write(path, whole, n);
		if (look_twice())
			fail_msg("%zu of %zu octets are taken", n, len);
		r = watched();
		assert_int_equal(r.num_entries, before.num_entries);
		assert_int_equal(r.num_revoked, before.num_revoked);
		num += r.refused_since == 0;
		if (r.refused_since != 0 && (r.why[0] == '\0' ||
		    (n > 0 && strstr(r.why, part) == NULL)))
			fail_msg("%zu octets: \"%s\"", n, r.why);
		if (r.refused_since != 0)
			check_place(r.why, n, len);
	}
	assert_true(num <= num_same);
	check_log(path);
	fixture_write(path, whole, len);
	(void)look_twice();
	assert_int_equal(watched().refused_since, 0);
	free(whole);
}

/* --- CRLs -------------------------------------------------------------- */

static void
write_pem(const char *path, const struct crl_order *order)
{
	size_t len;
	uint8_t *der = fixture_crl(order, cut.w->ca, cut.w->key, &len);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(PEM_write(f, PEM_STRING_X509_CRL, "", der, (long)len) >
	    0);
	(void)fclose(f);
	OPENSSL_free(der);
}

static void
test_crl(void **state)
{
	(void)state;
	put(cut.w, &(struct crl_order){ .number = 7, .items = two });
	open_crl("crl-file");
	cut.is_der = true;
	cut_everywhere(cut.w->path, "", 0);
}

/* Without the end of its last line it is still whole. */
static void
test_pem(void **state)
{
	(void)state;
	write_pem(cut.w->path, &(struct crl_order){ .number = 7,
	    .items = two });
	open_crl("crl-file");
	cut_everywhere(cut.w->path, "", 1);
}

static void
test_delta(void **state)
{
	const struct crl_order order = { .number = 9, .base = 7,
	    .is_delta = true, .begins_s = -30, .items = two };
	char path[112];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/delta", cut.w->directory);
	cut.w->plan.delta = path;
	put(cut.w, &(struct crl_order){ .number = 7, .items = two });
	write_pem(path, &order);
	open_crl("crl-file");
	/* The log has the key of both, and the reason which of them it is. */
	cut_everywhere(path, "delta CRL", 1);
}

/* --- all certificates -------------------------------------------------- */

static void
test_index(void **state)
{
	(void)state;
	fixture_write(cut.w->path, INDEX, strlen(INDEX));
	open_records(OC_SOURCE_INDEX, "index-file");
	cut_everywhere(cut.w->path, "", 0);
}

/* By which a certdb's rows are told from others'. */
static void
give_key_id(void)
{
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();

	assert_int_equal(ASN1_OCTET_STRING_set(id, (const unsigned char *)
	    KEY_ID, strlen(KEY_ID)), 1);
	assert_int_equal(X509_add1_ext_i2d(cut.w->ca,
	    NID_subject_key_identifier, id, 0, X509V3_ADD_REPLACE), 1);
	ASN1_OCTET_STRING_free(id);
	assert_true(X509_sign(cut.w->ca, cut.w->key, EVP_sha256()) > 0);
	write_certificate(cut.w, cut.w->ca);
}

/* In pages that are as small as SQLite has them. */
static void
make_certdb(void)
{
	char sql[1200], key_id[OC_HEX_LEN(sizeof(KEY_ID)) + 1];
	sqlite3 *db;

	oc_hex_encode((const uint8_t *)KEY_ID, strlen(KEY_ID), key_id);
	(void)snprintf(sql, sizeof(sql), "PRAGMA page_size = 512;"
	    "CREATE TABLE certificates (serial_number blob, "
	    "authority_key_identifier blob, status blob, reason int, "
	    "expiry timestamp, revoked_at timestamp, pem blob);"
	    "INSERT INTO certificates SELECT n, '%s', iif(n = 2, 'revoked', "
	    "'good'), 1, '2036-11-24 14:59:36', '2025-11-24 14:59:36', '' "
	    "FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 2571 "
	    "UNION SELECT 2572 UNION SELECT 2573)", key_id);
	assert_int_equal(sqlite3_open(cut.w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_certdb(void **state)
{
	(void)state;
	give_key_id();
	make_certdb();
	open_records(OC_SOURCE_CERTDB, "certdb-file");
	cut_everywhere(cut.w->path, "SQLite: ", 0);
}

/* --- what was issued ---------------------------------------------------- */

/* At the end of a line there is no telling; half a line is none, and nothing
 * at all is no shorter list. */
static void
test_issued(void **state)
{
	static const char text[] = "01\n02-05\n0A0B\n";
	char path[112];
	struct status_issued_file file = { .path = path };
	struct status_issued *issued;
	int64_t mono_ns = S;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/issued", cut.w->directory);
	fixture_write(path, text, strlen(text));
	issued = status_issued_file_look(&file, "web", mono_ns);
	assert_non_null(issued);
	status_issued_release(issued);
	for (size_t n = strlen(text) - 1; n + 1 > 0; n--) {
		bool is_whole_line = n > 0 && text[n - 1] == '\n';

		fixture_write(path, text, n);
		mono_ns += 10 * S;
		assert_null(status_issued_file_look(&file, "web", mono_ns));
		mono_ns += 10 * S;
		issued = status_issued_file_look(&file, "web", mono_ns);
		if ((issued != NULL) != is_whole_line)
			fail_msg("%zu octets", n);
		assert_true(file.has_failed != is_whole_line);
		status_issued_release(issued);
	}
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(crl), TEST(pem), TEST(delta), TEST(index), TEST(certdb),
		TEST(issued),
	};

	oc_log_init("test", OC_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
