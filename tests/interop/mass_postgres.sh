#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# tests/interop/mass.sh with the records in PostgreSQL.

MASS_STORE=postgres MASS_SIZE=${MASS_SIZE:-1200}
export MASS_STORE MASS_SIZE
exec "${SHELL:-/bin/sh}" "$top_srcdir/tests/interop/mass.sh"
