#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The form of C and of scripts: 80 columns, tabs, functions of at most 80
# lines, files of at most 700.  A table is no function: it may be longer.

. "$(dirname -- "$0")/files.sh"

# shellcheck disable=SC2046
awk -f "$lint_dir/size.awk" $(c_files) $(script_files) /dev/null
