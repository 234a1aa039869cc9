# The folds that tests look at by themselves.
SESSION_PARTS := $(addprefix cmd/loop-session/,calls.c digest.c sample.c step.c words.c)
UNIT_OBJECTS  += $(SESSION_PARTS:%.c=$(B)/%.o)
