include "words";

def quote: gsub("'"; "'\\''") | gsub("(?<c>[\\[\\]:])"; "\\" + .c);

def action:
  value_kind as $kind
  | if $kind == "choice" then ":\(.arg):(" + (.choices | join(" ")) + ")"
    elif $kind == "file" then ":\(.arg):_files"
    elif $kind == "folder" then ":\(.arg):_files -/"
    elif $kind == "command" then ":\(.arg):_command_names"
    elif $kind == "none" then ""
    else ":\(.arg):" end;

def option_spec:
  (if .type == "strings" then "*" else "" end) as $star
  | action as $action
  | (if .letter then "'" + $star + "-\(.letter)[\(.help | quote)]" + $action + "'" else empty end),
    "'" + $star + "--\(.name)[\(.help | quote)]" + $action + "'";

def arguments: [.options[] | option_spec] + ["'--help[show this help]'", "'--version[show the version]'"];

def rest: if .takes_command then ["'*::command:_normal'"] else ["'*:file:_files'"] end;

"#compdef " + ([.[].name] | join(" ")),
"# Completions of the loop tools for zsh: made by completions/generate, not by hand.",
"",
"case $service in",
(.[]
 | .name + ")",
   (if .commands | length > 0 then
      "\tlocal -a commands=(",
      (.commands[] | "\t\t'\(.name):\(.brief | quote)'"),
      "\t)",
      "\tif ((CURRENT == 2)) && [[ $words[2] != -* ]]; then",
      "\t\t_describe command commands",
      "\t\treturn",
      "\tfi",
      "\tcase $words[2] in",
      (.commands[] | "\t\(.name)) shift words; ((CURRENT--)); _arguments -S " + (arguments + rest | join(" ")) + "; return ;;"),
      "\tesac"
    else empty end),
   "\t_arguments -S " + (arguments + rest | join(" ")),
   "\t;;"),
"esac"
