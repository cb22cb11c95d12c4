#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# tests/faults/kill.sh, a thousand times.

OCSIGN_KILLS=${OCSIGN_KILLS:-1000}
export OCSIGN_KILLS
exec "${SHELL:-/bin/sh}" "$top_srcdir/tests/faults/kill.sh"
