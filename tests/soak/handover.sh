#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Five hundred reloads under load: see tests/interop/handover.sh.

HANDOVER_RELOADS=${HANDOVER_RELOADS:-500}
export HANDOVER_RELOADS
exec sh "${top_srcdir:?}/tests/interop/handover.sh"
