/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who signs whose OCSP responses: [issuer NAME] and its [ocsp-signer NAME]s
 * in one list, so that whoever deals with signers knows only that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config_table.h"

struct lister {
	struct oc_config *config;
	struct oc_config_errors *errors;
};

static void
complain(struct lister *l, const struct oc_config_ocsp_signer *signer,
    const char *key, const char *what)
{
	struct oc_conf_place place = { .type = "ocsp-signer",
	    .name = signer->name, .key = key };

	oc_conf_find_place(l->config->conf, &place);
	oc_config_errors_add(l->errors, &place, OC_ERR_CONFIG, "%s", what);
}

/* Two with one certificate would sign the same. */
static void
check_is_unique(struct lister *l, const struct oc_config_ocsp_signer *signer,
    const struct oc_config_issuer *issuer)
{
	const struct oc_config_ocsp_signer *other = l->config->ocsp_signers;
	char text[160];

	if (issuer->ocsp_certificate != NULL &&
	    strcmp(issuer->ocsp_certificate, signer->certificate) == 0) {
		snprintf(text, sizeof(text), "is that of [issuer %.64s] too; "
		    "each signer has its own", issuer->name);
		complain(l, signer, "certificate", text);
	}
	for (; other != signer; other++) {
		if (other->certificate == NULL ||
		    strcmp(other->certificate, signer->certificate) != 0)
			continue;
		snprintf(text, sizeof(text), "is that of [ocsp-signer %.64s] "
		    "too; each signer has its own", other->name);
		complain(l, signer, "certificate", text);
	}
}

static void
check_signer(struct lister *l, struct oc_config_ocsp_signer *signer)
{
	const struct oc_config_issuer *issuer = signer->issuer == NULL ?
	    NULL : oc_config_find_issuer(l->config, signer->issuer);
	char text[160];

	if (signer->issuer != NULL && issuer == NULL) {
		snprintf(text, sizeof(text), "there is no [issuer %.64s]; "
		    "add that section", signer->issuer);
		complain(l, signer, "issuer", text);
	}
	for (size_t i = 0; i < signer->tokens.num; i++) {
		if (oc_config_find_token(l->config, signer->tokens.words[i]) !=
		    NULL)
			continue;
		snprintf(text, sizeof(text), "there is no [token %.64s]; add "
		    "that section", signer->tokens.words[i]);
		complain(l, signer, "token", text);
	}
	if (signer->presign == OC_PRESIGN_NONE &&
	    l->config->responder.nonce_budget == 0)
		complain(l, signer, "presign", "nothing would be answered "
		    "with nonce-budget = 0 in [responder]; raise that");
	if (issuer != NULL && signer->certificate != NULL)
		check_is_unique(l, signer, issuer);
	if (issuer != NULL && issuer->responses != NULL) {
		snprintf(text, sizeof(text), "[issuer %.64s] has responses, "
		    "and signs none here; remove this section", issuer->name);
		complain(l, signer, "issuer", text);
	} else if (issuer != NULL && (issuer->allow & OC_ALLOW_OCSP) == 0) {
		snprintf(text, sizeof(text), "[issuer %.64s] does not allow "
		    "ocsp; add that, or remove this section", issuer->name);
		complain(l, signer, "issuer", text);
	}
}

static void
add_own(struct oc_config *config, const struct oc_config_issuer *issuer)
{
	struct oc_config_ocsp *ocsp = &config->ocsp[config->num_ocsp++];
	bool is_delegated = issuer->ocsp_certificate != NULL;

	(void)snprintf(ocsp->name, sizeof(ocsp->name), "%s", issuer->name);
	ocsp->issuer = issuer;
	ocsp->certificate = issuer->ocsp_certificate;
	ocsp->tokens = is_delegated && issuer->ocsp_tokens.num > 0 ?
	    issuer->ocsp_tokens : issuer->tokens;
	ocsp->key = is_delegated ? issuer->ocsp_key : issuer->key;
	ocsp->algorithm = is_delegated ||
	    issuer->ocsp_algorithm != OC_ALGORITHM_OF_KEY ?
	    issuer->ocsp_algorithm : issuer->algorithm;
	ocsp->presign = issuer->presign;
	ocsp->file = issuer->file;
	ocsp->line = issuer->line;
}

static void
add_signer(struct oc_config *config, const struct oc_config_issuer *issuer,
    const struct oc_config_ocsp_signer *signer)
{
	struct oc_config_ocsp *ocsp = &config->ocsp[config->num_ocsp++];

	ocsp->tokens = signer->tokens;
	if (ocsp->tokens.num == 0)
		ocsp->tokens = issuer->ocsp_tokens;
	if (ocsp->tokens.num == 0)
		ocsp->tokens = issuer->tokens;
	/* No section's name has a '+' in it. */
	(void)snprintf(ocsp->name, sizeof(ocsp->name), "%s+%s", issuer->name,
	    signer->name);
	ocsp->issuer = issuer;
	ocsp->signer = signer->name;
	ocsp->certificate = signer->certificate;
	ocsp->key = signer->key;
	ocsp->algorithm = signer->algorithm;
	ocsp->presign = signer->presign;
	ocsp->file = signer->file;
	ocsp->line = signer->line;
}

enum oc_err
oc_config_list_ocsp(struct oc_config *config, struct oc_config_errors *errors)
{
	struct lister l = { config, errors };
	size_t i, n;

	for (n = 0; n < config->num_ocsp_signers; n++)
		check_signer(&l, &config->ocsp_signers[n]);
	config->ocsp = calloc(config->num_issuers +
	    config->num_ocsp_signers + 1, sizeof(*config->ocsp));
	if (config->ocsp == NULL)
		return OC_ERR_NOMEM;
	for (i = 0; i < config->num_issuers; i++) {
		const struct oc_config_issuer *issuer = &config->issuers[i];

		add_own(config, issuer);
		for (n = 0; n < config->num_ocsp_signers; n++)
			if (config->ocsp_signers[n].issuer != NULL &&
			    strcmp(config->ocsp_signers[n].issuer,
			    issuer->name) == 0)
				add_signer(config, issuer,
				    &config->ocsp_signers[n]);
	}
	return OC_OK;
}

const struct oc_config_ocsp *
oc_config_find_ocsp(const struct oc_config *config, const char *name)
{
	for (size_t i = 0; i < config->num_ocsp; i++)
		if (strcmp(config->ocsp[i].name, name) == 0)
			return &config->ocsp[i];
	return NULL;
}
