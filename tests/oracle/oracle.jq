# The imports that loop-deps found, a line each: file, line, column, form, "type" or "-", what is named, the name.
.files[] | .path as $path | .language as $language | .imports[]
	| select(.computed | not) | select(.spec != "" or .name)
	| [$path, .line, .column, .form, (if .type and $language != "python" then "type" else "-" end), .spec, .name // ""]
	| join("\t")
