#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A switch over one of our enums lists every value, so that the compiler
# points at it when there is a new one: no default.

. "$(dirname -- "$0")/files.sh"

# Read twice: first for the values of named enums.
# shellcheck disable=SC2046
set -- $(source_files)
awk -f "$lint_dir/strip.awk" -f "$lint_dir/switch.awk" \
    "$@" pass=2 "$@" /dev/null
