#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# tests/interop/mass.sh with a million certificates, of which responses last as
# long as they usually do, and a token of its own speed: what was planned, how
# long it took, and how much memory the roles had.  SIZE: another number.

MASS_SIZE=${SIZE:-1000000} MASS_OTHERS=${OTHERS:-20000} MASS_LASTS=0
MASS_LIFETIME=4d MASS_BACKDATE=1h MASS_START=7200 MASS_PATIENCE=3600
export MASS_SIZE MASS_OTHERS MASS_LASTS MASS_LIFETIME MASS_BACKDATE MASS_START
export MASS_PATIENCE
exec "${SHELL:-/bin/sh}" "$top_srcdir/tests/interop/mass.sh"
