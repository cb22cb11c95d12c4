/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7512 URIs: what we take, what we refuse, and that no PIN is repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pkcs11/uri.h"

static void
token_fields_are_decoded(void **state)
{
	struct oc_error error = { 0 };
	struct p11_uri u;

	(void)state;
	assert_int_equal(p11_uri_parse_token("pkcs11:token=My%20CA;serial=00ff;"
	    "manufacturer=SoftHSM%20project;model=v2", &u, &error), OC_OK);
	assert_string_equal(u.token, "My CA");
	assert_string_equal(u.serial, "00ff");
	assert_string_equal(u.manufacturer, "SoftHSM project");
	assert_string_equal(u.model, "v2");
	assert_string_equal(u.object, "");
	assert_int_equal(u.id_len, 0);
}

static void
key_fields_are_decoded(void **state)
{
	static const uint8_t id[] = { 0x00, 0x01, 0xfe };
	struct oc_error error = { 0 };
	struct p11_uri u;

	(void)state;
	assert_int_equal(p11_uri_parse_key("pkcs11:object=a%3bb;id=%00%01%FE;"
	    "type=private", &u, &error), OC_OK);
	assert_string_equal(u.object, "a;b");
	assert_int_equal(u.id_len, sizeof(id));
	assert_memory_equal(u.id, id, sizeof(id));
	assert_int_equal(u.type, P11_URI_PRIVATE);
	assert_int_equal(p11_uri_parse_key("ca-key", &u, &error), OC_OK);
	assert_string_equal(u.object, "ca-key");
	assert_int_equal(u.type, P11_URI_ANY);
	assert_string_equal(u.token, "");
}

/* All that RFC 7512 has, in any case of its scheme, in any order. */
static void
places_and_queries_are_read(void **state)
{
	struct oc_error error = { 0 };
	struct p11_uri u, v;

	(void)state;
	assert_int_equal(p11_uri_parse_token("Pkcs11:token=t;"
	    "library-manufacturer=Maker%20Inc;library-description=A%20lib;"
	    "library-version=2.11;slot-description=Reader%201;"
	    "slot-manufacturer=Reader%20Inc;slot-id=4711"
	    "?pin-source=file:/etc/pin%20file&module-path=/usr/lib/x.so&"
	    "module-name=x", &u, &error), OC_OK);
	assert_string_equal(u.library_manufacturer, "Maker Inc");
	assert_string_equal(u.library_description, "A lib");
	assert_true(u.has_library_version);
	assert_int_equal(u.library_major, 2);
	assert_int_equal(u.library_minor, 11);
	assert_string_equal(u.slot_description, "Reader 1");
	assert_string_equal(u.slot_manufacturer, "Reader Inc");
	assert_true(u.has_slot_id);
	assert_int_equal(u.slot_id, 4711);
	assert_string_equal(u.pin_source, "file:/etc/pin file");
	assert_string_equal(u.module_path, "/usr/lib/x.so");
	assert_int_equal(p11_uri_check_module(&u, "/usr/lib/x.so", &error),
	    OC_OK);
	assert_int_equal(p11_uri_check_module(&u, "/usr/lib/y.so", &error),
	    OC_ERR_CONFIG);
	assert_int_equal(p11_uri_parse_token("pkcs11:token=t?"
	    "pin-source=/etc/pin", &v, &error), OC_OK);
	assert_string_equal(v.pin_source, "file:/etc/pin");
	assert_false(v.has_slot_id);
	assert_false(v.has_library_version);
	assert_int_equal(p11_uri_parse_token("pkcs11:token=t?"
	    "pin-source=file:///etc/pin", &v, &error), OC_OK);
	assert_string_equal(v.pin_source, "file:/etc/pin");
	/* The tokens differ as soon as one thing of them does. */
	assert_false(p11_uri_is_other_token(&u, &v));
	p11_uri_narrow(&v, &u);
	assert_int_equal(v.slot_id, 4711);
	assert_string_equal(v.slot_description, "Reader 1");
	v.slot_id++;
	assert_true(p11_uri_is_other_token(&u, &v));
	v = u;
	v.library_minor++;
	assert_true(p11_uri_is_other_token(&u, &v));
	/* Of a key's URI the query is none of its business. */
	assert_int_equal(p11_uri_parse_key("pkcs11:object=x?"
	    "pin-source=/etc/pin", &v, &error), OC_ERR_REFUSED);
	assert_int_equal(p11_uri_parse_key("pkcs11:object=x?"
	    "module-path=/x.so", &v, &error), OC_ERR_REFUSED);
}

