# mutants: behind a map as a function of a list of lines ("mapped"), reads captured streams and changes each
# in every way in which a capture may differ: a line or a member is missing, or null; it is cut off; there
# are lines and members that nobody knows; a terminal or an editor has left its marks. Prints what comes
# out wrong, and a count. Without $all, lines of a shape are changed once only.

def verdict($over): reduce ((. + [{"end": $over}]) | mapped) as $e (
	{input: 0, output: 0, cache_read: 0, cache_write: 0};
	if $e.type == "result" then .ok = $e.ok | .reason = $e.reason
	elif $e.type == "usage" then
		reduce ("input", "output", "cache_read", "cache_write") as $key (.; .[$key] = ([.[$key], $e[$key] // 0] | max))
		| if $e | has("cost_usd") then .cost = $e.cost_usd else . end
	elif $e.of? == "unreadable" then .unreadable = true
	else . end);

def tokens: .input + .cache_read + .cache_write;

# ---- what is missing --------------------------------------------------------------------------------

def terminal: .out | objects | .type == "result" or .msg?.type? == "agent_message" or .type == "turn.completed" or .part?.reason? == "stop";

def shape: .out | if type == "object" then [.type, .subtype?, .item?.type?, .part?.type?, .is_error?, .status?, (.message?.content? | arrays | .[0].type?)] | tostring else "" end;

def poorer($fresh): (range(length) as $i
		| {what: "without line \($i + 1)", lines: del(.[$i])}, {what: "cut behind line \($i + 1)", lines: .[:$i + 1]}),
	($fresh[] as $i | (.[$i].out | objects | paths | select(length <= 2)) as $path
		| {what: "line \($i + 1) without \($path | tojson)", lines: (.[$i].out |= delpaths([$path]))},
			(select($path | length == 1) | {what: "line \($i + 1) with null for \($path | tojson)", lines: (.[$i].out |= setpath($path; null))}));

def too_much($base; $lines): .unreadable
	or (.ok and ($base.ok | not)) or (.ok and ($lines | any(terminal) | not))
	or tokens > ($base | tokens) or .output > $base.output
	or (.cost != null and .cost > ($base.cost // -1) + 1e-9);

# ---- what must make no difference ---------------------------------------------------------------------

def as_text($before; $behind): map(if .out then {text: ($before + (.out | tojson) + $behind)} else . end);

def likenesses: {what: "behind a byte order mark", lines: as_text("\ufeff"; "")},
	{what: "from a terminal", lines: as_text("\u001b[2K\u001b[1G"; "\u001b[0m\r")},
	{what: "with titles of a window", lines: as_text("\u001b]0;agent\u0007"; "")},
	{what: "with NUL bytes", lines: as_text("\u0000"; "\u0000")},
	{what: "as one list", lines: [{out: [.[].out | values]}], whole: true},
	{what: "with members that nobody knows", lines: map(if .out | type == "object" then .out.brand_new = {deep: [1]} else . end)},
	{what: "with lines that nobody knows", lines: [.[] | ., {out: {type: "brand_new", message: 3}}, {text: "<p>HTML</p>"}, {text: ""}, {out: []}]};

# ---- all of it ------------------------------------------------------------------------------------------

reduce inputs as $stream ({seen: {}, count: 0, wrong: []};
	($stream.lines | length) as $n
	| .seen as $seen
	| ([range($n) | select($all == 1 or ($seen[$stream.lines[.] | shape] | not))]) as $fresh
	| reduce $stream.lines[] as $line (.; .seen[$line | shape] = true)
	| ($stream | {status, signal}) as $over
	| ($stream.lines | verdict($over)) as $base
	| reduce ($stream.lines | poorer($fresh)) as $mutant (.;
		($mutant.lines | verdict($over)) as $got | .count += 1
		| if $got | too_much($base; $mutant.lines) then .wrong += ["\($stream.name), \($mutant.what): \($got | tojson), not \($base | tojson)"] else . end)
	| reduce ($stream.lines | select($fresh != []) | likenesses) as $mutant (.;
		($mutant.lines | verdict($over)) as $got | .count += 1
		| if $got == $base or ($mutant.whole and ($stream.lines | any(has("text")))) then .
			else .wrong += ["\($stream.name), \($mutant.what): \($got | tojson), not \($base | tojson)"] end))
| .wrong[], "\(.count) mutants, \(.wrong | length) wrong"
