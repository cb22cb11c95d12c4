#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What is left to do is an issue with a number.

. "$(dirname -- "$0")/files.sh"

# shellcheck disable=SC2046
awk '
/(^|[^A-Za-z0-9_])(TODO|FIXME|XXX)([^A-Za-z0-9_]|$)/ && !/#[0-9]+/ {
	print FILENAME ":" FNR ": no issue number"
	status = 1
}
END { exit status }
' $(text_files | grep -v '^tests/lint/') /dev/null
