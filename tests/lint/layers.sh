#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Includes go one way between the rooms, and only the rooms named here see a
# library's headers.  HACKING has the picture.

. "$(dirname -- "$0")/files.sh"

# shellcheck disable=SC2046
awk -f "$lint_dir/layers.awk" $(source_files) /dev/null
