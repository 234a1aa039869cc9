# The parts that tests look at by themselves.
UNIT_OBJECTS += $(patsubst %,$(B)/cmd/loop-canary/%.o,plan judge course)
