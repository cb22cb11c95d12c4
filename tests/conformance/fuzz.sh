#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The short form of tests/soak/fuzz.sh, with or without libFuzzer.

command -v openssl >/dev/null || {
	echo "openssl is not installed"
	exit 77
}
exec sh "${top_srcdir:?}/tests/fuzz/fuzz.sh"
