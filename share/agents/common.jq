# What the maps of several agents share; loop-spawn puts this folder on jq's library path.

# The words of a text, of a part, or of a list of parts.
def texts: if type == "string" then .
	elif type == "array" then [.[] | if type == "object" then (select((.type? // "text") == "text") | .text) else . end | strings] | join("\n")
	elif type == "object" then .text? | strings // "" else "" end;

def cut($n): if length > $n then .[0:$n] + "..." else . end;

# What should be an object or a list, and is nothing else.
def members: if type == "object" then . else {} end;
def items: if type == "array" then . else [] end;

# A count of something; a sum of money, or null where it is not known.
def number: if type == "number" and . > 0 then floor else 0 end;
def money: if type == "number" and . >= 0 then . else null end;
def less($part): . - $part | number;

def matches($expression): type == "string" and test($expression; "i");

# The words that best tell what a tool is about to do.
def summary: if type != "object" then "" else
	[.command?, .file_path?, .filePath?, .pattern?, .path?, .url?, .query?, .description?] | map(strings) | (.[0] // "") | cut(200) end;

# ---- why something failed: an HTTP status goes before words, and words are the last resort ---------

def by_http: if . == 401 or . == 403 then "auth" elif . == 402 or . == 429 then "quota"
	elif . == 413 then "context" elif . == 408 or . >= 500 then "transient" else null end;

def by_words:
	if matches("prompt is too long|context (window|length)|too many tokens") then "context"
	elif matches("usage polic|content.?(policy|filter)|prohibited.?content|safety reasons") then "refused"
	elif matches("usage limit|limit reached|rate.?limit|hit your .*limit|credit balance|billing|out of .*credits|quota|too many requests|exhausted") then "quota"
	elif matches("not logged in|/login|api.?key|failed to authenticate|unauthori[sz]ed|unauthenticated|auth method|authentication|oauth token") then "auth"
	elif matches("cannot be used with root|permission") then "permission"
	elif matches("overloaded|high demand|timed out|timeout|disconnected|connection|econnre|network|socket|fetch failed|server error|\\b5[0-9][0-9]\\b") then "transient"
	else null end;

# ---- when a limit ends, in epoch seconds, from words ------------------------------------------------

def zone_offset: now | (localtime | mktime) - (gmtime | mktime);

def of_day: ((.h | tonumber) % 12 + (if (.half | ascii_downcase) == "p" then 12 else 0 end)) * 3600 + ((.m // "0") | tonumber) * 60;

def midnight($year): "\(.month[0:3]) \(.day) \($year)" | strptime("%b %d %Y") | mktime;

# "try again at 10:20 AM", "resets 3pm (UTC)", today or tomorrow; "again at May 18th, 2033 3:33 AM",
# "resets May 18, 3am", this year or the next. The zone is ours where it is not named. Without seconds it may
# have come already: what is up to an hour ago is meant as that.
def reset_at_clock: capture("(again at|resets( at)?) ((?<month>[A-Z][a-z]{2,8}) (?<day>[0-9]{1,2})(st|nd|rd|th)?(, (?<year>[0-9]{4}))?,? (at )?)?"
		+ "(?<h>[0-9]{1,2})(:(?<m>[0-9]{2}))? ?(?<half>[AaPp])[Mm]( \\((?<zone>UTC)\\))?")?
	| (if .zone then 0 else zone_offset end) as $offset | now as $now
	| if .year then midnight(.year) + of_day - $offset
		elif .month then ($now | gmtime | .[0]) as $year
			| [midnight($year - 1, $year, $year + 1) + of_day - $offset | select(. >= $now - 3600)] | .[0]
		else [(($now + $offset) / 86400 | floor | . - 1, ., . + 1) * 86400 + of_day - $offset | select(. >= $now - 3600)] | .[0] end;

# "try again in 2 days 3 hours 5 minutes", "retry in 3h2m".
def reset_after: capture("(again|retry|resets?) (in|after) (?<in>[0-9][0-9a-z ,]*)"; "i")? | .in
	| [match("([0-9]+) ?(day|hour|minute|second|d|h|m|s)"; "g") | .captures
		| (.[0].string | tonumber) * {d: 86400, h: 3600, m: 60, s: 1}[.[1].string[0:1]]]
	| if length > 0 then add + now | floor else empty end;

def reset_epoch: capture("limit reached\\|(?<at>[0-9]{9,11})")? | .at | tonumber;

def reset_in_words: if type == "string" then [reset_epoch, reset_at_clock?, reset_after] | .[0] else null end;

# ---- the walk over the lines -----------------------------------------------------------------------

# To be used in an update of the state: one more neutral event. A result goes before the sums of what
# was used: work that is done is not ended for its price.
def say(f): .emit += [f];

# The model acts: its first word or call behind the outcome of a tool begins a turn.
def act: if .acting then . else .acting = true | .turns += 1 | say({type: "usage", turns}) end;
def tool_came_back: .acting = false;

# A line that breaks a rule of ours, as another version may write it, is activity and costs nothing else.
def safely(f): . as $before | [try f catch empty] | .[0] // ($before | say({type: "activity", of: "unreadable"}));

# Without what a terminal, an editor or a careless writer puts around words.
def plain: if length > 65536 then . else
	gsub("\u001b(\\[[0-9;?]*[ -/]*[@-~]|\\][^\u0007\u001b]*(\u0007|\u001b\\\\)?|[ -~])|[\u0000-\u0008\u000b-\u001f\u007f\ufeff\ufffd]"; "") end;

def failure($reason; $words): {type: "result", ok: false, reason: $reason, message: ($words | cut(300)), reset_at: ($words | reset_in_words)};

# An option or a word for one that this version does not have: whatever help it prints behind that tells less.
def is_misuse: matches("^(error: )?(unknown|unexpected|unrecognized) (option|argument|flag)|^error: option .* is invalid");

# To be used at the end: where there was no result, what was said last in plain words, on stderr or else
# on stdout, may tell why; $known goes before it.
def end_in_words($known): if .result or (.in.status | IN(0, 126, 127)) then .
	elif .misused then say(failure("failed"; .misused)) else
	([.errors, .noise] | map(strings | select(. != ""))) as $said
	| ([$said[] | select(by_words)] | .[0]) as $telling
	| ($known // ($telling | by_words)) as $reason
	| if $reason then say(failure($reason; $telling // $said[0] // "")) else . end end;

# Runs line over what loop-spawn sends, with a line of stdout, errors with one of stderr, finish with
# the end; each finds it in .in. A line that is no strict JSON may still be JSON of a careless writer, and
# a list is a line for each of its members.
def each_line($state; line; errors; finish):
	def each($out): reduce ($out | if type == "array" then .[] else . end) as $one (.; .in = $one | safely(line));
	def noise($words): (if $words == "" then . else .noise = $words end) | say({type: "activity", of: "noise"});
	foreach inputs as $in ($state;
		.emit = []
		| if $in | has("out") then each($in.out)
		elif $in | has("text") then ($in.text | tostring | plain) as $words
			| ([$in.text, $words | fromjson? | select(type == "object" or type == "array")] | .[0]) as $out
			| if $out then each($out) else noise($words) end
		elif $in | has("err") then .in = ($in.err | tostring | plain)
			| if .in == "" then . else (if .misused == null and (.in | is_misuse) then .misused = .in else . end) | safely(errors) end
		elif $in | has("end") then .in = $in.end | safely(finish)
		else . end;
		.emit[]);
