# words: what the three shells' completions have in common.

# Every command with the words that lead to it: {path: ["loop-bus", "sub"], options, ...}.
def commands:
  .[] | . as $program
  | {path: [.name]} + .,
    (.commands[] | {path: [$program.name, .name]} + .);

# The spellings of an option.
def spellings: (if .letter then "-" + .letter else empty end), "--" + .name;

# How an option's value or an operand completes, by the name it has in the help.
def kind:
  if . == null then "none"
  elif test("FILE|PLAN|PROMPT|SCRIPT|ROLLOUT") then "file"
  elif test("DIR|PATH") then "folder"
  elif test("COMMAND") then "command"
  else "word" end;
def value_kind: if .choices then "choice" else .arg | kind end;
