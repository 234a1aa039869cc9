# import: the plans that people have, made into a plan of loop-sched. One jq a plan:
#
#	jq -c  --arg form json     --arg name FILE -f import.jq FILE
#	jq -cs --arg form lines    …                     JSON lines (beads, task logs)
#	jq -cRs --arg form markdown …                    checklists
#
# Every task keeps in "at" where its item stands in the file ("/userStories/3"; for lines and
# Markdown the number of the line, from 0), so that errors are told and "passes" is written there.
# What is not understood is kept in "other". Prose is never a command: only members that are
# declared to hold commands become "verify".

def text: if type == "string" then . elif type == "number" or type == "boolean" then tostring
	elif type == "object" then (.description // .text // .title // .criterion // .name // tojson | text)
	else tojson end;

def list: if . == null then [] elif type == "array" then map(select(. != null)) else [.] end;

# A name that can be a folder: what other tools allow in ids and we do not becomes a dash.
def name_of: text | if test("^[A-Za-z0-9_:@+-][A-Za-z0-9._:@+-]{0,127}$") then .
	else gsub("[^A-Za-z0-9._:@+-]+"; "-") | sub("^[.-]+"; "") | .[0:128] end;

def unique_in_order: reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);

def priority_of:
	if type == "number" then floor
	elif type != "string" then null
	elif test("^[pP]?[0-9]+$") then ltrimstr("P") | ltrimstr("p") | tonumber
	else {"critical": 0, "urgent": 0, "highest": 0, "high": 1, "medium": 2, "normal": 2,
		"low": 3, "lowest": 4}[ascii_downcase] end;

def ended: type == "string" and
	(ascii_downcase | gsub("[ _]"; "-") | IN("done", "complete", "completed", "closed", "passed",
		"skipped", "cancelled", "canceled", "superseded", "deferred"));

def is_done:
	if (.passes | type) == "boolean" then .passes
	elif (.done | type) == "boolean" then .done
	elif (.completed | type) == "boolean" then .completed
	elif (.skipped | type) == "boolean" and .skipped then true
	else .status | ended end;

