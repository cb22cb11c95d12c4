#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The manual pages are well-formed mdoc.

. "$(dirname -- "$0")/files.sh"

pages=$(find_in man -name '*.[1-8]')
if [ -z "$pages" ]; then
	echo "skipped: there is no manual page"
	exit 77
fi
if ! command -v mandoc >/dev/null; then
	echo "skipped: mandoc is not installed"
	exit 77
fi
# shellcheck disable=SC2086
mandoc -Tlint -Wwarning $pages
