# report: what came of a run, as a page of text. Input: the run's events of the journal, slurped.
# $plan: its plan.json, slurped; $log: the text of its run.jsonl, whose last line may be torn.

def lines: split("\n") | map(fromjson?);
def pad($n): . + " " * ([$n - length, 1] | max);
def seconds: if . < 1000 then "\(.)ms"
  elif . < 60000 then "\(. / 100 | floor / 10)s"
  elif . < 3600000 then "\(. / 60000 | floor)m\(. % 60000 / 1000 | floor)s"
  else "\(. / 3600000 | floor)h\(. % 3600000 / 60000 | floor)m" end;
def shown: gsub("[[:cntrl:]]"; "?") | if length > 48 then .[:47] + "…" else . end;
def counted($word): "\(.) \($word)" + if . == 1 then "" else "s" end;
def dollars: . * 10000 + 0.5 | floor / 10000 | tostring | "$" + .;

# The last of a kind for each task, by its id.
def last_by_task(stream): reduce stream as $line ({}; .[$line.task] = $line);

. as $events
| ($log | lines) as $log
| ($log | map(select(.run)) | last) as $ended
| last_by_task($log[] | select(.task)) as $last
| (reduce ($events[] | select(.type == "commit.created")) as $e ({}; .[$e.subject // ""] = $e.data)) as $commits
| (reduce ($events[] | select(.type == "story.completed")) as $e ({}; .[$e.data.story] = $e.data)) as $stories
| [$events[] | select(.type == "session.ended") | .data] as $sessions
| ($plan[0].tasks | map(. as $task | ($last[.id] // {state: "pending"}) + {title, id})) as $tasks
| ($tasks | map(select(.state == "succeeded" or .state == "skipped"))) as $done
| ($commits | to_entries | map(.value.branch) | unique) as $branches
| ([$sessions[] | .cost_usd | numbers] | add // 0) as $cost
| ([$sessions[] | select(.cost_usd | type != "number")] | length) as $unknown

| (if ($ended | not) then "the run never began"
   else "\($ended.id // $run): " + (if $ended.run == "ended" then $ended.state else "not ended" end)
     + (if $ended.ms then " in \($ended.ms | seconds)" else "" end)
     + ", \($done | length) of \($tasks | length | counted("story") | sub("storys$"; "stories")) done" end),
  ($tasks[]
   | "  " + (.id | shown | pad(10)) + (.title // "" | shown | pad(50)) + (.state | pad(18))
     + (if .ms then .ms | seconds | pad(8) else " " * 8 end)
     + (if (.attempt // 1) > 1 then "\(.attempt) attempts  " else "" end)
     + (if $stories[.id].commit then "merged " + $stories[.id].commit[:10]
        elif .state == "succeeded" or .state == "skipped" then ""
        else ($stories[.id].reason // .reason // "") | shown end)
   | sub(" +$"; "")),
  ($sessions | length | counted("session")) + ", "
    + (if $unknown == 0 then $cost | dollars
       elif $cost == 0 then "cost unknown"
       else "\($cost | dollars) and \($unknown | counted("session")) of unknown cost" end),
  ($branches[] | "merged onto \(.); to take it over: git merge \(.)"),
  (if $ended and $ended.run != "ended" then "to go on: loop resume \($run)"
   elif ($done | length) < ($tasks | length) then "to try again what failed: loop-sched retry \($run)"
   else empty end)
