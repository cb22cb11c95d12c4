/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7468. */
#include "base_test.h"

#include "base/pem.h"

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"
#define LINE64 \
	"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4"
#define OCTETS48 "123456789012345678901234567890123456789012345678"

struct good_case {
	const char *text;
	const char *label;
	const char *der;
};

static const struct good_case good[] = {
	{ BEGIN "Zm9v\n" END, "CERTIFICATE", "foo" },
	{ BEGIN "Zm9vYg==\n" END, "CERTIFICATE", "foob" },
	/* Without the last line end; with Windows's. */
	{ BEGIN "Zm9v\n-----END CERTIFICATE-----", "CERTIFICATE", "foo" },
	{ "-----BEGIN CERTIFICATE-----\r\nZm9v\r\n"
	    "-----END CERTIFICATE-----\r\n", "CERTIFICATE", "foo" },
	/* Text around it, as openssl writes. */
	{ "subject=CN = x\n\n- - -\n" BEGIN "Zm9v\n" END "text\n",
	    "CERTIFICATE", "foo" },
	{ BEGIN LINE64 "\n" END, "CERTIFICATE", OCTETS48 },
	{ BEGIN LINE64 "\nZm9v\n" END, "CERTIFICATE", OCTETS48 "foo" },
	/* Lines of another length, even all of them. */
	{ BEGIN "Zm9v\nZm9v\nZm8=\n" END, "CERTIFICATE", "foofoofo" },
	{ BEGIN LINE64 "Zm9vZm9vZm9v\n" END, "CERTIFICATE",
	    OCTETS48 "foofoofoo" },
	{ "-----BEGIN CERTIFICATE REQUEST-----\nZm9v\n"
	    "-----END CERTIFICATE REQUEST-----\n", "CERTIFICATE REQUEST",
	    "foo" },
	{ "-----BEGIN X509 CRL-----\nZm9v\n-----END X509 CRL-----\n",
	    "X509 CRL", "foo" },
	{ "-----BEGIN A-B-----\nZm9v\n-----END A-B-----\n", "A-B", "foo" },
	{ "-----BEGIN -----\nZm9v\n-----END -----\n", "", "foo" },
};

static void
test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct oc_pem_cursor c = {
			.text = good[i].text, .len = strlen(good[i].text)
		};
		struct oc_error error = { OC_OK, "" };
		char label[OC_PEM_LABEL_MAX + 1];
		uint8_t *der;
		size_t len;

		if (oc_pem_next(&c, label, &der, &len, &error) != OC_OK)
			fail_msg("number %zu: %s", i, error.text);
		assert_string_equal(label, good[i].label);
		assert_int_equal(len, strlen(good[i].der));
		assert_memory_equal(der, good[i].der, len);
		free(der);
		assert_int_equal(oc_pem_next(&c, label, &der, &len, &error),
		    OC_ERR_NOT_FOUND);
	}
}

static const struct {
	const char *text;
	const char *error;
} bad[] = {
	{ "-----BEGIN CERTIFICATE----\nZm9v\n" END,
	    "PEM line 1: not a proper BEGIN line" },
	{ "-----BEGIN CERTIFICATE----- \nZm9v\n" END,
	    "PEM line 1: not a proper BEGIN line" },
	{ "-----BEGINCERTIFICATE-----\nZm9v\n" END,
	    "PEM line 1: not a proper BEGIN line" },
	{ "-----BEGIN  X-----\nZm9v\n-----END  X-----\n",
	    "PEM line 1: not a proper BEGIN line" },
	{ "-----BEGIN X -----\nZm9v\n-----END X -----\n",
	    "PEM line 1: not a proper BEGIN line" },
	{ "-----BEGIN \xc3\xa4-----\nZm9v\n-----END \xc3\xa4-----\n",
	    "PEM line 1: not a proper BEGIN line" },
	{ "-----BEGIN 01234567890123456789012345678901234567890123456789"
	    "012345678901234-----\n",
	    "PEM line 1: not a proper BEGIN line" },
	{ "text\n" END, "PEM line 2: an END without its BEGIN" },
	{ BEGIN "Zm9v\n", "PEM line 2: the END line is missing" },
	{ BEGIN, "PEM line 1: the END line is missing" },
	{ BEGIN "Zm9v", "PEM line 2: the END line is missing" },
	{ BEGIN END, "PEM line 2: an empty block" },
	{ BEGIN "Zm9v\n-----END X509 CRL-----\n",
	    "PEM line 3: END does not match BEGIN" },
	{ BEGIN "Zm9v\n-----END CERTIFICATE----\n",
	    "PEM line 3: END does not match BEGIN" },
	{ BEGIN "Zm9v\n" BEGIN "Zm9v\n" END,
	    "PEM line 3: END does not match BEGIN" },
	{ BEGIN "Zm9v\n\n" END,
	    "PEM line 3: a base64 line is empty or too long" },
	{ BEGIN "\nZm9v\n" END,
	    "PEM line 2: a base64 line is empty or too long" },
	{ BEGIN LINE64 "Zm9vZm9vZm9vZm9v\n" END,
	    "PEM line 2: a base64 line is empty or too long" },
	{ BEGIN "Proc-Type: 4,ENCRYPTED\n\nZm9v\n" END,
	    "PEM line 3: base64 goes on behind its last line" },
	{ BEGIN "Zm8=\nZm9v\n" END,
	    "PEM line 3: base64 goes on behind its last line" },
	{ BEGIN "Zm9vZ\nm9v\n" END,
	    "PEM line 3: base64 goes on behind its last line" },
	{ BEGIN "Zm9\n" END, "PEM line 3: not base64 above this line" },
	{ BEGIN "Zm9 \n" END, "PEM line 3: not base64 above this line" },
	{ BEGIN " Zm9v\n" END, "PEM line 3: not base64 above this line" },
	{ BEGIN "Zm9=\n" END, "PEM line 3: not base64 above this line" },
	{ BEGIN "Zm9_\n" END, "PEM line 3: not base64 above this line" },
	{ BEGIN "====\n" END, "PEM line 3: not base64 above this line" },
	{ BEGIN "Zm9v\r\rZ\n" END, "PEM line 3: not base64 above this line" },
};

