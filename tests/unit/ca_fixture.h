/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of ca/ share: a CA with a key in memory, a certificate in a
 * file and a store in a directory of its own; requests made by OpenSSL; and a
 * signer that fails on demand.
 */
#ifndef TESTS_UNIT_CA_FIXTURE_H
#define TESTS_UNIT_CA_FIXTURE_H

#include "x509_test.h"

#include "ca/issue.h"
#include "ca/issuer.h"
#include "ca/profile.h"
#include "sign/soft.h"
#include "store/store.h"

#define CA_FIXTURE_DAY_S (INT64_C(24) * 3600)

/* Where the signer gives up; FAIL_NEVER asks the one behind it. */
enum fail_at { FAIL_NEVER, FAIL_FIND, FAIL_SUBMIT, FAIL_DONE };

/* In front of another signer. */
struct faulty_signer {
	struct signer signer;		/* first */
	struct signer *behind;
	enum fail_at fail_at;
	enum oc_err err;
	/* Runs once before a job is handed on. */
	void (*before)(void *arg);
	void *arg;
	struct sign_job *taken;		/* and not handed on */
};
void faulty_signer_init(struct faulty_signer *f, struct signer *behind);

struct ca_fixture {
	char directory[256];
	char path[300];			/* of the store */
	char certificate[300];		/* the CA's, in PEM */
	struct store *store;
	struct signer *signer;		/* soft: "issuer/ca", "issuer/other" */
	struct oc_config_issuer section, other;
	struct oc_config config;	/* of no sections but those added */
	struct ca_issuer *issuer;
};

/* A root of ten years, five of them over, in the store and in its file. */
int ca_setup(void **state);
int ca_teardown(void **state);

int64_t ca_deadline(void);
/* Fails the test if there is no such profile. */
void ca_get_profile(const struct ca_fixture *f, const char *name,
    struct ca_profile *profile);
/* What its certificate says, to be changed, and into its file. */
struct x509_tbs ca_tbs(const struct ca_fixture *f);
void ca_write_certificate(const struct ca_fixture *f,
    const struct x509_tbs *tbs);
/* The same CA with a certificate of other properties, not in the store; free
 * it with ca_issuer_free(). */
struct ca_issuer *ca_reissue(const struct ca_fixture *f,
    void (*change)(struct x509_tbs *tbs));

/*
 * A CSR by OpenSSL, read and verified, that lives until test_free_all().
 * Extensions are pairs of name and value as in openssl.cnf, NULL at the end.
 */
const struct x509_csr *ca_csr(const char *key, const char *subject, ...)
    __attribute__((sentinel));
/* The same with one extension, asked for under Microsoft's OID. */
const struct x509_csr *ca_csr_microsoft(const char *key, const char *subject,
    const char *name, const char *value);

/* One of "server", from then on and for as long (0: as that says); and its
 * status.  Either fails the test. */
struct oc_serial ca_issue_one(struct ca_fixture *f, int64_t not_before,
    int64_t validity_s);
void ca_put_status(struct ca_fixture *f, const struct oc_serial *serial,
    enum crl_reason reason);

/* Issues under the profile; the caller has the certificate to fini. */
enum oc_err ca_try(struct ca_fixture *f, const char *profile,
    const struct x509_csr *csr, struct ca_certificate *certificate,
    struct oc_error *error);
/* The same as an X509, which must verify under the CA's key.  X509_free(). */
X509 *ca_must_issue(struct ca_fixture *f, const char *profile,
    const struct x509_csr *csr);
/* Fails the test unless it is refused and the error has these words; nothing
 * may have been reserved. */
void ca_must_refuse(struct ca_fixture *f, const char *profile,
    const struct x509_csr *csr, const char *words);

/* "X509v3 Basic Constraints!: CA:FALSE" for each, '!' for critical, in the
 * order of the certificate, one a line.  For free(). */
char *ca_print_extensions(const X509 *cert);
/* How many rows are in this state; 0: in any. */
uint32_t ca_count(struct ca_fixture *f, enum store_state state);

#endif
