/* SPDX-License-Identifier: Apache-2.0 */
/* Reads as responders do, and hashes what it reads: they never link this. */
#include "ocsp/proof.h"

#include <limits.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "ocsp/answer.h"
#include "ocsp/table.h"

static const uint8_t encodings[OCSP_PROOFS] = {
	[OCSP_PROOF_SHA1] = OCSP_ENCODING(OCSP_HASH_SHA1, 0),
	[OCSP_PROOF_SHA256] = OCSP_ENCODING(OCSP_HASH_SHA256, 0),
};

static void
read_one(const struct ocsp_table *table, const struct ocsp_context *context,
    const struct oc_serial *serial, int i, struct ocsp_proof *proof)
{
	struct ocsp_slot slot;

	if (!ocsp_table_find(table, serial, encodings[i], &slot) ||
	    ocsp_context_build(context, &slot, proof->of[i].response,
	    sizeof(proof->of[i].response), &proof->of[i].response_len) !=
	    OC_OK)
		return;
	(void)SHA256(proof->of[i].response, proof->of[i].response_len,
	    proof->of[i].sha256);
	proof->of[i].is_there = true;
	proof->of[i].status = slot.status;
	proof->of[i].produced_at = slot.produced_at;
	proof->of[i].this_update = slot.this_update;
	proof->of[i].next_update = slot.next_update;
}

static bool
keeps_nothing(const struct oc_config *config, const char *name)
{
	const struct oc_config_issuer *issuer = oc_config_find_issuer(config,
	    name);

	return issuer != NULL && issuer->presign == OC_PRESIGN_NONE;
}

enum oc_err
ocsp_proof_read(const struct oc_config *config, const char *issuer,
    const struct oc_serial *serial, const uint64_t *run,
    struct ocsp_proof *proof, struct oc_error *error)
{
	struct ocsp_context *context = NULL;
	struct ocsp_table *table;
	char path[PATH_MAX];
	enum oc_err err;

	memset(proof, 0, sizeof(*proof));
	if (keeps_nothing(config, issuer))
		return oc_error_set(error, OC_ERR_NOT_FOUND, "presign = none: "
		    "each response is signed when it is asked for");
	snprintf(path, sizeof(path), "%s/%s.table",
	    config->daemon.table_directory, issuer);
	err = ocsp_table_open(path, &table, error);
	if (err != OC_OK)
		return err;
	if (run != NULL)
		ocsp_table_set_run(table, *run);
	if (run == NULL ? !ocsp_table_was_ready(table) :
	    !ocsp_table_is_ready(table))
		err = OC_ERR_NOT_FOUND;
	if (err == OC_OK)
		err = ocsp_context_new(ocsp_table_identity(table), &context);
	for (int i = 0; err == OC_OK && i < OCSP_PROOFS; i++)
		read_one(table, context, serial, i, proof);
	ocsp_context_free(context);
	ocsp_table_close(table);
	if (err == OC_OK && !proof->of[OCSP_PROOF_SHA1].is_there &&
	    !proof->of[OCSP_PROOF_SHA256].is_there)
		err = OC_ERR_NOT_FOUND;
	return err == OC_OK ? OC_OK : oc_error_set(error, err, "there is no "
	    "response for this certificate yet");
}
