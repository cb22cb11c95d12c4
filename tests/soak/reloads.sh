#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A hundred reloads at full load: see tests/interop/reloads.sh.

RELOADS=${RELOADS:-100}
export RELOADS
exec sh "${top_srcdir:?}/tests/interop/reloads.sh"
