# The list of loop-events(7), made from share/schemas when the manual is built: {NAME: schema, …} slurped.
def roff: gsub("\\\\"; "\\e") | gsub("^(?<c>[.'])"; "\\&\(.c)");
def kind: .value | if .enum then .enum | map(tojson) | join(", ")
  elif (.type | type) == "array" then .type | join(" or ") else .type // "any" end;
def member($required): ".It " + (.key | roff) + (if .key | IN($required[]) then "" else " Pq optional" end)
  + "\n" + (kind | roff);
to_entries | sort_by(.key)[]
| select(.key | IN("plan", "event") | not)
| .key as $type | .value as $schema
| ".It Ic \($type)",
  ($schema.description | sub(" The data of an event of this type[.]$"; "") | roff),
  (if ($schema.properties // {}) == {} then empty else
    ".Bl -tag -width Ds -compact",
    ($schema.properties | to_entries[] | member($schema.required // [])), ".El" end)
