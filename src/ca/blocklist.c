/* SPDX-License-Identifier: Apache-2.0 */
/* Two sorted arrays of hashes: searched by halves, 32 and 10 octets a key. */
#include "ca/blocklist.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/limits.h"
#include "der/reader.h"
#include "sign/alg.h"
#include "x509/cert.h"
#include "x509/name.h"
#include "x509/spki.h"

#define SPKI_LEN 32		/* SHA-256 */
#define MODULUS_LEN 10		/* the last half of a SHA-1 */

struct hashes {
	uint8_t *octets;
	size_t num, room;
	size_t len;		/* of one */
};

struct ca_blocklist {
	struct hashes spkis, moduli;
};

/* --- reading ------------------------------------------------------------ */

static enum oc_err
hashes_add(struct hashes *h, const uint8_t *hash)
{
	if (h->num == h->room) {
		size_t room = h->room == 0 ? 64 : 2 * h->room;
		uint8_t *octets = realloc(h->octets, room * h->len);

		if (octets == NULL)
			return OC_ERR_NOMEM;
		h->octets = octets;
		h->room = room;
	}
	memcpy(h->octets + h->num++ * h->len, hash, h->len);
	return OC_OK;
}

static int
compare_spkis(const void *a, const void *b)
{
	return memcmp(a, b, SPKI_LEN);
}

static int
compare_moduli(const void *a, const void *b)
{
	return memcmp(a, b, MODULUS_LEN);
}

/* What is left of a line without its comment and the blanks around it. */
static size_t
trim(const char **line, size_t len)
{
	const char *hash = memchr(*line, '#', len);

	if (hash != NULL)
		len = (size_t)(hash - *line);
	while (len > 0 && strchr(" \t\r", (*line)[len - 1]) != NULL)
		len--;
	while (len > 0 && strchr(" \t", **line) != NULL) {
		++*line;
		len--;
	}
	return len;
}

static enum oc_err
add_line(struct ca_blocklist *list, const char *line, size_t len)
{
	uint8_t hash[SPKI_LEN];
	size_t hash_len;

	len = trim(&line, len);
	if (len == 0)
		return OC_OK;
	if ((len != 2 * SPKI_LEN && len != 2 * MODULUS_LEN) ||
	    oc_hex_decode(line, len, hash, sizeof(hash), &hash_len) != OC_OK)
		return OC_ERR_CONFIG;
	return hashes_add(len == 2 * SPKI_LEN ? &list->spkis : &list->moduli,
	    hash);
}

static enum oc_err
read_lines(struct ca_blocklist *list, const char *path, const char *text,
    size_t len, struct oc_error *error)
{
	int number = 1;

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line_len = end == NULL ? len : (size_t)(end - text);
		enum oc_err err = memchr(text, '\0', line_len) != NULL ?
		    OC_ERR_CONFIG : add_line(list, text, line_len);

		if (err == OC_ERR_CONFIG)
			return oc_error_set(error, err, "%s:%d: a line is the "
			    "SHA-256 of a SubjectPublicKeyInfo in 64 hex "
			    "digits, 20 as openssl-blacklist has them, or a "
			    "comment after '#'", path, number);
		if (err != OC_OK)
			return oc_error_set(error, err, "out of memory");
		line_len += end == NULL ? 0 : 1;
		text += line_len;
		len -= line_len;
		number++;
	}
	return OC_OK;
}

enum oc_err
ca_blocklist_load(const char *path, struct ca_blocklist **list,
    struct oc_error *error)
{
	struct ca_blocklist *made = calloc(1, sizeof(*made));
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum oc_err err = OC_OK;

