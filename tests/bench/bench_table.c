/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a certificate costs in memory, measured as what the process has more
 * of after a million of them:
 *
 *	bytes-per-certificate	the response table, its index and the refresh
 *				order, grown to this size as the service does
 *				it; the peer is a stored response
 *	snapshot-per-certificate	what ocsign-status knows of it; no peer
 *
 * P-256, serial numbers of 16 octets, one CertID encoding.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ocsp/answer.h"
#include "status/due.h"
#include "status/status.h"
#include "tests/bench/bench.h"

#define NUM 1000000
#define LIFETIME_S (4 * 86400)

/* Octets that are resident, what is mapped from files among them. */
static double
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	bench_must(f != NULL && fscanf(f, "%*u %lu", &pages) == 1);
	(void)fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static struct oc_serial
serial_of(uint32_t n)
{
	uint64_t mixed = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
	struct oc_serial serial = { .len = 16 };

	serial.bytes[0] = 0x41;
	memcpy(serial.bytes + 1, &mixed, sizeof(mixed));
	memcpy(serial.bytes + 9, &n, sizeof(n));
	return serial;
}

static struct ocsp_slot
make_slot(uint32_t n)
{
	struct ocsp_slot slot = {
		.serial = serial_of(n),
		.encoding = OCSP_ENCODING_USUAL,
		.status = { .kind = OCSP_GOOD },
		.produced_at = INT64_C(1790000000),
		.this_update = INT64_C(1790000000),
		.next_update = INT64_C(1790000000) + LIFETIME_S,
		.signature_len = 64,
	};

	memset(slot.signature, 0x5a, 64);
	return slot;
}

static void
measure_table(const struct ocsp_identity *identity, const char *path)
{
	static const uint8_t store_id[OCSP_STORE_ID_LEN] = "a bench";
	struct status_agenda agenda = { 0 };
	struct ocsp_context *context;
	struct ocsp_table *table;
	struct ocsp_slot slot, found;
	uint8_t response[2048];
	double before, ours;
	size_t peer;
	uint32_t n;

	bench_must(ocsp_context_new(identity, &context) == OC_OK);
	slot = make_slot(0);
	bench_must(ocsp_context_build(context, &slot, response,
	    sizeof(response), &peer) == OC_OK);
	ocsp_context_free(context);

	before = resident();
	bench_must(ocsp_table_create(path, identity, store_id, 4096, &table,
	    NULL) == OC_OK);
	bench_must(ocsp_table_reserve(table, NUM) == OC_OK);
	for (n = 0; n < NUM; n++) {
		slot = make_slot(n);
		bench_must(ocsp_table_put(table, &slot) == OC_OK);
		bench_must(ocsp_table_find(table, &slot.serial, slot.encoding,
		    &found));
		bench_must(status_agenda_put_slot(&agenda, ocsp_refresh_due_at(
		    &slot.serial, slot.this_update, slot.next_update),
		    found.number) == OC_OK);
	}
	ours = (resident() - before) / NUM;
	printf("bytes-per-certificate %.1f %zu %.2f B\n", ours, peer,
	    (double)peer / ours);
	status_agenda_fini(&agenda);
	ocsp_table_close(table);
}

static void
measure_snapshot(void)
{
	struct status_set *set;
	double before = resident();
	uint32_t n;

	bench_must(status_set_new(&set) == OC_OK);
	for (n = 0; n < NUM; n++)
		bench_must(status_set_apply(set, &(struct status_change){
		    .seq = n + 1, .serial = serial_of(n),
		    .not_after = INT64_C(1800000000) }) == OC_OK);
	printf("snapshot-per-certificate %.1f - - B\n",
	    (resident() - before) / NUM);
	status_set_free(set);
}

void
bench_table(void)
{
	static struct ocsp_identity identity;
	const char *tmp = getenv("TMPDIR");
	char path[300], lock[320];
	int len;

	identity.alg = SIGN_ECDSA_SHA256;
	identity.signature_len = 64;
	len = snprintf(path, sizeof(path), "%s/ocsign-bench-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	bench_must(len > 0 && (size_t)len < sizeof(path) - 10 &&
	    mkdtemp(path) != NULL);
	strcat(path, "/table");
	measure_table(&identity, path);
	(void)unlink(path);
	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	(void)unlink(lock);
	*strrchr(path, '/') = '\0';
	(void)rmdir(path);
	measure_snapshot();
}
