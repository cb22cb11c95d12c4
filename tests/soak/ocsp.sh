#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Ten million requests to the responder: see tests/conformance/leak.sh.

LEAK_REQUESTS=${LEAK_REQUESTS:-10000000}
export LEAK_REQUESTS
exec sh "${top_srcdir:?}/tests/conformance/leak.sh"
