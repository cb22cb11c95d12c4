/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csr.json: what "cfssl genkey" and its relatives make a key, a request or a
 * certificate of.
 *
 *	{ "CN": "www.example.com", "hosts": ["www.example.com", "192.0.2.1"],
 *	  "key": { "algo": "rsa", "size": 2048 },
 *	  "names": [{ "C": "US", "ST": "...", "L": "...", "O": "...",
 *	      "OU": "...", "E": "...", "SerialNumber": "...",
 *	      "OID": { "1.2.3.4": "..." } }],
 *	  "ca": { "expiry": "87600h", "pathlen": 1, "pathlenzero": false,
 *	      "backdate": "1h" },
 *	  "serialnumber": "..." }
 *
 * What CFSSL has beyond that (crl_url, extensions, delegation_enabled) is
 * the profile's to say here, and an error.
 */
#ifndef CFSSL_REQUEST_H
#define CFSSL_REQUEST_H

#include "cfssl/subject.h"
#include "sign/alg.h"
#include "x509/ext.h"

#define CFSSL_HOST_MAX 2048		/* octets: the longest URI */

struct cfssl_ca {
	bool is_given;			/* there is a "ca" */
	int path_length;		/* X509_NO_PATH_LENGTH */
	int64_t expiry_s, backdate_s;	/* 0: not given */
};

struct cfssl_request {
	struct cfssl_subject subject;
	enum sign_key_type key_type;	/* P-256 unless given */
	unsigned int key_bits;
	struct cfssl_ca ca;
	/* In CFSSL's order: DNS, e-mail, IP, URI; DNS in lower case. */
	struct x509_san sans[X509_SANS_MAX];
	uint32_t num_sans;
	uint8_t *octets[X509_SANS_MAX];	/* owned: what the sans view */
};

/* Where a request is wrong: CFSSL has a code of its own for keys. */
enum cfssl_fault { CFSSL_FAULT_ELSEWHERE, CFSSL_FAULT_IN_KEY };

/* where names the document in errors, which name the place in it.  fault,
 * unless NULL, is written on failure.  For cfssl_request_free(). */
enum oc_err cfssl_request_read(const char *where, const uint8_t *text,
    size_t len, struct cfssl_request **request, enum cfssl_fault *fault,
    struct oc_error *error) OC_MUST_CHECK;
void cfssl_request_free(struct cfssl_request *request);	/* NULL is fine */

/* What a host is: an IP address (its octets in address), a URI, an e-mail
 * address or a DNS name; san borrows host.  MALFORMED: empty, or with a
 * port. */
enum oc_err cfssl_host_classify(const char *host, uint8_t address[16],
    struct x509_san *san, struct oc_error *error) OC_MUST_CHECK;
/* These hosts, "a,b", in place of those there are. */
enum oc_err cfssl_request_set_hosts(struct cfssl_request *request,
    const char *where, const char *hosts, struct oc_error *error)
    OC_MUST_CHECK;
/* One more, unless it is there. */
enum oc_err cfssl_request_add_host(struct cfssl_request *request,
    const struct cfssl_place *place, const char *host, struct oc_error *error)
    OC_MUST_CHECK;
enum oc_err cfssl_request_set_common_name(struct cfssl_request *request,
    const char *where, const char *name, struct oc_error *error)
    OC_MUST_CHECK;

/* What its CSR asks for: the hosts, and to be a CA.  False: nothing. */
bool cfssl_request_extensions(const struct cfssl_request *request,
    struct x509_extensions *extensions);

/*
 * The subject of "cfssl sign": { "CN", "names", "serialnumber" }, as above,
 * and nothing else.
 */
enum oc_err cfssl_subject_read(const char *where, const uint8_t *text,
    size_t len, struct cfssl_subject *subject, struct oc_error *error)
    OC_MUST_CHECK;

#endif
