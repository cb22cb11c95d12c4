#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What a header declares starts with its folder's prefix.

. "$(dirname -- "$0")/files.sh"

# shellcheck disable=SC2046
awk -f "$lint_dir/strip.awk" -f "$lint_dir/names.awk" \
    $(source_files | grep '\.h$') /dev/null
