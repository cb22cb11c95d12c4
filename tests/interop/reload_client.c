/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks a responder about three certificates while what it reads changes, and
 * holds each answer against what was ever said (reloads.sh):
 *
 *	reload_client PORT ISSUER.pem BASE THIS STOP
 *
 * Version v of the source has 1000 and 4000 revoked at BASE + v for a reason
 * that goes with v, and 3000 on hold at BASE + v where v is odd, good where it
 * is even; its thisUpdate is THIS + v, unless THIS is 0.  Whatever is answered
 * is signed, is all of one version, also where it is about two of them, and
 * of none before one that was seen.  Until the file STOP is there; then it
 * prints how many answers there were, and the last version.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ocsp.h>
#include <openssl/pem.h>

#include "tests/bench/client.h"

#define NUM_KINDS 8
/* What is signed for one question only has a budget. */
#define PAIR_PAUSE_NS INT64_C(50000000)
#define SINGLE_PAUSE_NS INT64_C(1000000)
#define ANY (-1)

const char client_program[] = "reload_client";
static const char *const serials[] = { "1000", "3000", "4000" };
enum { FIRST, ON_HOLD, LAST, NOBODY };
/* What each question is about, one or two. */
static const int kinds[NUM_KINDS][2] = {
	{ FIRST, NOBODY }, { LAST, NOBODY }, { ON_HOLD, NOBODY },
	{ FIRST, LAST }, { LAST, NOBODY }, { FIRST, NOBODY },
	{ ON_HOLD, NOBODY }, { FIRST, ON_HOLD }
};
static const int reasons[] = { OCSP_REVOKED_STATUS_SUPERSEDED,
    OCSP_REVOKED_STATUS_KEYCOMPROMISE,
    OCSP_REVOKED_STATUS_AFFILIATIONCHANGED };

static struct {
	struct client http;
	X509_STORE *store;
	OCSP_CERTID *ids[3];
	int64_t base, this_base, last;
	unsigned long num_answers, num_pairs, num_later;
} c;

static void
wrong(const char *what, int64_t is, int64_t other)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "%s: %lld, %lld; the last version "
	    "was %lld", what, (long long)is, (long long)other,
	    (long long)c.last);
	client_give_up(text);
}

static void
must(int is_so, const char *what)
{
	if (!is_so)
		client_give_up(what);
}

/* --- what is asked ------------------------------------------------------ */

static void
make_ids(const char *path)
{
	FILE *f = fopen(path, "r");
	X509 *issuer = f == NULL ? NULL : PEM_read_X509(f, NULL, NULL, NULL);

	must(issuer != NULL, path);
	(void)fclose(f);
	c.store = X509_STORE_new();
	must(c.store != NULL && X509_STORE_add_cert(c.store, issuer) == 1,
	    "no trust");
	for (int i = 0; i < 3; i++) {
		ASN1_INTEGER *serial = ASN1_INTEGER_new();
		BIGNUM *n = NULL;

		must(BN_hex2bn(&n, serials[i]) != 0 &&
		    BN_to_ASN1_INTEGER(n, serial) != NULL, "no serial");
		c.ids[i] = OCSP_cert_id_new(EVP_sha1(),
		    X509_get_subject_name(issuer),
		    X509_get0_pubkey_bitstr(issuer), serial);
		must(c.ids[i] != NULL, "no CertID");
		BN_free(n);
		ASN1_INTEGER_free(serial);
	}
	X509_free(issuer);
}

static OCSP_RESPONSE *
ask(const int about[2])
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	unsigned char *der = NULL;
	char text[1024];
	const unsigned char *p;
	const char *body;
	OCSP_RESPONSE *response;
	size_t len;
	int der_len, head_len;

	for (int i = 0; i < 2 && about[i] != NOBODY; i++)
		must(OCSP_request_add0_id(request, OCSP_CERTID_dup(
		    c.ids[about[i]])) != NULL, "no request");
	der_len = i2d_OCSP_REQUEST(request, &der);
	must(der_len > 0 && der_len < 512, "no request");
	head_len = snprintf(text, sizeof(text), "POST / HTTP/1.1\r\n"
	    "Host: reload\r\nContent-Type: application/ocsp-request\r\n"
	    "Content-Length: %d\r\n\r\n", der_len);
	memcpy(text + head_len, der, (size_t)der_len);
	client_send(&c.http, text, (size_t)head_len + (size_t)der_len);
	OPENSSL_free(der);
	OCSP_REQUEST_free(request);
	while ((body = client_read(&c.http, &len)) == NULL)
		;
	p = (const unsigned char *)body;
	response = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
	must(response != NULL && p == (const unsigned char *)body + len,
	    "torn: it is no OCSPResponse");
	return response;
}

