include "words";

def quote: "'" + gsub("\\\\"; "\\\\") + "'" | gsub("(?<a>.)'(?<b>.)"; .a + "\\'" + .b);

def option_line($program; $condition):
  "complete -c \($program)" + $condition
  + (if .letter then " -s " + .letter else "" end) + " -l " + .name
  + (value_kind as $kind
     | if $kind == "none" then " -f"
       elif $kind == "choice" then " -x -a '" + (.choices | join(" ")) + "'"
       elif $kind == "file" then " -r -F"
       elif $kind == "folder" then " -x -a '(__fish_complete_directories)'"
       elif $kind == "command" then " -x -a '(__fish_complete_command)'"
       else " -x" end)
  + " -d " + (.help | quote);

"# Completions of the loop tools for fish: made by completions/generate, not by hand.",
(.[] | . as $program
 | (.options[] | option_line($program.name; "")),
   (.commands[] | . as $sub
    | "complete -c \($program.name) -n __fish_use_subcommand -f -a \($sub.name) -d " + ($sub.brief | quote),
      ($sub.options[] | option_line($program.name; " -n '__fish_seen_subcommand_from \($sub.name)'"))))
