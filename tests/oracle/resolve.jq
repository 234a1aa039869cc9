# The imports that loop-deps resolved, a line each: file, line, column, form, spec, name, and the tree's file it is or "-".
.files[] | .path as $path | .imports[] | select(.computed | not)
	| [$path, .line, .column, .form, .spec, .name // "", .file // "-"] | join("\t")