static void
bad_ones_are_refused_without_being_repeated(void **state)
{
	static const struct { const char *text; enum oc_err err; } bad[] = {
		{ "pkcs11:token=t?pin-value=s3cret", OC_ERR_REFUSED },
		{ "pkcs11:token=t;pin-value=s3cret", OC_ERR_REFUSED },
		{ "pkcs11:token=t?PIN-VALUE=s3cret", OC_ERR_REFUSED },
		{ "pkcs11:token=t?pin-source=s3cret", OC_ERR_REFUSED },
		{ "pkcs11:token=t?pin-source=file:s3cret", OC_ERR_REFUSED },
		{ "pkcs11:token=t?pin-source=file://host/s3cret",
		    OC_ERR_REFUSED },
		{ "pkcs11:token=t?pin-source=%7Cs3cret", OC_ERR_REFUSED },
		{ "pkcs11:token=t?module-path=s3cret.so", OC_ERR_REFUSED },
		{ "pkcs11:token=t;token=s3cret", OC_ERR_MALFORMED },
		{ "pkcs11:token=s3cret;object=a;token=t", OC_ERR_MALFORMED },
		{ "pkcs11:object=s3cret;id=%01;object=a", OC_ERR_MALFORMED },
		{ "pkcs11:slot-id=3", OC_ERR_MALFORMED },
		{ "pkcs11:library-description=x", OC_ERR_MALFORMED },
		{ "pkcs11:token=t;s3cret=1", OC_ERR_UNSUPPORTED },
		{ "pkcs11:token=%zz", OC_ERR_MALFORMED },
		{ "pkcs11:token", OC_ERR_MALFORMED },
		{ "pkcs12:token=t", OC_ERR_MALFORMED },
		{ "t", OC_ERR_MALFORMED },
		{ "", OC_ERR_MALFORMED },
		{ "pkcs11:", OC_ERR_MALFORMED },
		{ "pkcs11:object=ca", OC_ERR_MALFORMED },
	};
	struct p11_uri u;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oc_error error = { 0 };
		enum oc_err err = p11_uri_parse_token(bad[i].text, &u,
		    &error);

		if (err != bad[i].err)
			print_error("%s: %s\n", bad[i].text, error.text);
		assert_int_equal(err, bad[i].err);
		assert_string_not_equal(error.text, "");
		assert_null(strstr(error.text, "s3cret"));
	}
}

static void
keys_must_be_named(void **state)
{
	char label[P11_OBJECT_LABEL_MAX + 1];
	struct oc_error error = { 0 };
	struct p11_uri u;

	(void)state;
	assert_int_equal(p11_uri_parse_key("pkcs11:token=t", &u, &error),
	    OC_ERR_MALFORMED);
	assert_int_equal(p11_uri_parse_key("pkcs11:object=x;type=cert", &u,
	    &error), OC_ERR_MISMATCH);
	assert_int_equal(p11_uri_parse_key("pkcs11:object=x;type=data", &u,
	    &error), OC_ERR_UNSUPPORTED);
	assert_int_equal(p11_uri_parse_key("PKCS11:object=x?pin-value=1", &u,
	    &error), OC_ERR_REFUSED);
	assert_int_equal(p11_uri_parse_key("", &u, &error), OC_ERR_LIMIT);
	memset(label, 'x', sizeof(label));
	label[sizeof(label) - 1] = '\0';
	assert_int_equal(p11_uri_parse_key(label, &u, &error), OC_ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token_fields_are_decoded),
		cmocka_unit_test(key_fields_are_decoded),
		cmocka_unit_test(places_and_queries_are_read),
		cmocka_unit_test(bad_ones_are_refused_without_being_repeated),
		cmocka_unit_test(keys_must_be_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
