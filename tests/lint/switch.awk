# SPDX-License-Identifier: Apache-2.0

BEGIN {
	pass = 1
	status = 0
}

FNR == 1 {
	in_enum = 0
	depth = 0
	num_switches = 0
	is_switch_next = 0
}

{ line = strip($0) }

# The first word of every item of "enum name { ... }".
pass == 1 {
	if (line ~ /(^|[ \t])enum[ \t]+[a-z0-9_]+[ \t]*{/) {
		in_enum = 1
		sub(/.*{/, "", line)
	}
	if (!in_enum)
		next
	if (index(line, "}") > 0)
		in_enum = 0
	sub(/}.*/, "", line)
	n = split(line, item, ",")
	for (i = 1; i <= n; i++) {
		sub(/^[ \t]+/, "", item[i])
		sub(/[^A-Za-z0-9_].*/, "", item[i])
		if (item[i] ~ /^[A-Z]/)
			is_enum[item[i]] = 1
	}
	next
}

# A stack of switches by the depth of their braces.
{
	if (num_switches > 0) {
		label = line
		if (label ~ /^[ \t]*case[ \t]+[A-Z]/) {
			sub(/^[ \t]*case[ \t]+/, "", label)
			sub(/[^A-Za-z0-9_].*/, "", label)
			if (label in is_enum)
				enum_label[num_switches] = label
		} else if (label ~ /^[ \t]*default[ \t]*:/) {
			default_at[num_switches] = FNR
		}
	}
	if (line ~ /(^|[^A-Za-z0-9_])switch[ \t]*\(/)
		is_switch_next = 1
	n = length(line)
	for (i = 1; i <= n; i++) {
		c = substr(line, i, 1)
		if (c == "{") {
			depth++
			if (is_switch_next) {
				is_switch_next = 0
				num_switches++
				switch_depth[num_switches] = depth
				enum_label[num_switches] = ""
				default_at[num_switches] = 0
			}
		} else if (c == "}") {
			if (num_switches > 0 &&
			    switch_depth[num_switches] == depth)
				end_switch()
			depth--
		}
	}
}

function end_switch() {
	if (default_at[num_switches] && enum_label[num_switches] != "") {
		print FILENAME ":" default_at[num_switches] \
		    ": default in a switch over the enum of " \
		    enum_label[num_switches]
		status = 1
	}
	num_switches--
}

END { exit status }
