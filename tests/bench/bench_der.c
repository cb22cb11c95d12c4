/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is DER still fast?  Prints nanoseconds for one each of: filling the template
 * of an OCSP response, writing the same response anew, walking an OCSP request
 * to its serial, and checking the response as a whole.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "der/reader.h"
#include "der/template.h"
#include "der/time.h"

#define ROUNDS 7
#define RUNS 400000

struct response {
	struct der_bytes serial, signature;
	int64_t produced_at, this_update, next_update;
};

static const uint8_t key_hash[20], signature[256] = { 0x5a };
static const uint8_t serial[16] = { 0x0a, 0x1b, 0x2c };

/*
 * SingleResponse ::= SEQUENCE {
 *     certID      CertID,
 *     certStatus  CertStatus,
 *     thisUpdate  GeneralizedTime,
 *     nextUpdate  [0] EXPLICIT GeneralizedTime OPTIONAL }
 */
static void
put_single(struct der_writer *w, const struct response *r)
{
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_SHA1);
	der_put_null(w);
	der_end(w);
	der_put_octets(w, DER_ARRAY(key_hash));
	der_put_octets(w, DER_ARRAY(key_hash));
	der_put_integer(w, r->serial);
	der_end(w);
	der_put_primitive(w, DER_CONTEXT_PRIMITIVE(0), DER_LITERAL(""));
	der_put_gentime(w, r->this_update);
	der_begin(w, DER_CONTEXT(0));
	der_put_gentime(w, r->next_update);
	der_end(w);
	der_end(w);
}

/* BasicOCSPResponse, RFC 6960 4.2.1, without certificates. */
static void
put_basic(struct der_writer *w, const struct response *r)
{
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_CONTEXT(2));
	der_put_octets(w, DER_ARRAY(key_hash));
	der_end(w);
	der_put_gentime(w, r->produced_at);
	der_begin(w, DER_SEQUENCE);
	put_single(w, r);
	der_end(w);
	der_end(w);
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_SHA256_WITH_RSA);
	der_put_null(w);
	der_end(w);
	der_put_bits(w, r->signature);
	der_end(w);
}

/*
 * OCSPResponse ::= SEQUENCE {
 *     responseStatus  ENUMERATED,
 *     responseBytes   [0] EXPLICIT SEQUENCE {
 *         responseType  OBJECT IDENTIFIER,
 *         response      OCTET STRING } }
 */
static void
put_response(struct der_writer *w, const void *arg)
{
	der_begin(w, DER_SEQUENCE);
	der_put_enum(w, 0);
	der_begin(w, DER_CONTEXT(0));
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_OCSP_BASIC);
	der_begin(w, DER_OCTET_STRING);
	put_basic(w, arg);
	der_end(w);
	der_end(w);
	der_end(w);
	der_end(w);
}

/* OCSPRequest with one Request, RFC 6960 4.1.1. */
static void
put_request(struct der_writer *w, const void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < 5; i++)
		der_begin(w, DER_SEQUENCE);
	der_begin(w, DER_SEQUENCE);
	der_put_oid(w, DER_OID_SHA1);
	der_put_null(w);
	der_end(w);
	der_put_octets(w, DER_ARRAY(key_hash));
	der_put_octets(w, DER_ARRAY(key_hash));
	der_put_integer(w, DER_ARRAY(serial));
	for (i = 0; i < 5; i++)
		der_end(w);
}

/* Down to the CertID and out again. */
static bool
walk_request(struct der_bytes request)
{
	struct der_reader r[5], algorithm, top = der_reader_of(request);
	struct der_bytes oid, name, key, number;
	unsigned int i;

	(void)der_enter(&top, DER_SEQUENCE, &r[0]);
	for (i = 1; i < 5; i++)
		(void)der_enter(&r[i - 1], DER_SEQUENCE, &r[i]);
	(void)der_enter(&r[4], DER_SEQUENCE, &algorithm);
	(void)der_get(&algorithm, DER_OID, &oid);
	(void)der_get(&algorithm, DER_NULL, &name);
	(void)der_leave(&r[4], &algorithm);
	(void)der_get(&r[4], DER_OCTET_STRING, &name);
	(void)der_get(&r[4], DER_OCTET_STRING, &key);
	(void)der_get_integer(&r[4], &number);
	for (i = 4; i > 0; i--)
		(void)der_leave(&r[i - 1], &r[i]);
	return der_leave(&top, &r[0]) && der_is_done(&top);
}

struct bench {
	struct der_template template;
	struct der_bytes holes[5];
	struct response response;
	uint8_t out[1024], request[256];
	size_t len, request_len;
};

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static void
run_fill(struct bench *b)
{
	must(der_template_fill(&b->template, b->holes, b->out,
	    sizeof(b->out), &b->len) == OC_OK);
}

static void
run_write(struct bench *b)
{
	must(der_write(put_response, &b->response, b->out, sizeof(b->out),
	    &b->len) == OC_OK);
}

static void
run_walk(struct bench *b)
{
	must(walk_request((struct der_bytes){ b->request, b->request_len }));
}

static void
run_check(struct bench *b)
{
	must(der_is_valid((struct der_bytes){ b->out, b->len }));
}

/* The best of some rounds: what disturbs only ever adds. */
static void
measure(const char *name, void (*run)(struct bench *), struct bench *b)
{
	int64_t best = INT64_MAX, start;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		start = oc_clock_mono_ns();
		for (i = 0; i < RUNS; i++)
			run(b);
		start = oc_clock_mono_ns() - start;
		best = start < best ? start : best;
	}
	/* Without a peer: a comment among the lines of "make bench". */
	printf("# %s %.1f ns\n", name, (double)best / RUNS);
}

int
main(void)
{
	static struct bench b;
	static uint8_t times[3][DER_GENTIME_LEN];
	const struct response holes = { DER_HOLE(0), DER_HOLE(1),
	    DER_TIME_HOLE(2), DER_TIME_HOLE(3), DER_TIME_HOLE(4) };

	b.response = (struct response){ DER_ARRAY(serial),
	    DER_ARRAY(signature), 1795471200, 1795471200, 1796076000 };
	der_format_gentime(b.response.produced_at, times[0]);
	der_format_gentime(b.response.this_update, times[1]);
	der_format_gentime(b.response.next_update, times[2]);
	b.holes[0] = b.response.serial;
	b.holes[1] = b.response.signature;
	b.holes[2] = DER_ARRAY(times[0]);
	b.holes[3] = DER_ARRAY(times[1]);
	b.holes[4] = DER_ARRAY(times[2]);
	must(der_template_compile(&b.template, put_response, &holes) ==
	    OC_OK);
	must(der_write(put_request, NULL, b.request, sizeof(b.request),
	    &b.request_len) == OC_OK);
	measure("der template fill", run_fill, &b);
	measure("der write", run_write, &b);
	measure("der request walk", run_walk, &b);
	measure("der response check", run_check, &b);
	der_template_fini(&b.template);
	return 0;
}
