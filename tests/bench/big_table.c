/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "big_table CONFIG ISSUER NUMBER [SECONDS]" makes a response table with room
 * for NUMBER, and in it a slot for each certificate of the issuer that the
 * store knows, with the status and the times that ocsign-status would give
 * it, SECONDS from now, and with a signature that nobody made.  "big_table cut
 * TABLE" makes one that was left open look as if the machine had gone down,
 * too.  The service must not run.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/config.h"
#include "ocsp/table_private.h"
#include "status/identity.h"
#include "status/status.h"

#define BATCH 512
#define LIFETIME_S (4 * 86400)

static void give_up(const char *what) __attribute__((noreturn));

static void
give_up(const char *what)
{
	fprintf(stderr, "big_table: %s\n", what);
	exit(1);
}

static struct ocsp_slot
make_slot(const struct status_change *c, int64_t now, uint32_t signature_len)
{
	struct ocsp_slot slot = {
		.serial = c->serial,
		.encoding = OCSP_ENCODING_USUAL,
		.status = { .kind = OCSP_GOOD },
		.produced_at = now,
		.this_update = now,
		.next_update = now + LIFETIME_S - 1,
		.signature_len = signature_len,
	};

	if (c->is_revoked)
		slot.status = (struct ocsp_status){ OCSP_REVOKED, c->reason,
		    c->revoked_at };
	if (slot.next_update > c->not_after)
		slot.next_update = c->not_after;
	memset(slot.signature, 0x5a, signature_len);
	memcpy(slot.signature, &c->seq, sizeof(c->seq));
	return slot;
}

static uint32_t
fill(struct ocsp_table *table, struct status_source *source, int64_t now)
{
	struct status_change changes[BATCH];
	struct ocsp_slot slot;
	int64_t seq = 0;
	uint32_t len = ocsp_table_identity(table)->signature_len;
	uint32_t num, i, total = 0;

	do {
		if (source->ops->read(source, seq, changes, BATCH, &num) !=
		    OC_OK)
			give_up(source->ops->error(source));
		for (i = 0; i < num; i++) {
			slot = make_slot(&changes[i], now, len);
			if (ocsp_table_put(table, &slot) != OC_OK)
				give_up("the table takes nothing more");
			seq = changes[i].seq;
		}
		total += num;
	} while (num > 0);
	ocsp_table_set_seq(table, seq);
	ocsp_table_set_ready(table, true);
	return total;
}

/* It was another boot's. */
static void
cut(const char *path)
{
	uint8_t boot_id[TABLE_BOOT_ID_LEN];
	int fd = open(path, O_WRONLY);

	memset(boot_id, '0', sizeof(boot_id));
	if (fd < 0 || pwrite(fd, boot_id, sizeof(boot_id), offsetof(struct
	    table_header, boot_id)) != (ssize_t)sizeof(boot_id))
		give_up("no such table");
	close(fd);
}

int
main(int argc, char **argv)
{
	struct oc_config_errors errors = { 0 };
	const struct oc_config_ocsp *ocsp;
	struct oc_error error = { 0 };
	struct status_source *source;
	struct ocsp_identity *identity;
	struct ocsp_table *table;
	struct oc_config *config;
	char path[4096];
	uint8_t id[16];

	if (argc == 3 && strcmp(argv[1], "cut") == 0) {
		cut(argv[2]);
		return 0;
	}
	if (argc != 4 && argc != 5)
		give_up("CONFIG ISSUER NUMBER [SECONDS], or cut TABLE");
	if (oc_config_load(argv[1], &config, &errors) != OC_OK)
		give_up("a bad configuration");
	ocsp = oc_config_find_ocsp(config, argv[2]);
	if (ocsp == NULL)
		give_up("no such issuer");
	snprintf(path, sizeof(path), "%s/%s.table",
	    config->daemon.table_directory, argv[2]);
	if (status_identity_load(ocsp, &identity, &error) != OC_OK ||
	    status_own_open(config->store.path, argv[2], &source, &error) !=
	    OC_OK || source->ops->id(source, id) != OC_OK ||
	    ocsp_table_create(path, identity, id,
	    (uint32_t)strtoul(argv[3], NULL, 10), &table, &error) != OC_OK)
		give_up(error.text);
	printf("%u\n", (unsigned)fill(table, source, oc_clock_now_s() +
	    (argc == 5 ? strtol(argv[4], NULL, 10) : 0)));
	ocsp_table_close(table);
	source->ops->close(source);
	free(identity);
	oc_config_free(config);
	return 0;
}
