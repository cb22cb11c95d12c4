#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A start with many certificates (tests/bench/start.sh has millions): what was
# revoked while nothing ran is the first thing that is asked for, and revoked.

BENCH_STARTS=${BENCH_STARTS:-20000 100000}
BENCH_ROUNDS=${BENCH_ROUNDS:-2}
export BENCH_STARTS BENCH_ROUNDS
exec sh "${top_srcdir:?}/tests/bench/start.sh"
