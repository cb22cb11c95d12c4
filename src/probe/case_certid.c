/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificate is meant: RFC 6960, 4.1.1, and several of them. */
#include "probe/case.h"

/* More than any client asks for. */
#define TOO_MANY 129

#define MALFORMED PROBE_BIT(PROBE_MALFORMED)
#define UNAUTHORIZED PROBE_BIT(PROBE_UNAUTHORIZED)
#define UNKNOWN PROBE_BIT(PROBE_UNKNOWN)

static void
ask_certid(struct probe *p, const struct probe_certid_plan *plan,
    struct probe_answer *a)
{
	struct der_bytes certid = probe_make_certid(p, plan);
	struct probe_asked asked = { .certid = certid,
	    .issuer = plan->issuer };

	probe_post(p, probe_make_request(p, &(struct probe_request){
	    .certids = &certid, .num_certids = 1 }), &asked, a);
}

/* --- several ---------------------------------------------------------- */

static void
ask_several(struct probe *p, const struct der_bytes *certids, uint32_t num,
    struct probe_answer *a)
{
	struct probe_asked asked = { .certid = certids[0] };

	probe_post(p, probe_make_request(p, &(struct probe_request){
	    .certids = certids, .num_certids = num }), &asked, a);
}

/* How many of certids stand in the answer, in this order, and no others. */
static bool
mirrors(const struct probe_answer *a, const struct der_bytes *certids,
    uint32_t num)
{
	struct der_bytes rest = a->view.singles;
	struct ocsp_single_view single;
	uint32_t i = 0;

	while (ocsp_response_next(&rest, &single)) {
		if (i == num || !der_bytes_equal(single.certid.tlv,
		    certids[i]))
			return false;
		i++;
	}
	return i == num;
}

static bool
has_entry(const struct probe_answer *a, struct der_bytes certid)
{
	struct der_bytes rest = a->view.singles;
	struct ocsp_single_view single;

	while (ocsp_response_next(&rest, &single))
		if (der_bytes_equal(single.certid.tlv, certid))
			return true;
	return false;
}

static void
case_multi(struct probe *p, const struct probe_case *c)
{
	struct der_bytes certids[PROBE_CERTS_MAX];
	uint32_t num = (uint32_t)p->o->num_certs;
	struct probe_answer a;

	(void)c;
	if (num < 2) {
		probe_skip(p, "give --cert several times");
		return;
	}
	for (uint32_t i = 0; i < num; i++)
		certids[i] = probe_make_certid(p, &(struct probe_certid_plan){
		    .serial = probe_serial(p, p->o->certs[i]) });
	ask_several(p, certids, num, &a);
	if ((PROBE_BIT(a.outcome) & PROBE_BELIEVED) == 0)
		probe_judge(p, &a, 0, UNAUTHORIZED, "several answers");
	else if (mirrors(&a, certids, num))
		probe_pass(p, "%u entries in the order asked", num);
	else if (mirrors(&a, certids, 1))
		probe_policy(p, "the first only");
	else
		probe_policy(p, "%u entries, in another order",
		    a.view.num_singles);
}

/* One signature speaks for one issuer. */
static void
case_mixed(struct probe *p, const struct probe_case *c)
{
	struct der_bytes certids[2];
	struct probe_answer a;

	(void)c;
	if (p->o->other_issuer == NULL || p->o->other_cert == NULL) {
		probe_skip(p, "give --other-issuer and --other-cert");
		return;
	}
	certids[0] = p->certid;
	certids[1] = probe_make_certid(p, &(struct probe_certid_plan){
	    .issuer = p->o->other_issuer,
	    .serial = probe_serial(p, p->o->other_cert) });
	ask_several(p, certids, 2, &a);
	if ((PROBE_BIT(a.outcome) & PROBE_BELIEVED) == 0)
		probe_judge(p, &a, UNAUTHORIZED, MALFORMED,
		    "unauthorized, or the first only");
	else if (has_entry(&a, certids[1]))
		probe_fail(p, "it signs for an issuer that is not its own");
	else
		probe_policy(p, "the first only");
}

static void
case_twice(struct probe *p, const struct probe_case *c)
{
	const struct der_bytes certids[] = { p->certid, p->certid };
	struct probe_answer a;

	(void)c;
	ask_several(p, certids, 2, &a);
	if (!probe_expect(p, &a, PROBE_BELIEVED, "an answer"))
		return;
	if (mirrors(&a, certids, 1))
		probe_pass(p, "one entry");
	else
		probe_policy(p, "%u entries", a.view.num_singles);
}

static void
case_limit(struct probe *p, const struct probe_case *c)
{
	struct der_bytes certids[TOO_MANY];
	struct probe_answer a;

	(void)c;
	certids[0] = p->certid;
	for (uint32_t i = 1; i < TOO_MANY; i++)
		certids[i] = probe_make_certid(p, &(struct probe_certid_plan){
		    .serial = probe_random_serial(p) });
	ask_several(p, certids, TOO_MANY, &a);
	probe_judge(p, &a, MALFORMED, PROBE_BELIEVED | UNAUTHORIZED |
	    PROBE_BIT(PROBE_REFUSED), "malformedRequest");
}

