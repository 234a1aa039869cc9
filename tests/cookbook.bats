load helper

# Every recipe of share/doc/cookbook.md is run as it stands, and prints what the page says.

# What a recipe finds: a repository with a plan of two stories, and an agent.
make_kitchen() { # FOLDER
	mkdir -p "$1/mock" && cd "$1" || return
	export LOOP_DIR=$1/.loop LOOP_MOCK_SCRIPT=$1/mock AGENT=mock
	printf 'mock/\nloop.conf\n' >.gitignore
	echo 'agent = mock' >loop.conf
	cat >prd.json <<-'JSON'
		{"project": "toy", "branchName": "toy", "userStories": [
		{"id": "US-001", "title": "Make a", "passes": false, "verificationCommands": ["test -s a"]},
		{"id": "US-002", "title": "Make b", "passes": false, "dependencies": ["US-001"], "verificationCommands": ["test -s b"]}]}
	JSON
	local usage='{"usage":{"input":10,"output":1,"cost":0.25}}' result='{"result":"Did it."}'
	printf '%s\n' '{"write":"a","content":"a\n"}' "$usage" "$result" >mock/US-001.json
	printf '%s\n' '{"write":"b","content":"b\n"}' "$usage" "$result" >mock/US-002.json
	printf '{"result":"It is right.\\nLGTM"}\n' >mock/review.json
	printf '%s\n' '{"write":"word","content":"one\n"}' "$result" >mock/default.json
	git init -q . && git add -A && git commit -qm start
}

# The N-th block of a kind.
block() { # KIND N
	awk -v fence="\`\`\`$1" -v n="$2" '$0 == "```" { inside = 0 } inside { print } $0 == fence && ++count == n { inside = 1 }' \
		"$SOURCE_TREE/share/doc/cookbook.md"
}

cook() { # N
	local line printed
	make_kitchen "$SCRATCH/kitchen-$1"
	block sh "$1" >"$SCRATCH/recipe-$1.sh"
	timeout 240 bash -e "$SCRATCH/recipe-$1.sh" >"$SCRATCH/printed-$1" 2>&1 3>&- || {
		echo "recipe $1 ends with status $?:" && cat "$SCRATCH/printed-$1"
		return 1
	}
	printed=$(<"$SCRATCH/printed-$1")
	while IFS= read -r line; do
		[[ $printed == *"$line"* ]] || { printf 'recipe %s does not print %s:\n%s\n' "$1" "$line" "$printed" && return 1; }
	done < <(block output "$1")
	nothing_left || { echo "recipe $1 leaves processes" && return 1; }
}

@test "every recipe of the cookbook does what it says" {
	local n recipes failed=0 pids=()
	recipes=$(grep -c '^## [0-9]' "$SOURCE_TREE/share/doc/cookbook.md")
	[ "$recipes" -ge 15 ]
	[ "$(grep -c '^```sh$' "$SOURCE_TREE/share/doc/cookbook.md")" = "$recipes" ]
	[ "$(grep -c '^```output$' "$SOURCE_TREE/share/doc/cookbook.md")" = "$recipes" ]
	for ((n = 1; n <= recipes; n++)); do
		(cook "$n") >"$SCRATCH/said-$n" 2>&1 3>&- &
		pids+=($!)
		((n % 4)) || wait "${pids[@]: -4}" || true
	done
	for ((n = 1; n <= recipes; n++)); do
		wait "${pids[n - 1]}" || { failed=1 && cat "$SCRATCH/said-$n"; }
	done
	[ "$failed" = 0 ]
}
