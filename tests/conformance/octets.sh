#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A hundred thousand random answers are octet for octet what OpenSSL writes;
# make check has some thousands of them.

OCSIGN_TEST_SLOTS=${OCSIGN_TEST_SLOTS:-100000}
export OCSIGN_TEST_SLOTS
exec "${top_builddir:?}/tests/unit/test_ocsp_context"
