#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# tests/interop/acme_traps.sh with the records in PostgreSQL.

ACME_STORE=postgres
export ACME_STORE
exec "${SHELL:-/bin/sh}" "$top_srcdir/tests/interop/acme_traps.sh"
