/* SPDX-License-Identifier: Apache-2.0 */
/* Is CAA asked about a name with the method that proved that very name? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "issuer/caa.h"

/* RFC 8657, 4: one order may have a name by http-01, and its wildcard. */
static void
methods(void **state)
{
	static const struct issuer_proof proofs[] = {
		{ "a.test", false, "http-01" },
		{ "a.test", true, "dns-01" },
		{ "b.test", true, "ca-dns" }
	};
	struct issuer_proofs *list = calloc(1, sizeof(*list) +
	    sizeof(proofs));

	(void)state;
	assert_non_null(list);
	for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++)
		list->list[list->num++] = proofs[i];
	assert_string_equal(issuer_proofs_method(list, "a.test", false),
	    "http-01");
	assert_string_equal(issuer_proofs_method(list, "a.test", true),
	    "dns-01");
	assert_string_equal(issuer_proofs_method(list, "b.test", true),
	    "ca-dns");
	assert_null(issuer_proofs_method(list, "b.test", false));
	assert_null(issuer_proofs_method(list, "c.test", false));
	assert_null(issuer_proofs_method(NULL, "a.test", false));
	free(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(methods)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
