#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# No path of the machine somebody worked on.

. "$(dirname -- "$0")/files.sh"

# tests/lint is where such paths must be written down.
# shellcheck disable=SC2046
if grep -InE '(^|[^[:alnum:]_./~-])/(home|root|srv|Users)/' \
    $(text_files | grep -v '^tests/lint/') /dev/null; then
	echo "paths of one machine: use \$top_srcdir, \$TMPDIR or a setting"
	exit 1
fi
