# Validates by JSON Schema draft-07, as far as share/schemas uses it. For every event that does not
# conform one line, "ID TYPE: PATH: what is wrong".
#	jq -rn -L tests --argjson schemas '{"event":…,"story.started":…}' 'include "schema"; check_events'

def type_is($name):
	if $name == "integer" then type == "number" and . == floor else type == $name end;

def fault($path; $what): $path + ": " + $what;

def check($schema; $path):
	. as $value |
	( $schema.type // empty | if type == "array" then . else [.] end
	| select(any(.[]; . as $name | $value | type_is($name)) | not)
	| fault($path; "is not of type " + join(" or ")) ),
	( $schema | select(has("const")) | select(.const != $value) | fault($path; "is not \(.const)") ),
	( $schema.enum // empty | select(index([$value]) | not) | fault($path; "is none of " + join(", ")) ),
	( $schema.pattern // empty | . as $pattern
	| select($value | type == "string" and (test($pattern) | not)) | fault($path; "does not match " + $pattern) ),
	( $schema.minLength // empty | select(($value | type) == "string" and ($value | length) < .)
	| fault($path; "is too short") ),
	( $schema.maxLength // empty | select(($value | type) == "string" and ($value | length) > .)
	| fault($path; "is too long") ),
	( $schema.minimum // empty | select(($value | type) == "number" and $value < .)
	| fault($path; "is too small") ),
	( select(type == "object")
	| ( $schema.required // [] | .[] | . as $key | select($value | has($key) | not)
	  | fault($path; "has no \($key)") ),
	  ( keys_unsorted[] as $key
	  | ($schema.properties // {}) as $properties
	  | ([$schema.patternProperties // {} | keys_unsorted[] | . as $p | select($key | test($p))] | length > 0) as $matched
	  | if $properties | has($key) then .[$key] | check($properties[$key]; $path + "." + $key)
	    elif $matched then empty
	    elif $schema.additionalProperties == false then fault($path; "may not have \($key)")
	    elif $schema.additionalProperties | type == "object" then .[$key] | check($schema.additionalProperties; $path + "." + $key)
	    else empty end ) );

def check_events:
	inputs as $event | $event
	| ( check($schemas.event; "event") ),
	  ( select($schemas | has($event.type)) | .data | check($schemas[$event.type]; "data") )
	| "\($event.id) \($event.type): \(.)";
