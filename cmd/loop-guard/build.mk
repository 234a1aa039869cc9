# The parts that tests look at by themselves.
UNIT_OBJECTS += $(B)/cmd/loop-guard/hint.o
