# The clocks are tested by hand, with a clock that tests set.
UNIT_OBJECTS += $(B)/cmd/loop-spawn/timing.o
