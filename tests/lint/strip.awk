# SPDX-License-Identifier: Apache-2.0
#
# strip(line): C without comments and with empty literals.  Remembers, from
# line to line of a file, whether it is inside a comment.

function strip(line,    out, two, c, quote) {
	if (FNR == 1)
		in_comment = 0
	out = ""
	while (line != "") {
		two = substr(line, 1, 2)
		c = substr(line, 1, 1)
		if (in_comment) {
			if (two == "*/") {
				in_comment = 0
				line = substr(line, 3)
			} else {
				line = substr(line, 2)
			}
		} else if (two == "/*") {
			in_comment = 1
			out = out " "
			line = substr(line, 3)
		} else if (two == "//") {
			line = ""
		} else if (c == "\"" || c == "'") {
			quote = c
			out = out c c
			line = substr(line, 2)
			while (line != "" && substr(line, 1, 1) != quote) {
				if (substr(line, 1, 1) == "\\")
					line = substr(line, 2)
				line = substr(line, 2)
			}
			line = substr(line, 2)
		} else {
			out = out c
			line = substr(line, 2)
		}
	}
	return out
}
