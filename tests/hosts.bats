load helper

@test "three hosts, of which one is cut off and comes back" {
	[ "$(id -u)" = 0 ] || skip 'needs root, for network namespaces'
	run "$SOURCE_TREE/tests/fault/hosts" 9 2000
	[ "$status" != 77 ] || skip "$output"
	[ "$status" = 0 ] || {
		printf '%s\n' "$output"
		false
	}
}