# Ids in any of the ways in which a dependency is written.
def ids:
	if . == null then []
	elif type == "array" then map(if type == "string" then [.] else ids end) | add // []
	elif type == "number" then [tostring]
	elif type == "string" then
		[splits("[,;\\s]+") | select(. != "" and (ascii_downcase | IN("none", "n/a", "-") | not))]
	elif type == "object" and has("depends_on_id") then
		if .type == null or .type == "blocks" then [.depends_on_id | text] else [] end
	elif type == "object" and (has("id") or has("task") or has("story")) then
		[.id // .task // .story | text]
	elif type == "object" then
		[.dependsOn, .depends_on, .blockedBy, .blocked_by, .needs] | map(ids) | add
	else [] end;

def needed: [.needs, .dependsOn, .depends_on, .dependencies, .blockedBy, .blocked_by, .after]
	| map(ids) | add;

def blocked: [.blocks, (.dependencies | objects | .blocks)] | map(ids) | add // [];

def quoted: "'" + gsub("'"; "'\\''") + "'";

# A command that must say or return something, as one command that succeeds if it does.
def command_of:
	if type == "string" then .
	elif type != "object" or (.command | type) != "string" then empty
	elif (.expect | type) != "string" then .command
	elif .expect | startswith("contains:") then
		"{ " + .command + "\n} 2>&1 | grep -qF -e " + (.expect | ltrimstr("contains:") | quoted)
	elif .expect | test("^exit_code: *[0-9]+$") then
		(.expect | capture("(?<n>[0-9]+)$").n) as $n
		| if $n == "0" then .command else "( " + .command + "\n); [ $? -eq " + $n + " ]" end
	else .command end;

def criteria_of: [.acceptanceCriteria, .acceptance_criteria, .acceptance, .criteria, .steps,
		.testRequirements, .suggested_tests] | map(list | map(text)) | add;

def verify_of: [.verify, .completionCriteria, .verificationCommands]
	| map(list | map(command_of)) | add;

def files_of: [.files, .fileScope, .touchesFiles, .allowedPaths]
	| map(list | map(strings)) | add | unique_in_order;

def estimate_of:
	if (.estimatedHours | type) == "number" then .estimatedHours * 3600
	elif (.estimated_minutes | type) == "number" then .estimated_minutes * 60
	else null end;

def attempts_of: (.maxAttempts // .max_attempts) | if type == "number" and . >= 1 then floor else null end;

def title_of: (.title // .name // .summary // .description // .id // "") | text
	| split("\n")[0] // "" | .[0:200];

# Members that say exactly what the task made of them says.
def rest_of: . as $item | with_entries(select(.key as $k | .value as $v
	| ($k | IN("id", "title", "description", "priority", "passes", "notes", "needs", "dependsOn",
		"depends_on", "files", "fileScope", "verify")
	or ($k | IN("acceptanceCriteria", "acceptance_criteria", "criteria", "steps", "dependencies",
			"blockedBy", "blocked_by"))
		and ($v | list | all(type == "string" or type == "number"))) | not));

def without_nothing: with_entries(select(.value != null and .value != [] and .value != {}));

# One item {item, at, id, before} as a task; "before" are needs that its place implies.
def task: .item as $i | {
	id,
	title: ($i | title_of),
	description: ($i.description // $i.details | if . == null then null else text end),
	notes: ($i.notes | if . == null or . == "" or . == [] then null else text end),
	needs: (.before + ($i | needed | map(name_of)) | unique_in_order),
	criteria: ($i | criteria_of),
	verify: ($i | verify_of),
	priority: ($i.priority | priority_of),
	phase: ($i.phase // $i.epic // $i.parentEpic | if . == null then null else text end),
	files: ($i | files_of),
	estimate: ($i | estimate_of),
	retry: ($i | attempts_of | if . then {attempts: .} else null end),
	done: (if ($i | is_done) or .done then true else null end),
	at,
	other: ($i | rest_of)
} | without_nothing;

def numbered($at): to_entries | map({item: .value, at: "\($at)/\(.key)", before: [],
	id: (if .value.id == null or .value.id == "" then "F-\(.key + 1)" else .value.id | name_of end)});

# task-master: subtasks come before their parent and may name each other by number alone.
def with_subtasks: map(. as $p | ($p.item.subtasks | list) as $subs
	| if $subs == [] or ($subs | all(type == "object") | not) then . else
		($subs | to_entries | map(. as $s | $p | .at += "/subtasks/\($s.key)"
			| .id = "\($p.id).\($s.value.id // ($s.key + 1) | name_of)"
			| .before = ($p.item | needed | map(name_of))
			| .done = ($p.item | is_done)
			| .item = ($s.value | .dependencies = (.dependencies | ids
				| map(if contains(".") then . else "\($p.id).\(.)" end))))) as $made
		| $made[], (.before += ($made | map(.id)) | .item |= del(.subtasks))
	end);

# An id may stand in for a tag's own: "5" in tag "docs" of several is "docs:5".
def tagged($tag): map(.id = "\($tag | name_of):\(.id)"
	| .item.dependencies = (.item.dependencies | ids | map("\($tag | name_of):\(.)")));

def containers: ["userStories", "user_stories", "stories", "tasks", "features", "items"];

def items:
	if type == "array" then numbered("")
	elif type != "object" then error("a plan must be an object or an array of stories")
	else . as $top
	| (first(containers[] | select($top[.] | type == "array")) // null) as $key
	| if $key then $top[$key] | numbered("/" + $key)
	else [to_entries[] | select((.value | type) == "object" and (.value.tasks | type) == "array")] as $tags
		| if $tags == [] then
			error("no stories: none of \(containers | join(", ")) is an array")
		elif ($tags | length) == 1 then $tags[0] | .key as $tag | .value.tasks | numbered("/\($tag)/tasks")
		else $tags | map(.key as $tag | .value.tasks | numbered("/\($tag)/tasks") | tagged($tag)) | add end
	end end;

# "blocks" is a need written at the other end.
def reverse_blocks: (reduce .[] as $i ({}; reduce ($i.item | blocked | map(name_of))[] as $b (.;
		.[$b] += [$i.id]))) as $by
	| if $by == {} then . else map(.before += ($by[.id] // [])) end;

# A group waits for the whole group before it.
def barriers: (map(select(.item.parallel_group | type == "number"))
		| group_by(.item.parallel_group)
		| map({g: .[0].item.parallel_group, ids: map(.id)})) as $groups
	| if ($groups | length) < 2 then . else
		(reduce range(1; $groups | length) as $n ({}; .[$groups[$n].g | tostring] = $groups[$n - 1].ids)) as $before
		| map(.before += ($before[.item.parallel_group | tostring] // []))
	end;

def objects_only: map(if (.item | type) == "object" then . else error("\(.at): a story must be an object") end);

def gates: if type == "object" then .qualityGates | list | map(strings) else [] end;

def plan_name: (if type == "object" then .name // .project // .projectName // .productName // .title
	else null end) // ($name | sub("\\.[^.]*$"; "")) | text;

def branch_of: if type == "object" then .branchName // .branch_name // .branch else null end
	| if type == "string" and . != "" then . else null end;

def rest_of_top: if type != "object" then {} else . as $top
	| with_entries(select(.key as $k | (containers | index([$k]) | not) and ($k | IN("name", "branchName") | not)
		and (($top[$k] | type) != "object" or ($top[$k].tasks | type) != "array"))) end;

def from_json: . as $top | gates as $gates | {
	name: plan_name,
	branch: branch_of,
	tasks: (items | objects_only | with_subtasks | reverse_blocks | barriers | map(task)
		| if $gates == [] then . else map(.verify = (.verify // []) + $gates) end),
	other: rest_of_top
} | without_nothing;

# Markdown. One pass over the lines; a checklist's line, or a heading "### Task 3: …" with a
# checklist below it, is a task.
def box: capture("^\\s*[-*+] \\[(?<mark>[ xX])\\]\\s+(?<text>.*\\S)");
def heading: capture("^(?<level>#+)\\s+(?<text>.*?)\\s*#*\\s*$");
def task_heading: capture("^(?:Task|Iteration|Step|Story)\\s+(?<n>[0-9]+(?:\\.[0-9]+)*)\\s*[:.)-]?\\s*(?<text>.*)$"; "i");
def bare: gsub("^`|`$"; "") | gsub("\\*\\*"; "");

def section_priority: ascii_downcase
	| if test("critical|urgent") then 0 elif test("high") then 1 elif test("medium|normal") then 2
	elif test("low|optional|nice to have") then 3 else null end;

def start: {tasks: [], verify: [], section: null, phase: null, mode: "list", wave: [], waved: [],
	parallel: false, n: 0};

def own_id: capture("^\\[?(?<id>[A-Z][A-Za-z]{0,9}-?[0-9]+(?:\\.[0-9]+)*)\\]?[:.]?\\s+(?<text>.*)$");

# spec-kit's order: a task marked [P] runs beside its marked neighbours, the others one by one.
def in_wave($id; $parallel):
	if $parallel and .parallel then .waved += [$id]
	else .wave = .waved | .waved = [$id] | .parallel = $parallel end;

def spec_task($line; $b; $own):
	($own.text | test("^(\\[[^\\]]*\\]\\s*)*\\[P\\]")) as $parallel
	| ($own.text | [capture("\\(depends on (?<d>[^)]*)\\)"; "i").d | ids] | add // []) as $after
	| in_wave($own.id; $parallel)
	| .tasks += [{id: $own.id, title: ($own.text | gsub("^(\\[[^\\]]*\\]\\s*)+"; "") | bare),
		needs: (if $after != [] then $after else .wave end), phase: .section,
		files: [$own.text | scan("[A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.-]+)+\\.[A-Za-z0-9]+")],
		done: ($b.mark != " "), at: "/\($line)"}];

def box_line($line; $b):
	([$b.text | own_id] | first) as $own
	| if .mode == "heading" then
		.tasks[-1].criteria += [$b.text | bare] | .tasks[-1].boxes += [$b.mark != " "]
	elif $own and ($own.id | test("^T[0-9]")) then spec_task($line; $b; $own)
	else .n += 1 | .tasks += [{id: ($own.id // "T-\(.n)"), title: ($own.text // $b.text | bare),
		phase: .section, priority: (.section // "" | section_priority),
		done: ($b.mark != " " or (.section // "" | test("^(completed|done)"; "i"))), at: "/\($line)"}]
	end;

def heading_line($line; $h):
	([$h.text | task_heading] | first) as $t
	| if $t and ($h.level | length) >= 3 then
		.tasks += [{id: "Task-\($t.n)", title: ($t.text | bare), phase: .section, boxes: [], criteria: [],
			needs: (.last | if . then [.] else [] end), at: "/\($line)"}]
		| .last = "Task-\($t.n)" | .mode = "heading"
	elif $h.text | test("^(validation|verification|test) commands?"; "i") then .mode = "verify"
	else .mode = "list" | .section = $h.text | .parallel = false
	end;

def verify_line($text): (first($text | capture("^\\s*[-*+]\\s+(?<t>.*\\S)").t) // null) as $t
	| if $t then .verify += [($t | capture("^`(?<c>[^`]+)`").c) // $t] else . end;

def markdown_line($line; $text):
	(first($text | heading) // null) as $h | (first($text | box) // null) as $b
	| if $h then heading_line($line; $h)
	elif .mode == "verify" then verify_line($text)
	elif $b then box_line($line; $b)
	else . end;

def from_markdown: split("\n") as $lines
	| reduce range($lines | length) as $n (start; markdown_line($n; $lines[$n] | rtrimstr("\r")))
	| .verify as $verify
	| if .tasks == [] then error("no tasks: neither JSON nor a Markdown checklist") else . end
	| {name: ($name | sub("\\.[^.]*$"; "")), tasks: (.tasks | map(
		(if .boxes then .done = (.boxes != [] and all(.boxes[]; .)) | del(.boxes) else . end)
		| .verify = $verify | if .done then . else del(.done) end | without_nothing))};

if $form == "markdown" then from_markdown else from_json end
