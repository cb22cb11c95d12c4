/* SPDX-License-Identifier: Apache-2.0 */
/* openssl's index.txt: what each line says, and each way in which one is
 * wrong, by its number. */
#include "base_test.h"

#include "base/file.h"
#include "status/index_txt.h"

/* As "openssl ca" writes them. */
#define V "V\t361124145936Z\t\t"
#define R(when) "R\t361124145936Z\t" when "\t"
#define END "\tunknown\t/CN=a\n"

static enum oc_err
parse_in(const char *text, size_t len, size_t step, struct status_list **list,
    struct oc_error *error)
{
	struct status_index *index = malloc(sizeof(*index));
	enum oc_err err;

	assert_non_null(index);
	assert_int_equal(status_index_init(index), OC_OK);
	for (err = OC_OK; err == OC_OK && len > 0; len -= step, text += step) {
		if (step > len)
			step = len;
		err = status_index_put(index, text, step, error);
	}
	if (err == OC_OK)
		err = status_index_finish(index, list, error);
	status_index_fini(index);
	free(index);
	return err;
}

static struct status_list *
parse(const char *text)
{
	struct status_list *list = NULL;
	struct oc_error error = { 0 };

	if (parse_in(text, strlen(text), strlen(text), &list, &error) != OC_OK)
		fail_msg("%s", error.text);
	return list;
}

static const struct status_entry *
find(const struct status_list *list, const char *hex)
{
	static struct status_entry entry;
	struct oc_serial serial;

	assert_true(status_serial_read(hex, strlen(hex), &serial));
	return status_list_find(list, &serial, &entry) ? &entry : NULL;
}

static const char whole[] =
    "# a comment\n"
    R("251124145936Z") "80" END
    V "1A" END
    "V\t20510101000000Z\t\t02\tunknown\t/CN=a\\\tb\n"
    "E\t200101000000Z\t\t03\tunknown\t/CN=" "\xc3\xa4" "\n"
    R("251124145936Z,keyCompromise") "04" END
    R("20251124145936Z,CAkeyTime,20200102030405Z") "05" END
    R("251124145936Z,holdInstruction,holdInstructionReject") "06" END
    R("251124145936Z,certificateHold") "07" END
    R("251124145936Z,removeFromCRL") "08" END
    R("251124145936Z,keyTime,20200102030405Z") "09" END
    R("251124145936Z,SUPERSEDED") "0A" END
    V "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" END;

static void
check_whole(const struct status_list *list)
{
	static const struct {
		const char *serial;
		bool is_revoked;
		enum crl_reason reason;
	} says[] = {
		{ "80", true, CRL_REASON_UNSPECIFIED },
		{ "1A", false, CRL_REASON_UNSPECIFIED },
		{ "02", false, CRL_REASON_UNSPECIFIED },
		{ "03", false, CRL_REASON_UNSPECIFIED },
		{ "04", true, CRL_REASON_KEY_COMPROMISE },
		{ "05", true, CRL_REASON_CA_COMPROMISE },
		{ "06", true, CRL_REASON_CERTIFICATE_HOLD },
		{ "07", true, CRL_REASON_CERTIFICATE_HOLD },
		{ "08", false, CRL_REASON_REMOVE_FROM_CRL },
		{ "09", true, CRL_REASON_KEY_COMPROMISE },
		{ "0A", true, CRL_REASON_SUPERSEDED },
		{ "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", false,
		    CRL_REASON_UNSPECIFIED },
	};

	assert_int_equal(list->num_entries, 12);
	assert_int_equal(list->num_revoked, 7);
	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		const struct status_entry *e = find(list, says[i].serial);

		assert_non_null(e);
		assert_int_equal(e->is_revoked, says[i].is_revoked);
		assert_int_equal(e->reason, says[i].reason);
		if (says[i].is_revoked)
			assert_true(e->revoked_at == INT64_C(1763996376));
	}
	assert_true(find(list, "1A")->not_after == INT64_C(2111151576));
	assert_true(find(list, "02")->not_after == INT64_C(2556144000));
	assert_true(find(list, "03")->not_after == INT64_C(1577836800));
	assert_null(find(list, "0B"));
}

/* In parts of any length it is the same. */
static void
test_whole(void **state)
{
	struct status_list *list = NULL;
	struct oc_error error = { 0 };

	(void)state;
	for (size_t step = 1; step < sizeof(whole); step += step / 4 + 1) {
		if (parse_in(whole, sizeof(whole) - 1, step, &list, &error) !=
		    OC_OK)
			fail_msg("%s", error.text);
		check_whole(list);
		status_list_release(list);
	}
}

