/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/crl_world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct crl_item two[] = {
	{ "1001", CRL_REASON_KEY_COMPROMISE, 0 },
	{ "1002", CRL_REASON_CERTIFICATE_HOLD, 0 },
	{ NULL, 0, 0 }
};

void
write_certificate(const struct crl_world *w, X509 *cert)
{
	struct blob der = fixture_cert_der(cert);

	fixture_write(w->certificate, der.bytes, der.len);
}

int
setup(void **state)
{
	struct crl_world *w = calloc(1, sizeof(*w));
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(w->directory, sizeof(w->directory), "%s/crl.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(w->directory));
	(void)snprintf(w->path, sizeof(w->path), "%s/ca.crl", w->directory);
	(void)snprintf(w->certificate, sizeof(w->certificate), "%s/ca.cer",
	    w->directory);
	(void)snprintf(w->copy, sizeof(w->copy), "%s/copy", w->directory);
	w->key = fixture_key("P-256");
	w->other_key = fixture_key("P-256");
	w->ca = fixture_cert("CA", w->key, FIXTURE_CA, NULL, NULL);
	w->delegate = fixture_cert("CA", w->key, FIXTURE_DELEGATE, w->ca,
	    w->key);
	write_certificate(w, w->ca);
	w->plan = (struct status_crl_plan){ "web", w->path, w->certificate,
	    w->copy, NULL, STATUS_CRL_ANY, 0 };
	w->mono_ns = oc_clock_mono_ns();
	*state = w;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

int
teardown(void **state)
{
	struct crl_world *w = *state;

	status_crl_file_free(w->file);
	X509_free(w->ca);
	X509_free(w->delegate);
	EVP_PKEY_free(w->key);
	EVP_PKEY_free(w->other_key);
	assert_int_equal(nftw(w->directory, remove_one, 8, FTW_DEPTH |
	    FTW_PHYS), 0);
	free(w);
	return 0;
}

void
put(struct crl_world *w, const struct crl_order *order)
{
	size_t len;
	uint8_t *der = fixture_crl(order, w->ca, w->key, &len);

	fixture_write(w->path, der, len);
	OPENSSL_free(der);
}

void
start(struct crl_world *w)
{
	struct oc_error error = { 0 };

	status_crl_file_free(w->file);
	w->file = NULL;
	if (status_crl_file_new(&w->plan, &w->file, &error) != OC_OK)
		fail_msg("%s", error.text);
	w->mono_ns = oc_clock_mono_ns();
}

bool
look(struct crl_world *w)
{
	w->mono_ns += S;
	return status_watch_look(status_crl_file_watched(w->file),
	    oc_clock_now_s() + w->ahead_s, w->mono_ns);
}

struct status_crl_report
report(struct crl_world *w)
{
	struct status_crl_report r;

	status_crl_file_report(w->file, &r);
	return r;
}

/* Five looks: whatever is wrong with it has settled then. */
void
expect_refused(struct crl_world *w, const char *why, const char *number)
{
	struct status_crl_report r;
	int i;

	for (i = 0; i < 5; i++)
		if (look(w))
			fail_msg("taken, though %s", why);
	r = report(w);
	if (r.of.refused_since == 0 || strstr(r.of.why, why) == NULL)
		fail_msg("\"%s\", not \"%s\"", r.of.why, why);
	if (number == NULL) {
		assert_false(r.of.has_list);
		assert_null(status_crl_file_hold(w->file));
		return;
	}
	assert_true(r.of.has_list);
	assert_string_equal(r.number, number);
}

void
expect_well(struct crl_world *w, const char *number)
{
	struct status_crl_report r = report(w);

	if (r.of.refused_since != 0)
		fail_msg("refused: %s", r.of.why);
	assert_string_equal(r.number, number);
}

void
put_by(struct crl_world *w, const char *name, EVP_PKEY *key)
{
	X509 *ca = fixture_cert(name, key, FIXTURE_CA, NULL, NULL);
	size_t len;
	uint8_t *der = fixture_crl(&(struct crl_order){ .number = 9,
	    .items = two }, ca, key, &len);

	fixture_write(w->path, der, len);
	OPENSSL_free(der);
	X509_free(ca);
}
