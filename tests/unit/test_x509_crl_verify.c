/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose a CRL is: every CRL of PKITS, and of the vectors' own, against every
 * certificate that bears its issuer's name, and ten that do not.  Ours takes
 * it if OpenSSL's reading of both says that it should.  RFC5280:6.3.3
 */
#include "x509_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/pem.h>

#define VECTORS "/usr/lib/python3/dist-packages/cryptography_vectors/x509"
#define MAX 512
#define OTHERS_MAX 10

struct item {
	char name[300];
	X509 *x;
	struct x509_cert cert;
	X509_CRL *list;
	struct x509_crl crl;
};

static void
add(struct item *items, size_t *num, const char *path)
{
	struct item *item = &items[*num];
	BIO *bio = BIO_new_file(path, "rb");
	bool is_taken = false;

	assert_true(*num < MAX && bio != NULL);
	(void)snprintf(item->name, sizeof(item->name), "%s",
	    strrchr(path, '/') + 1);
	if (strstr(path, ".pem") != NULL && strstr(path, "crl") != NULL)
		item->list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
	else if (strstr(path, "crl") != NULL)
		item->list = d2i_X509_CRL_bio(bio, NULL);
	else
		item->x = d2i_X509_bio(bio, NULL);
	BIO_free(bio);
	if (item->x != NULL)
		is_taken = x509_cert_read(test_i2d_x509(item->x),
		    &item->cert, NULL) == OC_OK;
	if (item->list != NULL)
		is_taken = x509_crl_read(test_i2d_crl(item->list),
		    &item->crl, NULL) == OC_OK;
	if (is_taken) {
		++*num;
		return;
	}
	X509_free(item->x);
	X509_CRL_free(item->list);
	memset(item, 0, sizeof(*item));
}

static void
add_all(struct item *items, size_t *num, const char *directory,
    const char *with)
{
	char path[4096];
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", VECTORS, directory);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, with) == NULL)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s/%s", VECTORS,
		    directory, entry->d_name);
		add(items, num, path);
	}
	(void)closedir(dir);
}

/* A critical extension that is none of those that are looked into. */
static bool
has_unknown_critical(X509_CRL *list)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(list);
	X509_EXTENSION *e;
	int i, j, nid;

	for (i = 0; i < X509_CRL_get_ext_count(list); i++) {
		e = X509_CRL_get_ext(list, i);
		nid = OBJ_obj2nid(X509_EXTENSION_get_object(e));
		if (X509_EXTENSION_get_critical(e) && nid != NID_crl_number &&
		    nid != NID_delta_crl &&
		    nid != NID_authority_key_identifier &&
		    nid != NID_issuing_distribution_point)
			return true;
	}
	for (i = 0; i < sk_X509_REVOKED_num(revoked); i++) {
		X509_REVOKED *r = sk_X509_REVOKED_value(revoked, i);

		for (j = 0; j < X509_REVOKED_get_ext_count(r); j++) {
			e = X509_REVOKED_get_ext(r, j);
			nid = OBJ_obj2nid(X509_EXTENSION_get_object(e));
			if (X509_EXTENSION_get_critical(e) &&
			    nid != NID_crl_reason && nid != NID_invalidity_date)
				return true;
		}
	}
	return false;
}

static bool
is_whole(X509_CRL *list)
{
	ISSUING_DIST_POINT *idp = X509_CRL_get_ext_d2i(list,
	    NID_issuing_distribution_point, NULL, NULL);
	bool is = X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) < 0 &&
	    !has_unknown_critical(list);

	if (idp != NULL && (idp->indirectCRL > 0 || idp->onlyattr > 0 ||
	    idp->onlysomereasons != NULL ||
	    (idp->onlyuser > 0 && idp->onlyCA > 0)))
		is = false;
	ISSUING_DIST_POINT_free(idp);
	return is;
}

static bool
is_issuer(const struct item *list, const struct item *ca)
{
	AUTHORITY_KEYID *aki = X509_CRL_get_ext_d2i(list->list,
	    NID_authority_key_identifier, NULL, NULL);
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(ca->x);
	uint32_t usage = X509_get_key_usage(ca->x);
	bool is = X509_NAME_cmp(X509_CRL_get_issuer(list->list),
	    X509_get_subject_name(ca->x)) == 0 &&
	    (usage & KU_CRL_SIGN) != 0;

	if (aki != NULL && aki->keyid != NULL && ski != NULL &&
	    ASN1_OCTET_STRING_cmp(aki->keyid, ski) != 0)
		is = false;
	AUTHORITY_KEYID_free(aki);
	return is;
}

static bool
is_name_equal(const struct item *list, const struct item *ca)
{
	return X509_NAME_cmp(X509_CRL_get_issuer(list->list),
	    X509_get_subject_name(ca->x)) == 0;
}

static void
test_pairs(void **state)
{
	struct item *lists = test_alloc(MAX * sizeof(*lists));
	struct item *cas = test_alloc(MAX * sizeof(*cas));
	size_t num_lists = 0, num_cas = 0, num_taken = 0, num_refused = 0;

	(void)state;
	memset(lists, 0, MAX * sizeof(*lists));
	memset(cas, 0, MAX * sizeof(*cas));
	add_all(lists, &num_lists, "PKITS_data/crls", ".crl");
	add_all(lists, &num_lists, "custom", "crl_");
	add_all(cas, &num_cas, "PKITS_data/certs", ".crt");
	for (size_t i = 0; i < num_lists; i++) {
		size_t num_others = 0;

		for (size_t j = 0; j < num_cas; j++) {
			bool should, is;
			struct oc_error error = { 0 };

			if (!is_name_equal(&lists[i], &cas[j]) &&
			    num_others++ >= OTHERS_MAX)
				continue;
			should = lists[i].crl.alg != SIGN_ALG_NONE &&
			    is_issuer(&lists[i], &cas[j]) &&
			    is_whole(lists[i].list) &&
			    X509_CRL_verify(lists[i].list,
			    X509_get0_pubkey(cas[j].x)) == 1;
			is = x509_crl_verify(&lists[i].crl, &cas[j].cert,
			    &error) == OC_OK;
			if (is != should)
				fail_msg("%s by %s: %s", lists[i].name,
				    cas[j].name, is ? "taken" : error.text);
			num_taken += is;
			num_refused += !is;
		}
	}
	print_message("%zu CRLs, %zu certificates: %zu pairs taken, %zu not\n",
	    num_lists, num_cas, num_taken, num_refused);
	assert_true(num_taken > 100 && num_refused > 100);
	for (size_t i = 0; i < num_lists; i++)
		X509_CRL_free(lists[i].list);
	for (size_t i = 0; i < num_cas; i++)
		X509_free(cas[i].x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
	};
	struct stat st;

	if (stat(VECTORS, &st) != 0) {
		fprintf(stderr, "python3-cryptography-vectors is not "
		    "installed\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, test_free_all);
}