static const struct { const char *text, *why; } bad[] = {
	{ "", "no certificate is in it" },
	{ "# nothing\n", "no certificate is in it" },
	{ V "01\tunknown\t/CN=a", "line 1: it has no end" },
	{ V "01" END "V\t36", "line 2: it has no end" },
	{ "\n", "line 1: it has not six fields" },
	{ V "01" END "\n", "line 2: it has not six fields" },
	{ "V\t361124145936Z\t\t01\tunknown\n", "line 1: it has not six" },
	{ V "01\tunknown\t/CN=a\tb\n", "line 1: it has not six fields" },
	{ V "01" END "X\t361124145936Z\t\t02" END, "line 2: the status is" },
	{ "VV\t361124145936Z\t\t01" END, "line 1: the status is none" },
	{ "v\t361124145936Z\t\t01" END, "line 1: the status is none" },
	{ "\t361124145936Z\t\t01" END, "line 1: the status is none" },
	{ "V\t361124145936Z\t251124145936Z\t01" END, "line 1: it has a date "
	    "of revocation, and is not revoked" },
	{ "E\t361124145936Z\t251124145936Z\t01" END, "line 1: it has a date" },
	{ R("") "01" END, "line 1: it is revoked, and has no date" },
	{ R("251324145936Z") "01" END, "line 1: the revocation does not" },
	{ R(",keyCompromise") "01" END, "line 1: the revocation does not" },
	{ R("251124145936Z,") "01" END, "line 1: the reason of the" },
	{ R("251124145936Z,bored") "01" END, "line 1: the reason of the" },
	{ R("251124145936Z,keyCompromise,1") "01" END, "line 1: the reason "
	    "of the revocation has no argument" },
	{ R("251124145936Z,keyTime") "01" END, "line 1: keyTime and" },
	{ R("251124145936Z,keyTime,200102030405Z") "01" END, "line 1: keyT" },
	{ R("251124145936Z,CAkeyTime,") "01" END, "line 1: keyTime and" },
	{ R("251124145936Z,holdInstruction") "01" END, "line 1: holdInstr" },
	{ "V\t3611241459Z\t\t01" END, "line 1: the end is no date" },
	{ "V\t\t\t01" END, "line 1: the end is no date" },
	{ "V\t361124145936+0100\t\t01" END, "line 1: the end is no date" },
	{ V END, "line 1: the serial number is not" },
	{ V "1" END, "line 1: the serial number is not" },
	{ V "00" END, "line 1: the serial number is not" },
	{ V "-1" END, "line 1: the serial number is not" },
	{ V "0G" END, "line 1: the serial number is not" },
	{ V "800000000000000000000000000000000000000000" END, "line 1: the "
	    "serial number is not" },
	{ V "8000000000000000000000000000000000000000" END, "line 1: the "
	    "serial number is not" },
};

static void
test_bad(void **state)
{
	struct status_list *list = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct oc_error error = { 0 };

		assert_int_equal(parse_in(bad[i].text, strlen(bad[i].text), 7,
		    &list, &error), OC_ERR_MALFORMED);
		if (strncmp(error.text, bad[i].why, strlen(bad[i].why)) != 0)
			fail_msg("\"%s\", not \"%s\"", error.text, bad[i].why);
		assert_null(list);
	}
}

static void
test_nul(void **state)
{
	static const char text[] = V "01\tunknown\t/CN=a\0b\n";
	struct status_list *list = NULL;
	struct oc_error error = { 0 };

	(void)state;
	assert_int_equal(parse_in(text, sizeof(text) - 1, 100, &list, &error),
	    OC_ERR_MALFORMED);
	assert_string_equal(error.text, "line 1: there is a NUL in it");
}

/* One octet more than is allowed, in one part and in several. */
static void
test_long(void **state)
{
	char *text = malloc(OC_INDEX_LINE_MAX + 2);
	int head = sprintf(text, V "01\tunknown\t/CN=");

	(void)state;
	for (size_t more = 0; more < 2; more++)
		for (size_t step = 1000; step < 100000; step *= 50) {
			struct status_list *list = NULL;
			struct oc_error error = { 0 };
			size_t len = OC_INDEX_LINE_MAX + more;
			enum oc_err err;

			memset(text + head, 'a', len - (size_t)head);
			text[len] = '\n';
			err = parse_in(text, len + 1, step, &list, &error);
			status_list_release(list);
			assert_int_equal(err, more == 0 ? OC_OK :
			    OC_ERR_MALFORMED);
			if (more != 0)
				assert_non_null(strstr(error.text, "line 1: "
				    "it is longer than"));
		}
	free(text);
}