/* --- hashes ----------------------------------------------------------- */

static const char *const hashes[] = { "SHA1", "SHA256", "SHA384", "SHA512" };

static void
case_hash(struct probe *p, const struct probe_case *c)
{
	struct probe_certid_plan plan = { .hash = hashes[c->variant / 2],
	    .is_absent = c->variant % 2 };
	struct probe_answer a;

	ask_certid(p, &plan, &a);
	if (a.outcome == p->plain.outcome)
		probe_pass(p, "%s, the CertID octet for octet", a.seen.text);
	else
		probe_judge(p, &a, 0, c->variant / 2 == 0 ? 0 :
		    UNAUTHORIZED, "an answer with the same CertID");
}

/* A cache that forgets which hash it was: the second must be as asked. */
static void
case_no_leak(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	probe_ask_plain(p, &a);
	for (int variant = 1; variant >= 0; variant--) {
		ask_certid(p, &(struct probe_certid_plan){ .hash = "SHA256",
		    .is_absent = variant == 1 }, &a);
		if (!probe_expect(p, &a, PROBE_BELIEVED | UNAUTHORIZED,
		    "an answer with a CertID of SHA-256"))
			return;
	}
	if (a.outcome == PROBE_UNAUTHORIZED)
		probe_policy(p, "no answers for SHA-256");
	else
		probe_pass(p, "%s, the CertID octet for octet", a.seen.text);
}

static void
case_no_hash(struct probe *p, const struct probe_case *c)
{
	struct probe_answer md5, other;

	(void)c;
	ask_certid(p, &(struct probe_certid_plan){ .hash = "MD5" }, &md5);
	ask_certid(p, &(struct probe_certid_plan){ .hash = "SHA1",
	    .oid = "2.25.7231" }, &other);
	if (!probe_expect(p, &md5, UNAUTHORIZED | PROBE_BELIEVED | MALFORMED,
	    "unauthorized for MD5") || !probe_expect(p, &other,
	    UNAUTHORIZED | UNKNOWN | MALFORMED, "unauthorized"))
		return;
	if (md5.outcome == PROBE_UNAUTHORIZED &&
	    other.outcome == PROBE_UNAUTHORIZED)
		probe_pass(p, "unauthorized");
	else
		probe_policy(p, "%s for MD5, %s for a hash that nobody knows",
		    md5.seen.text, other.seen.text);
}

static void
case_hash_cut(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	ask_certid(p, &(struct probe_certid_plan){ .cut = 1 }, &a);
	probe_judge(p, &a, MALFORMED, UNAUTHORIZED | UNKNOWN,
	    "malformedRequest");
}

static void
case_other_key(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	ask_certid(p, &(struct probe_certid_plan){ .has_other_key = true },
	    &a);
	probe_judge(p, &a, UNAUTHORIZED, UNKNOWN, "unauthorized");
}

/* --- serial numbers --------------------------------------------------- */

/* No CA has given such a number to a certificate: good is a lie. */
static void
judge_nobody(struct probe *p, const struct probe_answer *a)
{
	probe_judge(p, a, UNAUTHORIZED, UNKNOWN | MALFORMED |
	    PROBE_BIT(PROBE_REVOKED), "unauthorized");
}

static struct der_bytes
long_serial(struct probe *p, size_t len)
{
	struct der_bytes serial = probe_random(p, len);

	((uint8_t *)(uintptr_t)serial.p)[0] = 0x3d;
	return serial;
}

static void
case_serial(struct probe *p, const struct probe_case *c)
{
	static const struct der_bytes zero = { (const uint8_t *)"\0", 1 };
	struct probe_certid_plan plan = { .serial = c->variant == 0 ? zero :
	    c->variant < 0 ? DER_LITERAL("\xff") :
	    long_serial(p, (size_t)c->variant) };
	struct probe_answer a;

	ask_certid(p, &plan, &a);
	/* A good number may well be unknown, in any of its ways. */
	if (c->variant == 20)
		probe_judge(p, &a, UNAUTHORIZED | UNKNOWN |
		    PROBE_BIT(PROBE_REVOKED), 0, "anything but good");
	else
		judge_nobody(p, &a);
}

/* 00 80 ... is a certificate's, 80 ... is negative. */
static void
case_high_bit(struct probe *p, const struct probe_case *c)
{
	struct der_bytes serial = probe_serial(p, p->o->certs[0]);
	struct probe_answer a;

	(void)c;
	if (serial.len < 2 || serial.p[0] != 0) {
		probe_skip(p, "the first --cert has no such serial number");
		return;
	}
	ask_certid(p, &(struct probe_certid_plan){ .serial = { serial.p + 1,
	    serial.len - 1 } }, &a);
	judge_nobody(p, &a);
}

