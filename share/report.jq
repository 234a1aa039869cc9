# report: what came of a run, as text, Markdown or HTML. Input: what "loop-session report --json --run"
# says of its sessions, slurped. $plan: its plan.json, slurped; $log: the text of its run.jsonl, whose
# last line may be torn; $events: the run's own events of the journal, slurped; $failures: what attempts
# failed on, by the path of the file; $lost: commits that are on the branch no more; $kept: the branches of
# attempts; $run, $format.

def lines: split("\n") | map(fromjson? | objects);
def seconds: if . == null then "" elif . < 1000 then "\(.)ms"
  elif . < 60000 then "\(. / 100 | floor / 10)s"
  elif . < 3600000 then "\(. / 60000 | floor)m\(. % 60000 / 1000 | floor)s"
  else "\(. / 3600000 | floor)h\(. % 3600000 / 60000 | floor)m" end;
def shown($n): gsub("[[:cntrl:]]"; "?") | if length > $n then .[:$n - 1] + "…" else . end;
def counted($one; $many): "\(.) " + if . == 1 then $one else $many end;
def dollars: . * 10000 + 0.5 | floor / 10000 | tostring | "$" + .;
def money: if .sessions == .unknown_cost then "cost unknown"
  elif .unknown_cost == 0 then .cost_usd | dollars
  else "\(.cost_usd | dollars) and \(.unknown_cost | counted("session"; "sessions")) of unknown cost" end;
def when: fromdateiso8601? // (sub("[.][0-9]+"; "") | fromdateiso8601);