static void
test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oc_pem_cursor c = {
			.text = bad[i].text, .len = strlen(bad[i].text)
		};
		struct oc_error error = { OC_OK, "" };
		char label[OC_PEM_LABEL_MAX + 1] = "untouched";
		uint8_t *der = NULL;
		size_t len = 77;
		enum oc_err err;

		err = oc_pem_next(&c, label, &der, &len, &error);
		if (err != OC_ERR_MALFORMED)
			fail_msg("number %zu: %s", i, oc_strerror(err));
		assert_string_equal(error.text, bad[i].error);
		assert_string_equal(label, "untouched");
		assert_null(der);
		assert_int_equal(len, 77);
	}
}

/* The other reader takes and refuses the same. */
static enum oc_err
spool(struct oc_pem_cursor *c, const char *wanted, const char *der)
{
	const char *const labels[2] = { wanted, "OLD NAME" };
	struct oc_mapping mapping = { .bytes = NULL };
	char label[OC_PEM_LABEL_MAX + 1];
	struct oc_error error = { OC_OK, "" };
	struct oc_spool s;
	enum oc_err err;

	assert_int_equal(oc_spool_open(&s, "test", 1024), OC_OK);
	err = oc_pem_next_spooled(c, labels, &s, label, &error);
	if (err == OC_OK) {
		assert_int_equal(oc_spool_seal(&s), OC_OK);
		assert_int_equal(oc_spool_map(&s, 0, &mapping), OC_OK);
		assert_int_equal(mapping.len, strlen(der));
		assert_memory_equal(mapping.bytes, der, mapping.len);
	} else if (err != OC_ERR_MISMATCH) {
		assert_int_equal(error.code, err);
	}
	oc_mapping_fini(&mapping);
	oc_spool_close(&s);
	return err;
}

static void
test_spooled(void **state)
{
	struct oc_pem_cursor c;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (good[i].der[0] == '\0')
			continue;
		c = (struct oc_pem_cursor){ .text = good[i].text,
		    .len = strlen(good[i].text) };
		assert_int_equal(spool(&c, good[i].label, good[i].der),
		    OC_OK);
		assert_int_equal(spool(&c, good[i].label, ""),
		    OC_ERR_NOT_FOUND);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c = (struct oc_pem_cursor){ .text = bad[i].text,
		    .len = strlen(bad[i].text) };
		assert_int_equal(spool(&c, "CERTIFICATE", ""),
		    OC_ERR_MALFORMED);
	}
	/* What is before it is skipped, and is well-formed as well. */
	c = (struct oc_pem_cursor){ .text = BEGIN "Zm9v\n" END
	    "-----BEGIN OLD NAME-----\nZm9vYg==\n-----END OLD NAME-----\n" };
	c.len = strlen(c.text);
	assert_int_equal(spool(&c, "NEW NAME", ""), OC_ERR_MISMATCH);
	assert_int_equal(spool(&c, "NEW NAME", "foob"), OC_OK);
	assert_int_equal(spool(&c, "NEW NAME", ""), OC_ERR_NOT_FOUND);
	c = (struct oc_pem_cursor){ .text = BEGIN "Zm9v\n" };
	c.len = strlen(c.text);
	assert_int_equal(spool(&c, "NEW NAME", ""), OC_ERR_MALFORMED);
}