/* --- what is answered --------------------------------------------------- */

static int64_t
seconds(const ASN1_GENERALIZEDTIME *at)
{
	struct tm tm;

	must(at != NULL && ASN1_TIME_to_tm(at, &tm) == 1, "no time");
	return timegm(&tm);
}

/* The version that it is of; ANY: all that are even. */
static int64_t
version_of(OCSP_SINGLERESP *single, int about)
{
	ASN1_GENERALIZEDTIME *at = NULL, *this_update = NULL, *next = NULL;
	int reason = -1, wanted;
	int status = OCSP_single_get0_status(single, &reason, &at,
	    &this_update, &next);
	int64_t from = seconds(this_update), version;

	if (status == V_OCSP_CERTSTATUS_GOOD && about == ON_HOLD) {
		if (c.this_base == 0)
			return ANY;
		version = from - c.this_base;
		if (version % 2 != 0)
			wrong("mixed: good, by the date of one on hold",
			    version, 0);
		return version;
	}
	must(status == V_OCSP_CERTSTATUS_REVOKED, "it is not revoked");
	version = seconds(at) - c.base;
	wanted = about != ON_HOLD ? reasons[version % 3] :
	    OCSP_REVOKED_STATUS_CERTIFICATEHOLD;
	if (reason != wanted || (about == ON_HOLD && version % 2 == 0))
		wrong("mixed: reason and version", reason, version);
	if (c.this_base != 0 && from - c.this_base != version)
		wrong("mixed: thisUpdate and version", from - c.this_base,
		    version);
	return version;
}

static void
check(OCSP_RESPONSE *response, const int about[2])
{
	OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
	int64_t version, all = ANY;
	int i, at;

	must(basic != NULL && OCSP_basic_verify(basic, NULL, c.store, 0) == 1,
	    "torn: the signature does not verify");
	for (i = 0; i < 2 && about[i] != NOBODY; i++) {
		at = OCSP_resp_find(basic, c.ids[about[i]], -1);
		must(at >= 0, "it is about another certificate");
		version = version_of(OCSP_resp_get0(basic, at), about[i]);
		if (version == ANY && all % 2 != 0 && all != ANY)
			wrong("mixed: good, and the other one's", version, all);
		if (version == ANY)
			continue;
		if (all != ANY && version != all)
			wrong("mixed: two versions", all, version);
		if (version < c.last)
			wrong("stale: one that was over", version, about[i]);
		all = version;
	}
	must(OCSP_resp_count(basic) == i, "it is about more");
	if (all > c.last)
		c.last = all;
	c.num_answers++;
	c.num_pairs += i == 2;
	OCSP_BASICRESP_free(basic);
}

static void
one(unsigned long n)
{
	const int *about = kinds[n % NUM_KINDS];
	bool is_pair = about[1] != NOBODY;
	const struct timespec pause = { 0, is_pair ? PAIR_PAUSE_NS :
	    SINGLE_PAUSE_NS };
	OCSP_RESPONSE *response = ask(about);
	int status = OCSP_response_status(response);

	/* What was signed for this question alone may be over when it comes
	 * back. */
	if (status == OCSP_RESPONSE_STATUS_TRYLATER && is_pair)
		c.num_later++;
	else if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		wrong("no answer", status, about[0]);
	else
		check(response, about);
	OCSP_RESPONSE_free(response);
	(void)nanosleep(&pause, NULL);
}

int
main(int argc, char **argv)
{
	const struct timeval patience = { 20, 0 };
	unsigned long n = 0;

	must(argc == 6, "PORT ISSUER.pem BASE THIS STOP");
	make_ids(argv[2]);
	c.base = strtoll(argv[3], NULL, 10);
	c.this_base = strtoll(argv[4], NULL, 10);
	client_dial(&c.http, (uint16_t)strtoul(argv[1], NULL, 10));
	must(setsockopt(c.http.fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience)) == 0, "setsockopt");
	while (access(argv[5], F_OK) != 0)
		one(n++);
	(void)printf("%lu answers, %lu of two, %lu later, version %lld\n",
	    c.num_answers, c.num_pairs, c.num_later, (long long)c.last);
	for (int i = 0; i < 3; i++)
		OCSP_CERTID_free(c.ids[i]);
	X509_STORE_free(c.store);
	(void)close(c.http.fd);
	return 0;
}
