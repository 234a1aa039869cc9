load helper

@test "the unit runner fails what must fail" {
	for test in must_fail_check must_fail_leak must_fail_signal; do
		status_is 1 "$BUILD_DIR/tests/unit/unit" "$test"
		has "$output" "0 passed, 1 failed"
	done
}

@test "the unit runner fails when it ran nothing" {
	status_is 1 "$BUILD_DIR/tests/unit/unit" no_such_test
}
