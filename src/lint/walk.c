/* SPDX-License-Identifier: Apache-2.0 */
/* What rules share: the DER walk, names in general, texts for findings. */
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "der/writer.h"		/* DER_DEPTH_MAX */
#include "lint/view.h"

bool
lint_found(struct lint_detail *detail, const char *format, ...)
{
	va_list ap;
	char *p;

	va_start(ap, format);
	(void)vsnprintf(detail->text, sizeof(detail->text), format, ap);
	va_end(ap);
	for (p = detail->text; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	return true;
}

const char *
lint_text(struct der_bytes octets, char text[LINT_TEXT_MAX])
{
	size_t len = 0, i;

	for (i = 0; i < octets.len; i++) {
		uint8_t c = octets.p[i];

		if (len + sizeof("\\xNN...") > LINT_TEXT_MAX) {
			memcpy(text + len, "...", 3);
			len += 3;
			break;
		}
		if (c >= 0x20 && c <= 0x7e)
			text[len++] = (char)c;
		else
			len += (size_t)snprintf(text + len,
			    LINT_TEXT_MAX - len, "\\x%02X", c);
	}
	text[len] = '\0';
	return text;
}

const char *
lint_extension_name(const struct lint_extension *e,
    char text[DER_OID_TEXT_MAX])
{
	if (e->id != DER_OID_UNKNOWN)
		return der_oid_name(e->id);
	der_oid_format(e->oid, text);
	return text;
}

/* --- DER -------------------------------------------------------------- */

static bool
is_string(uint8_t tag)
{
	switch (tag & 0x1f) {
	case DER_BIT_STRING:
	case DER_OCTET_STRING:
	case DER_UTF8_STRING:
	case DER_PRINTABLE_STRING:
	case DER_TELETEX_STRING:
	case DER_IA5_STRING:
	case DER_BMP_STRING:
	case DER_UTC_TIME:
	case DER_GENERALIZED_TIME:
		return true;
	default:
		return false;
	}
}

/* What is wrong with a value of a universal type, or NULL. */
static const char *
universal_fault(uint8_t tag, struct der_bytes c)
{
	switch (tag) {
	case DER_BOOLEAN:
		return c.len == 1 && (c.p[0] == 0x00 || c.p[0] == 0xff) ?
		    NULL : "a BOOLEAN that is neither 00 nor FF";
	case DER_INTEGER:
	case DER_ENUMERATED:
		return der_integer_is_valid(c) ? NULL :
		    "an INTEGER that is not in its shortest form";
	case DER_NULL:
		return c.len == 0 ? NULL : "a NULL with contents";
	case DER_OID:
		return der_oid_is_valid(c) ? NULL :
		    "an OBJECT IDENTIFIER that is none";
	case DER_SEQUENCE & 0x1f:
	case DER_SET & 0x1f:
		return "a primitive SEQUENCE or SET";
	case 0x00:
		return "end-of-contents octets, which only BER has";
	default:
		return (tag & 0x20) != 0 && is_string(tag) ?
		    "a string in pieces, which only BER has" : NULL;
	}
}

struct level {
	struct der_reader r;
	bool is_set;
	struct der_bytes last;
};

static bool
is_ascending(struct der_bytes a, struct der_bytes b)
{
	return memcmp(a.p, b.p, a.len < b.len ? a.len : b.len) <= 0;
}

static const char *
element_fault(struct level *level, uint8_t *tag, struct der_bytes *contents)
{
	const char *fault = NULL;
	struct der_bytes tlv;

	if (!der_get_any(&level->r, tag, contents, &tlv))
		return "a value whose tag or length is not DER, or that is "
		    "cut short";
	if ((*tag & 0xc0) == 0)
		fault = universal_fault(*tag, *contents);
	if (fault == NULL && level->is_set && level->last.len > 0 &&
	    !is_ascending(level->last, tlv))
		fault = "a SET OF that is not in order";
	level->last = tlv;
	return fault;
}

const char *
lint_der_fault(struct der_bytes bytes)
{
	struct level levels[DER_DEPTH_MAX + 1];
	struct der_bytes contents;
	unsigned int depth = 0, num_top = 0;
	const char *fault;
	uint8_t tag;

	levels[0] = (struct level){ .r = der_reader_of(bytes) };
	for (;;) {
		if (der_at_end(&levels[depth].r)) {
			if (depth-- == 0)
				return num_top == 0 ? "nothing" : NULL;
			continue;
		}
		if (depth == 0 && ++num_top == 2)
			return "octets behind the value";
		fault = element_fault(&levels[depth], &tag, &contents);
		if (fault != NULL)
			return fault;
		if ((tag & 0x20) == 0)
			continue;
		if (depth == DER_DEPTH_MAX)
			return "values nested deeper than anything that is "
			    "needed";
		levels[++depth] = (struct level){
			.r = der_reader_of(contents),
			.is_set = tag == DER_SET
		};
	}
}

bool
lint_is_not_der(const char *broken, struct der_bytes der,
    struct lint_detail *d)
{
	const char *fault = broken != NULL ? broken : lint_der_fault(der);

	return fault != NULL && lint_found(d, "%s", fault);
}

/* --- signatures ------------------------------------------------------- */

bool
lint_is_ecdsa(enum der_oid alg)
{
	return alg == DER_OID_ECDSA_WITH_SHA256 ||
	    alg == DER_OID_ECDSA_WITH_SHA384 ||
	    alg == DER_OID_ECDSA_WITH_SHA512;
}

/*
 * Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }, RFC 3279 2.2.3
 */
static const char *
ecdsa_fault(struct der_bytes bits)
{
	struct der_bytes contents, value;
	struct der_reader r;
	int i;

	if (bits.len < 1 || bits.p[0] != 0 || !der_read_whole(
	    (struct der_bytes){ bits.p + 1, bits.len - 1 }, DER_SEQUENCE,
	    &contents))
		return "not one SEQUENCE";
	r = der_reader_of(contents);
	for (i = 0; i < 2; i++) {
		if (!der_get_integer(&r, &value))
			return "r or s is not an INTEGER in its shortest "
			    "form";
		if (value.p[0] >= 0x80 || (value.len == 1 && value.p[0] == 0))
			return "r or s is not positive";
	}
	return der_is_done(&r) ? NULL : "more than r and s";
}

bool
lint_is_ecdsa_wrong(enum der_oid alg, struct der_bytes bits,
    struct lint_detail *d)
{
	const char *fault = lint_is_ecdsa(alg) ? ecdsa_fault(bits) : NULL;

	return fault != NULL && lint_found(d, "the signature: %s", fault);
}

/* --- names and URLs --------------------------------------------------- */

bool
lint_next_name(struct der_reader *r, uint8_t *tag, struct der_bytes *value)
{
	return !der_at_end(r) && der_get_any(r, tag, value, NULL);
}

bool
lint_next_name_of(struct der_reader *r, uint8_t kind,
    struct der_bytes *value)
{
	uint8_t tag;

	while (lint_next_name(r, &tag, value))
		if (tag == kind)
			return true;
	return false;
}

bool
lint_is_http_url(struct der_bytes url)
{
	static const char scheme[] = "http://";
	size_t i, len = sizeof(scheme) - 1;

	if (url.len <= len || strncasecmp((const char *)url.p, scheme,
	    len) != 0 || url.p[len] == '/')
		return false;
	for (i = 0; i < url.len; i++)
		if (url.p[i] <= 0x20 || url.p[i] > 0x7e)
			return false;
	return true;
}

const struct lint_attribute *
lint_find_attribute(const struct lint_name *name, enum der_oid id)
{
	uint32_t i;

	for (i = 0; i < name->num_attributes; i++)
		if (name->attributes[i].id == id)
			return &name->attributes[i];
	return NULL;
}
