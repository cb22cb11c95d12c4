#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Ten million requests to the responder: see tests/conformance/leak.sh.

LEAK_ROUNDS=${LEAK_ROUNDS:-5000}
export LEAK_ROUNDS
exec sh "${top_srcdir:?}/tests/conformance/leak.sh"
