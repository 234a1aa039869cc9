# The parts that tests look at by themselves.
UNIT_OBJECTS += $(patsubst %,$(B)/cmd/loop-canary/%.o,plan judge course)
# Logarithms of likelihoods; whoever needs none does not link it.
LDLIBS += -lm