static void
test_none(void **state)
{
	static const char *const texts[] = {
		"", "\n", "text", "0\x82", "----- BEGIN X-----\n",
		" -----BEGIN X-----\n",
	};
	char label[OC_PEM_LABEL_MAX + 1];
	uint8_t *der;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct oc_pem_cursor c = {
			.text = texts[i], .len = strlen(texts[i])
		};

		assert_int_equal(oc_pem_next(&c, label, &der, &len, NULL),
		    OC_ERR_NOT_FOUND);
		assert_int_equal(oc_pem_next(&c, label, &der, &len, NULL),
		    OC_ERR_NOT_FOUND);
	}
}

/* A NUL is no end of text: the text has a length. */
static void
test_nul(void **state)
{
	static const char text[] = "a\0b\n" BEGIN "Zm\0v\n" END;
	struct oc_pem_cursor c = { .text = text, .len = sizeof(text) - 1 };
	char label[OC_PEM_LABEL_MAX + 1];
	uint8_t *der;
	size_t len;

	(void)state;
	assert_int_equal(oc_pem_next(&c, label, &der, &len, NULL),
	    OC_ERR_MALFORMED);
}

/* Every length, out and in again, several blocks in one text. */
static void
test_round(void **state)
{
	struct oc_pem_cursor c = { .at = 0 };
	char label[OC_PEM_LABEL_MAX + 1];
	uint8_t bytes[200], *der;
	struct oc_buffer b;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37);
	oc_buffer_init(&b, 1 << 20);
	for (size_t n = 1; n <= sizeof(bytes); n++)
		oc_pem_write(&b, n % 2 != 0 ? "X509 CRL" : "CERTIFICATE",
		    bytes, n);
	assert_int_equal(b.err, OC_OK);
	c.text = oc_buffer_text(&b);
	c.len = b.len;
	for (size_t n = 1; n <= sizeof(bytes); n++) {
		assert_int_equal(oc_pem_next(&c, label, &der, &len, NULL),
		    OC_OK);
		assert_string_equal(label,
		    n % 2 != 0 ? "X509 CRL" : "CERTIFICATE");
		assert_int_equal(len, n);
		assert_memory_equal(der, bytes, n);
		free(der);
	}
	assert_int_equal(oc_pem_next(&c, label, &der, &len, NULL),
	    OC_ERR_NOT_FOUND);
	oc_buffer_fini(&b);
}

static void
test_write(void **state)
{
	struct oc_buffer b;

	(void)state;
	oc_buffer_init(&b, 1000);
	oc_pem_write(&b, "CERTIFICATE", OCTETS48, 48);
	assert_string_equal(oc_buffer_text(&b), BEGIN LINE64 "\n" END);
	oc_buffer_fini(&b);
	oc_pem_write(&b, "CERTIFICATE", OCTETS48 "foob", 52);
	assert_string_equal(oc_buffer_text(&b),
	    BEGIN LINE64 "\nZm9vYg==\n" END);
	oc_buffer_fini(&b);
	oc_buffer_init(&b, 60);
	oc_pem_write(&b, "CERTIFICATE", OCTETS48, 48);
	assert_int_equal(b.err, OC_ERR_LIMIT);
	oc_buffer_fini(&b);
}

static bool
has_key(const char *text)
{
	return oc_pem_has_private_key(text, strlen(text));
}

static void
test_private_key(void **state)
{
	(void)state;
	assert_true(has_key("-----BEGIN PRIVATE KEY-----\n"));
	assert_true(has_key("-----BEGIN RSA PRIVATE KEY-----\n"));
	assert_true(has_key("-----BEGIN EC PRIVATE KEY-----"));
	assert_true(has_key("-----BEGIN ENCRYPTED PRIVATE KEY-----\r\n"));
	assert_true(has_key("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
	assert_true(has_key(BEGIN "Zm9v\n" END
	    "-----BEGIN PRIVATE KEY-----\nZm9v\n"));
	/* Mangled, but the key is still in it. */
	assert_true(has_key("> -----BEGIN PRIVATE KEY----"));
	assert_true(has_key(
	    &"junk\0junk\n-----BEGIN PRIVATE KEY-----\n"[10]));
	assert_true(oc_pem_has_private_key(
	    "a\0b\n-----BEGIN PRIVATE KEY-----\n", 32));
	assert_false(has_key(""));
	assert_false(has_key(BEGIN "Zm9v\n" END));
	assert_false(has_key("-----BEGIN PUBLIC KEY-----\nZm9v\n"));
	assert_false(has_key("this is no PRIVATE KEY\n"));
	assert_false(has_key("-----BEGIN X-----\nPRIVATE KEY\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_spooled),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_private_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