static void
case_leading_zeros(struct probe *p, const struct probe_case *c)
{
	struct der_bytes serial = probe_join(p, (struct der_bytes){
	    (const uint8_t *)"\0\0", 2 }, probe_serial(p, p->o->certs[0]));
	struct probe_answer a;

	(void)c;
	ask_certid(p, &(struct probe_certid_plan){ .serial = serial }, &a);
	/* Who reads it as a number finds the certificate, and answers with
	 * the number in DER: not the CertID that was sent. */
	probe_judge(p, &a, MALFORMED, UNAUTHORIZED | UNKNOWN |
	    PROBE_BIT(PROBE_UNBELIEVED) | PROBE_BELIEVED,
	    "malformedRequest");
}

/* --- several issuers -------------------------------------------------- */

/* The serial number is one issuer's; another has it not, or as its own. */
static void
case_shared(struct probe *p, const struct probe_case *c)
{
	struct probe_answer a;

	(void)c;
	if (p->o->other_issuer == NULL) {
		probe_skip(p, "give --other-issuer");
		return;
	}
	ask_certid(p, &(struct probe_certid_plan){
	    .issuer = p->o->other_issuer }, &a);
	judge_nobody(p, &a);
}

static void
case_rekeyed(struct probe *p, const struct probe_case *c)
{
	struct probe_answer first, second;

	(void)c;
	if (p->o->other_issuer == NULL || p->o->other_cert == NULL ||
	    !der_bytes_equal(p->o->issuer->subject,
	    p->o->other_issuer->subject)) {
		probe_skip(p, "give --other-issuer and --other-cert of a CA "
		    "of the same name and another key");
		return;
	}
	probe_ask_plain(p, &first);
	ask_certid(p, &(struct probe_certid_plan){
	    .issuer = p->o->other_issuer,
	    .serial = probe_serial(p, p->o->other_cert) }, &second);
	if (probe_expect(p, &first, PROBE_SAME, "an answer for the one key"))
		probe_judge(p, &second, PROBE_BELIEVED, 0,
		    "an answer of the other key");
}

#define CERTID "RFC6960:4.1.1"

const struct probe_case probe_cases_certid[] = {
	{ "multi-same-issuer", "RFC6960:4.2.2.3", case_multi, 0,
	    "several certificates: an entry each, in order" },
	{ "multi-mixed-issuer", "RFC6960:4.2.2.2", case_mixed, 0,
	    "certificates of two issuers: never one signature for both" },
	{ "multi-dup", "RFC6960:4.2.2.3", case_twice, 0,
	    "the same certificate twice: one entry" },
	{ "multi-limit", "RFC6960:2.3", case_limit, 0,
	    "129 certificates: malformedRequest" },
	{ "sha1-null", CERTID, case_hash, 0,
	    "SHA-1 with parameters NULL" },
	{ "sha1-absent", CERTID, case_hash, 1,
	    "SHA-1 without parameters" },
	{ "sha256", "RFC9919:3.1.1", case_hash, 2,
	    "SHA-256" },
	{ "sha256-absent", "RFC9919:3.1.1", case_hash, 3,
	    "SHA-256 without parameters" },
	{ "sha384", CERTID, case_hash, 4,
	    "SHA-384" },
	{ "sha512", CERTID, case_hash, 6,
	    "SHA-512" },
	{ "sha256-no-sha1-leak", CERTID, case_no_leak, 0,
	    "SHA-256 behind SHA-1: its own CertID" },
	{ "hash-unknown-oid", "RFC6960:2.3", case_no_hash, 0,
	    "MD5, and a hash that nobody knows: unauthorized" },
	{ "hash-wrong-len", CERTID, case_hash_cut, 0,
	    "a SHA-1 of 19 octets: malformedRequest" },
	{ "name-ok-key-wrong", "RFC9919:3.2.3", case_other_key, 0,
	    "the issuer's name, nobody's key: unauthorized" },
	{ "serial-zero", "RFC5280:4.1.2.2", case_serial, 0,
	    "serial number 0" },
	{ "serial-negative", "RFC5280:4.1.2.2", case_serial, -1,
	    "serial number -1" },
	{ "serial-20", "RFC5280:4.1.2.2", case_serial, 20,
	    "a serial number of 20 octets" },
	{ "serial-21", "RFC5280:4.1.2.2", case_serial, 21,
	    "of 21 octets" },
	{ "serial-64", "RFC5280:4.1.2.2", case_serial, 64,
	    "of 64 octets" },
	{ "serial-highbit", "X690:8.3", case_high_bit, 0,
	    "00 80 is a number, 80 another" },
	{ "serial-leading-zeros", "X690:8.3.2", case_leading_zeros, 0,
	    "a serial number that is not minimal: malformedRequest" },
	{ "issuer-shared-serial", CERTID, case_shared, 0,
	    "another issuer and this serial number" },
	{ "issuer-rekeyed", CERTID, case_rekeyed, 0,
	    "two keys of one name: each its own answers" },
	{ NULL, NULL, NULL, 0, NULL }
};
