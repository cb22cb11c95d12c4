# SPDX-License-Identifier: Apache-2.0

BEGIN {
	COLUMNS_MAX = 80
	FUNCTION_MAX = 80
	FILE_MAX = 700
	status = 0
}

function complain(what) {
	print FILENAME ":" FNR ": " what
	status = 1
}

# Tabs go to the next multiple of 8; UTF-8's tail bytes take no column.
function width(line,    n, part, i, w) {
	gsub(/[\200-\277]/, "", line)
	n = split(line, part, "\t")
	w = 0
	for (i = 1; i <= n; i++) {
		w += length(part[i])
		if (i < n)
			w += 8 - w % 8
	}
	return w
}

FNR == 1 {
	is_c = FILENAME ~ /\.[ch]$/
	body_at = 0
}

width($0) > COLUMNS_MAX { complain("longer than " COLUMNS_MAX " columns") }
/[ \t]$/ { complain("blanks at the end of the line") }
/\r$/ { complain("a carriage return at the end of the line") }
FNR == FILE_MAX + 1 { complain("longer than " FILE_MAX " lines") }

# Continuation lines have four spaces behind their tabs.
is_c && (/^\t*        / || /^\t* +\t/) { complain("indented with spaces") }

is_c && /^{/ { body_at = FNR }
is_c && /^}/ && body_at > 0 {
	if (FNR - body_at - 1 > FUNCTION_MAX)
		complain("a function of more than " FUNCTION_MAX " lines")
	body_at = 0
}

END { exit status }