static void
put_file(const char *text)
{
	assert_int_equal(oc_file_write("index.txt", 0644, text, strlen(text),
	    NULL), OC_OK);
}

static void
test_twice(void **state)
{
	struct oc_file_stamp stamp;
	struct status_list *list = NULL;
	struct oc_error error = { 0 };

	(void)state;
	put_file(V "01" END V "0A" END "#\n" R("251124145936Z") "02" END
	    V "000a" END);
	assert_int_equal(status_index_read("index.txt", &list, &stamp, &error),
	    OC_ERR_MALFORMED);
	assert_string_equal(error.text, "line 5: the serial number 0A stands "
	    "in line 2 as well");
}

static void
test_file(void **state)
{
	struct oc_file_stamp stamp, same;
	struct status_list *list = NULL;
	struct oc_error error = { 0 };

	(void)state;
	assert_int_equal(status_index_read("index.txt", &list, &stamp, &error),
	    OC_ERR_NOT_FOUND);
	assert_int_equal(status_index_read(".", &list, &stamp, &error),
	    OC_ERR_REFUSED);
	put_file(whole);
	assert_int_equal(status_index_read("index.txt", &list, &stamp, &error),
	    OC_OK);
	check_whole(list);
	assert_int_equal(oc_file_stamp("index.txt", &same, NULL), OC_OK);
	assert_true(oc_file_stamp_equal(&stamp, &same));
	status_list_release(list);
}

/* What is written says the same. */
static void
test_written(void **state)
{
	struct status_list *list = parse(whole), *again;
	struct oc_mapping written;
	char *text;

	(void)state;
	assert_int_equal(status_index_write(list, "# ours", &written), OC_OK);
	assert_memory_equal(written.bytes, "# ours\n", 7);
	text = strndup((const char *)written.bytes, written.len);
	oc_mapping_fini(&written);
	assert_non_null(text);
	again = parse(text);
	check_whole(again);
	assert_true(status_list_equal(list, again));
	free(text);
	status_list_release(list);
	status_list_release(again);
}

/* What one no longer says that another did. */
static const struct {
	const char *before, *after;
	uint32_t final, dropped, removed, live, missing;
} lost[] = {
	{ V "01" END V "02" END, V "02" END V "01" END, 0, 0, 0, 2, 0 },
	{ V "01" END V "02" END, V "02" END, 0, 0, 0, 2, 1 },
	{ V "01" END, "V\t361124145937Z\t\t01" END, 0, 0, 0, 1, 1 },
	{ V "01" END "E\t200101000000Z\t\t02" END, V "01" END, 0, 0, 0, 1, 0 },
	{ R("251124145936Z") "01" END, V "01" END, 1, 1, 0, 1, 0 },
	{ R("251124145936Z") "01" END, R("251124145936Z,certificateHold")
	    "01" END, 1, 1, 0, 1, 0 },
	{ R("251124145936Z,certificateHold") "01" END, V "01" END, 0, 0, 0,
	    1, 0 },
	{ R("251124145936Z") "01" END, R("251124145936Z,removeFromCRL")
	    "01" END, 1, 0, 1, 1, 0 },
	{ "R\t200101000000Z\t190101000000Z\t01" END V "02" END, V "02" END,
	    1, 0, 0, 1, 0 },
	{ "R\t200101000000Z\t190101000000Z\t01" END, "E\t200101000000Z\t\t01"
	    END, 1, 1, 0, 0, 0 },
	{ R("251124145936Z") "01" END, V "02" END, 1, 1, 0, 1, 1 },
};

static void
test_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
		struct status_list *before = parse(lost[i].before);
		struct status_list *after = parse(lost[i].after);
		struct status_lost is;

		status_list_compare(after, before, INT64_C(1800000000), &is);
		assert_int_equal(is.num_final, lost[i].final);
		assert_int_equal(is.num_dropped, lost[i].dropped);
		assert_int_equal(is.num_removed, lost[i].removed);
		assert_int_equal(is.num_live, lost[i].live);
		assert_int_equal(is.num_missing, lost[i].missing);
		status_list_release(before);
		status_list_release(after);
	}
	assert_false(status_lost_is_above(0, 0, 0));
	assert_true(status_lost_is_above(1, 100, 0));
	assert_false(status_lost_is_above(1, 100, 1));
	assert_true(status_lost_is_above(2, 100, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_long),
		cmocka_unit_test_setup_teardown(test_twice, base_test_enter,
		    base_test_leave),
		cmocka_unit_test_setup_teardown(test_file, base_test_enter,
		    base_test_leave),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
