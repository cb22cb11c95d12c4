#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Ten minutes of random faults in one of two tokens, at full load; SOAK_SEED=N
# makes the same again.

SOAK_SECONDS=${SOAK_SECONDS:-600}
export SOAK_SECONDS
exec "${top_builddir:?}/tests/faults/test_tokens_soak"