	if (made == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	made->spkis.len = SPKI_LEN;
	made->moduli.len = MODULUS_LEN;
	if (path != NULL)
		err = oc_file_read(path, OC_BLOCKLIST_FILE_MAX, &bytes, &len,
		    error);
	if (err != OC_OK)
		oc_error_prefix(error, "[policy] blocklist");
	else
		err = read_lines(made, path, (const char *)bytes, len, error);
	free(bytes);
	if (err != OC_OK) {
		ca_blocklist_free(made);
		return err;
	}
	if (made->spkis.num > 0)
		qsort(made->spkis.octets, made->spkis.num, SPKI_LEN,
		    compare_spkis);
	if (made->moduli.num > 0)
		qsort(made->moduli.octets, made->moduli.num, MODULUS_LEN,
		    compare_moduli);
	*list = made;
	return OC_OK;
}

void
ca_blocklist_free(struct ca_blocklist *list)
{
	if (list == NULL)
		return;
	free(list->spkis.octets);
	free(list->moduli.octets);
	free(list);
}

/* --- looking ------------------------------------------------------------ */

/*
 * RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
 * False if the key is no RSA key.
 */
static bool
get_modulus(struct der_bytes spki, struct der_bytes *modulus)
{
	struct der_bytes bits, content;
	struct der_reader r, key;

	if (x509_spki_key_bits(spki, &bits) != OC_OK)
		return false;
	r = der_reader_of(bits);
	if (!der_get(&r, DER_SEQUENCE, &content))
		return false;
	key = der_reader_of(content);
	if (!der_get(&key, DER_INTEGER, modulus))
		return false;
	while (modulus->len > 1 && modulus->p[0] == 0) {
		modulus->p++;
		modulus->len--;
	}
	return true;
}

/* "Modulus=" and upper-case hex digits with a line's end, as openssl-vulnkey
 * hashes them. */
static enum oc_err
hash_modulus(struct der_bytes modulus, uint8_t hash[MODULUS_LEN])
{
	static const char digits[] = "0123456789ABCDEF";
	char text[8 + 2 * OC_SPKI_MAX + 2] = "Modulus=";
	uint8_t whole[EVP_MAX_MD_SIZE];
	unsigned int whole_len = 0;
	size_t len = 8;

	if (modulus.len > OC_SPKI_MAX)
		return OC_ERR_LIMIT;
	for (size_t i = 0; i < modulus.len; i++) {
		text[len++] = digits[modulus.p[i] >> 4];
		text[len++] = digits[modulus.p[i] & 15];
	}
	text[len++] = '\n';
	if (EVP_Digest(text, len, whole, &whole_len, EVP_sha1(), NULL) != 1 ||
	    whole_len < MODULUS_LEN)
		return OC_ERR_INTERNAL;
	memcpy(hash, whole + whole_len - MODULUS_LEN, MODULUS_LEN);
	return OC_OK;
}

enum oc_err
ca_blocklist_find(const struct ca_blocklist *list, struct der_bytes spki,
    bool *is_blocked)
{
	uint8_t hash[SPKI_LEN];
	struct der_bytes modulus;
	bool is_found = false;
	enum oc_err err = OC_OK;

	if (list != NULL && list->spkis.num > 0) {
		err = x509_spki_hash(spki, hash);
		if (err == OC_OK)
			is_found = bsearch(hash, list->spkis.octets,
			    list->spkis.num, SPKI_LEN, compare_spkis) != NULL;
	}
	if (err == OC_OK && list != NULL && list->moduli.num > 0 &&
	    get_modulus(spki, &modulus)) {
		err = hash_modulus(modulus, hash);
		if (err == OC_OK && bsearch(hash, list->moduli.octets,
		    list->moduli.num, MODULUS_LEN, compare_moduli) != NULL)
			is_found = true;
	}
	if (err == OC_OK)
		*is_blocked = is_found;
	return err;
}

enum oc_err
ca_blocklist_check_key(const struct ca_blocklist *list, struct der_bytes spki,
    const char *whose, const char *advice, struct oc_error *error)
{
	bool is_blocked = false;
	enum oc_err err = ca_blocklist_find(list, spki, &is_blocked);

	if (err != OC_OK)
		return oc_error_set(error, err, "the block list: %s",
		    oc_strerror(err));
	return !is_blocked ? OC_OK : oc_error_set(error, OC_ERR_REFUSED,
	    "%s is on the block list: others have it; %s", whose, advice);
}

static enum oc_err
check_one(const struct ca_blocklist *list, const struct x509_cert *cert,
    struct oc_error *error)
{
	char name[X509_NAME_TEXT_MAX], whose[160];

	x509_name_format(cert->subject, name);
	(void)snprintf(whose, sizeof(whose), "the key of \"%.120s\"", name);
	return ca_blocklist_check_key(list, cert->spki, whose,
	    "replace that CA", error);
}

enum oc_err
ca_blocklist_check(const struct ca_blocklist *list,
    struct der_bytes certificates, struct oc_error *error)
{
	struct der_reader r = der_reader_of(certificates);
	struct x509_cert *cert;
	struct der_bytes der;
	enum oc_err err = OC_OK;

	if (list == NULL || (list->spkis.num == 0 && list->moduli.num == 0))
		return OC_OK;
	cert = malloc(sizeof(*cert));
	if (cert == NULL)
		return oc_error_set(error, OC_ERR_NOMEM, "out of memory");
	while (err == OC_OK && !der_at_end(&r) &&
	    der_get_tlv(&r, DER_SEQUENCE, &der)) {
		err = x509_cert_read(der, cert, error);
		if (err == OC_OK)
			err = check_one(list, cert, error);
	}
	free(cert);
	return err;
}
