#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Line 1, or 2 behind "#!", names the licence.

. "$(dirname -- "$0")/files.sh"

# shellcheck disable=SC2046
awk '
function finish() {
	if (file != "" && !is_there) {
		print file ":1: no SPDX-License-Identifier: Apache-2.0"
		status = 1
	}
}
FNR == 1 { finish(); file = FILENAME; is_there = 0 }
FNR == 1 || (FNR == 2 && is_script) {
	if ($0 ~ /SPDX-License-Identifier: Apache-2\.0/)
		is_there = 1
}
FNR == 1 { is_script = /^#!/ }
END { file = file == "/dev/null" ? "" : file; finish(); exit status }
' $(text_files | grep -Ev \
    '^(README|HACKING|DECISIONS|CHANGES|SECURITY|SIZE)$|/README$') /dev/null