# The last of a kind for each task, by its id.
def by_task(stream): reduce stream as $line ({}; .[$line.task] = $line);
def needs: [(.needs // [])[] | if type == "object" then .task else . end];

# The longest chain of needs by the time that its tasks took, in milliseconds. Tasks come in any order:
# as many passes as the longest chain has tasks find it.
def critical_path($last):
  . as $tasks
  | (reduce $tasks[] as $t ({}; .[$t.id] = {ms: ($last[$t.id].ms // 0), needs: ($t | needs), at: null})) as $all
  | {longest: {}, changed: true, passes: 0}
  | until((.changed | not) or .passes > ($tasks | length);
      .changed = false | .passes += 1
      | reduce $tasks[] as $t (.;
          ([.longest[$all[$t.id].needs[]] // 0] | max // 0) as $before
          | ($before + $all[$t.id].ms) as $sum
          | if .longest[$t.id] != $sum then .longest[$t.id] = $sum | .changed = true else . end))
  | [.longest[]] | max // 0;

# When nothing new was started for want of room: how long in all, why, and whether it is so now.
def held($log):
  reduce ($log[] | select(.run)) as $line ({ms: 0};
    if $line.run == "held" then .since = ($line.time | when) | .why = $line.reason
    elif .since and ($line.run | IN("released", "ended", "started", "resumed")) then
      .ms += (($line.time | when) - .since) * 1000 | .since = null
    else . end);

# What each task failed on last: the beginning, which is the command, and the end.
def last_words:
  $failures | add // {} | to_entries
  | map((.key | split("/")) as $path | {id: $path[-3], attempt: ($path[-2] | tonumber? // 0), text: .value})
  | group_by(.id) | map(max_by(.attempt) | {(.id): (.text | split("\n") | map(select(test("[^[:space:]]")))
      | if length > 8 then .[:2] + ["…"] + .[-5:] else . end)}) | add // {};

# ---- what is known ------------------------------------------------------------------------------

def gather:
  . as $told
  | ($log | lines) as $log
  | ($log | map(select(.run)) | last) as $ended
  | by_task($log[] | select(.task)) as $last
  | (reduce ($events[] | select(.type == "commit.created")) as $e ({};
      .[$e.subject // "" | split("/") | last] = $e.data)) as $commits
  | (reduce ($events[] | select(.type == "story.completed")) as $e ({}; .[$e.data.story] = $e.data)) as $stories
  | last_words as $words
  | ($lost | split("\n")) as $lost
  | ($kept | split("\n")) as $kept
  | (reduce ($told[] | select(.kind == "story")) as $s ({}; .[$s.name | split("/") | last] = $s)) as $cost
  | ($plan[0].tasks // []) as $tasks
  | {
      run: ($ended.id // ($log | map(select(.id)) | last.id) // $run), ended: $ended,
      state: (if ($ended | not) then "never began" elif $ended.run == "ended" then $ended.state
        elif $lives == "yes" then "at work" else "cut off" end),
      ms: $ended.ms, held: held($log),
      work: ([$log[] | select(.task and .ms) | .ms] | add // 0),
      path: ($tasks | critical_path($last)),
      sessions: ($told | map(select(.kind == "report")) | first),
      models: ($told | map(select(.kind == "model"))),
      gates: ($told | map(select(.kind == "gate"))),
      people: ($told | map(select(.kind == "waiting" or .kind == "lost"))),
      branches: ($commits | map(.branch) | unique | map(select(. != ""))),
      tasks: ($tasks | map(. as $t | ($last[.id] // {state: (if .done then "done before" else "pending" end)})
        + {id, title: (.title // ""), commit: ($stories[.id].commit // null), cost: $cost[.id],
           lost: ($stories[.id].commit | . != null and IN($lost[])),
           why: ($stories[.id] | if .success == false then .reason else null end),
           unchanged: ($stories[.id] | .success == true and .commit == null)}))
    }
  | .done = (.tasks | map(select(.state | IN("succeeded", "skipped", "done before"))))
  | .failed = (.tasks | map(select(.state | IN("failed", "timed_out", "errored"))
      | . + {words: ($words[.id] // []), branch: ("loop/\($run)/\(.id)-\(.attempt)" as $name | if .why != "uncommitted" and ($name | IN($kept[])) then $name else null end)}
      | select(.words != [])));

# ---- what to type -------------------------------------------------------------------------------

def next_steps:
  (.gates[] | "loop gate list --pending    # then: loop gate approve or reject \(.gate | shown(128))"),
  (if .state == "cut off" or .state == "cancelled" then "loop resume \(.run)"
   elif .state == "at work" then "loop watch \(.run)"
   elif (.done | length) < (.tasks | length) and .state != "never began" then
     (if any(.tasks[]; .why == "budget") then "loop retry \(.run) --total-budget USD    # more than before"
      else "loop retry \(.run)" end),
     (first(.tasks[] | select(.state | IN("failed", "timed_out", "errored"))) | "loop why \(.id)")
   else empty end),
  (.branches[] | "git merge \(.)");

def fate:
  if .commit then "merged " + .commit[:10] + if .lost then ", and on its branch no more" else "" end
  elif .unchanged and .state == "succeeded" then "nothing was changed"
  elif .state | IN("succeeded", "skipped", "done before") then ""
  else .why // .reason // (if .status then "status \(.status)" else "" end) end;

def headline: "\(.run): \(.state)" + (if .ms then " in \(.ms | seconds)" else "" end)
  + ", \(.done | length) of \(.tasks | length | counted("story"; "stories")) done";

def timing:
  (if .ms and .work > 0 and .ms >= .path then # else it is a resume's: the work was done before
     "work of \(.work | seconds) in \(.ms | seconds); the longest chain of stories alone took \(.path | seconds)"
   else empty end),
  (.held | if .since then empty elif .why then "nothing new was started for \(.ms | seconds): \(.why | shown(160))"
   else empty end);

# What only a human can do: answer, make room.
def waiting: (.gates[] | .question // ""),
  (if .held.since and .state == "at work" then "nothing new is started: \(.held.why)" else empty end);

# A session that needs somebody's look.
def looks: .people[] | "needs a look: \(.task // .subject // .session // .id // "" | tostring | shown(60)) \(.reason // .state // "" | tostring)";

def failing: "\(.id) failed" + if .branch then "; its work is on \(.branch)" else "" end;

def spending: .sessions | if .sessions > 0 then "\(.sessions | counted("session"; "sessions")), \(money)"
  else "0 sessions" end;

# ---- as text ------------------------------------------------------------------------------------

def pad($n): . + " " * ([$n - length, 1] | max);

def text:
  headline,
  (.tasks[]
   | "  " + (.id | shown(24) | pad(10)) + (.title | shown(48) | pad(50)) + (.state | pad(18))
     + (.ms | seconds | pad(8)) + (.cost | if . then money else "" end | pad(10))
     + (if (.attempt // 1) > 1 then "\(.attempt) attempts  " else "" end) + (fate | shown(60))
   | sub(" +$"; "")),
  spending,
  (if (.models | length) > 1 then .models[] | "  \(.name | shown(40) | pad(24))\(money)" else empty end),
  timing,
  (.branches[] | "merged onto \(shown(80)); to take it over: git merge \(.)"),
  (.failed[] | (failing | shown(160)) + ":", (.words[] | "    " + shown(100))),
  (waiting | "waits for you: \(shown(160))"),
  looks,
  ([next_steps] | if . == [] then empty else "what to type next:", (.[] | "  " + .) end);

# ---- as Markdown and HTML -----------------------------------------------------------------------

def md($n): shown($n) | gsub("(?<c>[\\\\`*_\\[\\]<>|#!&])"; "\\\(.c)");

def markdown:
  "# \(headline | md(200))", "",
  "| story | title | state | took | cost | attempts | what came of it |", "|---|---|---|--:|--:|--:|---|",
  (.tasks[] | "| \(.id | md(60)) | \(.title | md(80)) | \(.state) | \(.ms | seconds) | \(.cost | if . then money else "" end) | \(.attempt // "") | \(fate | md(80)) |"),
  "", spending + ".", (timing | "", (. | md(300)) + "."),
  (if .models == [] then empty else "", "| model | sessions | cost |", "|---|--:|--:|",
    (.models[] | "| \(.name | md(60)) | \(.sessions) | \(money) |") end),
  (if .failed == [] then empty else "", "## What failed", (.failed[] |
    "", (failing | md(200)) + ":", "", (.words[] | "    " + shown(200))) end),
  ([waiting, looks] | if . == [] then empty else "", "## Waits for you", "", (.[] | "- \(md(300))") end),
  ([next_steps] | if . == [] then empty else "", "## What to type next", "", (.[] | "    " + .) end);

def row($cell): "<tr>" + (map("<\($cell)>\(tostring | @html)</\($cell)>") | join("")) + "</tr>";

def html:
  "<!doctype html>", "<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">",
  "<title>\(.run | shown(128) | @html)</title>",
  "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}",
  "table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8886}",
  "pre{overflow:auto;padding:.8rem;border:1px solid #8886}</style>", "<main>",
  "<h1>\(headline | shown(200) | @html)</h1>",
  "<table>", (["story", "title", "state", "took", "cost", "attempts", "what came of it"] | row("th")),
  (.tasks[] | [(.id | shown(60)), (.title | shown(120)), .state, (.ms | seconds),
    (.cost | if . then money else "" end), .attempt // "", (fate | shown(120))] | row("td")),
  "</table>", "<p>\(spending | @html)\([timing] | map("<br>" + @html) | add // "")</p>",
  "<table>", (["model", "sessions", "cost"] | row("th")), (.models[] | [.name, .sessions, money] | row("td")), "</table>",
  (if .failed == [] then empty else "<h2>What failed</h2>", (.failed[] |
    "<p>\(failing | shown(200) | @html):</p><pre>\(.words | map(shown(200)) | join("\n") | @html)</pre>") end),
  ([waiting, looks] | if . == [] then empty else "<h2>Waits for you</h2><ul>", (.[] | "<li>\(shown(300) | @html)"), "</ul>" end),
  ([next_steps] | if . == [] then empty else "<h2>What to type next</h2><pre>\(join("\n") | @html)</pre>" end),
  "</main></html>";

gather | if $format == "markdown" then markdown elif $format == "html" then html else text end
