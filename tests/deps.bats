load helper

setup_more() {
	FIXTURES=$SOURCE_TREE/tests/fixtures/deps
}

# imports JSON: "file:line:col spec -> what", one a line.
imports() {
	jq -r '.files[] | .path as $path | .imports[]
		| "\($path):\(.line):\(.column) \(.spec)\(if .name then " " + .name else "" end) -> \(
			.file // .package // (if .other then "other" elif .computed then "computed" else "unresolved" end))"'
}

@test "Python: relative, absolute, src layout, namespaces, stubs, siblings of a script" {
	cd "$FIXTURES/python"
	status_is 0 loop-deps --format json
	imports <<<"$output" | diff - ../python.imports
	[ -z "$stderr" ]
}

@test "TypeScript: extensions, index files, tsconfig paths, exports, imports, workspaces" {
	cd "$FIXTURES/script"
	status_is 0 loop-deps --format json
	imports <<<"$output" | diff - ../script.imports
	[ -z "$stderr" ]
}

@test "the JSON tells forms, types and what is lazy, and counts what the lists list" {
	cd "$FIXTURES"
	status_is 0 loop-deps --format json python script ring
	json=$output
	[ "$(jq -r '.files[] | select(.path == "python/src/shop/typed.py").imports[1] | "\(.form) \(.type) \(.lazy)"' <<<"$json")" = 'from true null' ]
	[ "$(jq -r '.files[] | select(.path == "script/src/main.ts").imports[] | select(.spec == "./lazy") | "\(.form) \(.lazy)"' <<<"$json")" = 'call true' ]
	[ "$(jq '.stats.external' <<<"$json")" = "$(loop-deps -e python script ring | awk -F'\t' '{ n += $3 } END { print n }')" ]
	[ "$(jq '.stats.unresolved + .stats.computed' <<<"$json")" = "$(loop-deps -u python script ring | wc -l)" ]
	[ "$(jq '.stats.knots' <<<"$json")" = "$(loop-deps -c python script ring | grep -c '^cycle')" ]
	[ "$(jq '.stats.files' <<<"$json")" = "$(find python script ring -name '*.py*' -o -name '*.ts*' -o -name '*.js' | grep -cE '\.(pyi?|tsx?|js)$')" ]
}

@test "cycles are closed paths with the place of each import, one a knot" {
	cd "$FIXTURES/ring"
	status_is 0 loop-deps --cycles
	[ "$output" = 'cycle of 3 in a knot of 4:
  a.js:1:8: imports b.js
  b.js:2:8: imports c.js
  c.js:2:8: imports a.js
cycle of 2:
  x/g.ts:1:24: imports y/h.ts, for types
  y/h.ts:1:19: imports x/g.ts' ]
	[ "$(loop-deps --cycles --edges runtime | grep -c '^cycle')" -eq 1 ]
	has "$(loop-deps --cycles --edges load)" 'cycle of 3:'
}

@test "--check tells by its status" {
	cd "$FIXTURES"
	status_is 1 loop-deps --check ring
	status_is 1 loop-deps --check -u script
	mkdir "$SCRATCH/fine"
	echo 'import os' >"$SCRATCH/fine/a.py"
	status_is 0 loop-deps --check "$SCRATCH/fine"
}

@test "--affected follows imports back, whatever way" {
	cd "$FIXTURES/ring"
	[ "$(loop-deps --affected f.js | tr '\n' ' ')" = 'a.js b.js c.js d.js e.js f.js ' ]
	[ "$(loop-deps -a e.js -a x/g.ts --edges runtime | tr '\n' ' ')" = 'e.js x/g.ts y/h.ts ' ]
	[ "$(printf 'y/h.ts\nself.js\n' | loop-deps --affected - | tr '\n' ' ')" = 'self.js x/g.ts y/h.ts ' ]
	cd "$FIXTURES/python"
	[ "$(loop-deps --affected src/shop/money.py --edges load | sed 's/.*\///' | tr '\n' ' ')" = \
		'__init__.py both.pyi cart.py money.py one.py typed.py helpers.py test_cart.py ' ]
	status_is 0 loop-deps --affected nowhere.py
	[ -z "$output" ]
	has "$stderr" 'nowhere.py: no such file'
	status_is 0 loop-deps --affected pyproject.toml
	[ -z "$output$stderr" ]
}

@test "levels: a file stands above all that it imports, a ring on one level" {
	cd "$FIXTURES/ring"
	status_is 0 loop-deps --format levels
	[ "$output" = $'0\tf.js\n0\tself.js\n0\tx/g.ts\n0\ty/h.ts\n1\ta.js\n1\tb.js\n1\tc.js\n1\td.js\n2\te.js' ]
}

@test "a plan of the files, and one of the directories, is one that loop-sched takes" {
	cd "$FIXTURES"
	loop-deps --format plan ring python script >"$SCRATCH/files.json"
	loop-deps --format plan --by directory ring python script >"$SCRATCH/folders.json"
	cd "$SCRATCH"
	[ "$(jq -c '.tasks[] | select(.id == "ring:e.js") | .needs' files.json)" = '["ring:a.js"]' ]
	[ "$(jq -c '.tasks[] | select(.id == "ring:a.js") | .files' files.json)" = '["ring/a.js","ring/b.js","ring/c.js","ring/d.js"]' ]
	[ "$(jq -c '[.tasks[].files[]] | length == (unique | length)' files.json)" = true ]
	[ "$(jq -c '.tasks[] | select(.id == "ring:x") | .files' folders.json)" = '["ring/x/g.ts","ring/y/h.ts"]' ]
	command -v loop-sched >/dev/null || skip 'no loop-sched'
	for plan in files folders; do
		jq '.tasks[].run = "true"' $plan.json >plan.json
		status_is 0 loop-sched check plan.json
	done
}

@test "dot is what Graphviz reads: every file and edge, rings in red" {
	cd "$FIXTURES/ring"
	status_is 0 loop-deps --format dot
	[ "${lines[0]}" = 'digraph imports {' ]
	[ "${lines[-1]}" = '}' ]
	[ "$(grep -c -- '->' <<<"$output")" -eq 9 ]
	has "$output" '"e.js" -> "a.js" [style=solid];'
	has "$output" '"d.js" -> "a.js" [style=dashed,color=red];'
	has "$output" '"x/g.ts" -> "y/h.ts" [style=dotted,color=red];'
}

@test "stats are for people: counts and a longest chain" {
	cd "$FIXTURES/ring"
	status_is 0 loop-deps
	has "$output" 'files       9 (7 javascript, 2 typescript)'
	has "$output" 'knots       2, the largest of 4 files'
	has "$output" $'chain       3\n  e.js\n  a.js (and 3 more in a knot)\n  f.js'
}

@test "what others wrote is left out, and globs choose" {
	mkdir -p src/node_modules/x src/.hidden src/__pycache__ src/env src/gen/deep
	touch src/env/pyvenv.cfg
	for f in a.py node_modules/x/b.js .hidden/c.py __pycache__/d.py env/e.py gen/deep/f.ts gen/g.test.ts .h.py; do
		echo >"src/$f"
	done
	files() { loop-deps -f json "$@" src | jq -r '.files[].path' | tr '\n' ' '; }
	[ "$(files)" = 'src/a.py src/gen/deep/f.ts src/gen/g.test.ts ' ]
	[ "$(files --exclude gen/)" = 'src/a.py ' ]
	[ "$(files --exclude '*.test.ts')" = 'src/a.py src/gen/deep/f.ts ' ]
	[ "$(files --include '**/deep/*' --include '*.py')" = 'src/a.py src/gen/deep/f.ts ' ]
	[ "$(files src/.h.py src/a.py src)" = 'src/.h.py src/a.py src/gen/deep/f.ts src/gen/g.test.ts ' ]
}

@test "what cannot be read is named and the rest goes on" {
	mkdir t
	printf 'import "./b"\n' >t/a.js
	: >t/b.js
	printf '\x7fELF\x00\x00' >t/binary.js
	printf '\xff\xfei\x00' >t/utf16.ts
	printf 'import "./b"; "\xff\xfe"; import "./\xff"\n' >t/latin.js
	truncate -s 3M t/huge.py
	ln -s . t/loop
	ln -s nowhere t/dangling.py
	ln -s b.js t/link.js
	mkfifo t/fifo.py
	mkdir t/closed t/dir.py
	echo >t/closed/c.py
	chmod 0 t/closed
	[ "$(id -u)" -eq 0 ] && closed=0 || closed=74
	status_is "$closed" loop-deps --format json --max-size 1M t
	[ "$(jq -r '[.files[].path] | join(" ")' <<<"$output")" != '' ]
	[ "$(jq -c '[.files[] | select(.imports != []) | .path, .imports[].file]' <<<"$output")" = '["t/a.js","t/b.js","t/latin.js","t/b.js",null]' ]
	has "$stderr" 't/huge.py: larger than --max-size'
	has "$stderr" 't/binary.js: not UTF-8 text'
	has "$stderr" 't/utf16.ts: not UTF-8 text'
	[ "$(id -u)" -eq 0 ] || has "$stderr" 't/closed: Permission denied'
	chmod 755 t/closed
	status_is 66 loop-deps nowhere
	has "$stderr" 'nowhere: No such file or directory'
}

@test "a folder that is read in part is no success" {
	cat >readdir.c <<-'C'
		#include <dirent.h>
		#include <errno.h>
		struct dirent *readdir(DIR *d)
		{
			(void)d;
			return errno = EIO, (void *)0;
		}
		struct dirent64 *readdir64(DIR *d) __attribute__((alias("readdir")));
	C
	"${CC:-cc}" -w -shared -fPIC -o readdir.so readdir.c
	mkdir t
	: >t/a.py
	status_is 74 env "LD_PRELOAD=$SCRATCH/readdir.so" ASAN_OPTIONS=verify_asan_link_order=0 loop-deps t
	has "$stderr" 't: Input/output error'
}

@test "hostile names reach neither the terminal nor the JSON as they are" {
	mkdir t
	printf 'import "./b"\nimport "./c\\u001b[2J"\n' >$'t/a\e[31m\n.js'
	: >t/b.js
	printf 'import "./\xff.js"\n' >$'t/\xff.js'
	for how in '-f stats' '-f levels' '-f dot' '-f plan' '-f json' -u; do
		# shellcheck disable=SC2086 # options
		status_is 0 loop-deps $how t
		[[ $output != *$'\e'* ]]
	done
	loop-deps -f json t | jq -e '.stats.edges == 1' >/dev/null
	loop-deps -f plan t | jq -r '.tasks[].id' >ids
	[ "$(sort ids | uniq -d | wc -l)" -eq 0 ]
	[ "$(grep -cvE '^[A-Za-z0-9_:@+-][A-Za-z0-9._:@+-]{0,127}$' ids)" -eq 0 ]
}

@test "a configuration that is no JSON is said once, and the rest goes on" {
	mkdir -p t/sub
	echo '{ "compilerOptions": { "paths": ' >t/tsconfig.json
	echo '{ "name": ' >t/sub/package.json
	echo 'import "./b"; import "bare"' | tee t/a.ts t/c.ts >t/sub/d.ts
	: >t/b.ts
	status_is 0 loop-deps -f json t
	[ "$(jq -c '[.stats.resolved, .stats.external, .stats.unresolved]' <<<"$output")" = '[2,3,1]' ]
	[ "$(grep -c tsconfig.json <<<"$stderr")" -eq 1 ]
	[ "$(grep -c package.json <<<"$stderr")" -eq 1 ]
}

@test "configurations that extend themselves end" {
	mkdir t
	echo '{ "extends": "./tsconfig.json", "references": [{ "path": "." }] }' >t/tsconfig.json
	echo 'import "x"' >t/a.ts
	status_is 0 loop-deps -e t
	[ "$output" = $'x\t1\t1' ]
}

@test "a deep tree, a long chain and a star are no matter" {
	mkdir t
	awk 'BEGIN { for (i = 0; i < 3000; i++) {
		f = "t/m" i ".py"
		printf "import m%d\nimport m0\n", i + 1 >f
		close(f) } }'
	echo 'x = 1' >t/m3000.py
	status_is 0 loop-deps -f json t
	[ "$(jq '.cycles[0].knot' <<<"$output")" -eq 3000 ]
	[ "$(jq '.stats.edges' <<<"$output")" -eq 5999 ]
	deep=$(printf 'd/%.0s' {1..300})
	mkdir -p "t/$deep"
	echo 'import m0' >"t/$deep/x.py"
	has "$(loop-deps -a t/m3000.py t)" "t/${deep}x.py"
}

@test "the same tree gives the same bytes, from wherever it is asked" {
	cp -r "$FIXTURES" a
	loop-deps -f json a >one
	loop-deps -f json a/script a/ring a/python a >two
	(cd a && loop-deps -f json ../a) >three
	cmp one two
	[ "$(jq '.stats' one)" = "$(jq '.stats' three)" ]
	[ "$(jq -r '.files[0].path' three)" = python/src/shop/__init__.py ]
}

@test "wrong options are refused" {
	status_is 64 loop-deps --cycles --external
	status_is 64 loop-deps --by directory
	status_is 64 loop-deps --format xml
	status_is 74 bash -c 'loop-deps --format json "$SOURCE_TREE/tests/fixtures/deps" >/dev/full'
}

@test "what .gitignore leaves out is left out, the nearest one deciding" {
	mkdir -p tree/.git tree/src/deep tree/build tree/out tree/src/build
	touch tree/{a,b.gen,keep.gen}.py tree/build/c.py tree/src/build/d.py tree/src/{e,x.gen}.py tree/src/deep/{f,g}.py tree/out/h.py
	printf '# made\n/build/\n*.gen.py\n!keep.gen.py\nout/*\n' >tree/.gitignore
	printf '!x.gen.py\ndeep/g.py\r\n' >tree/src/.gitignore
	names() { loop-deps --format json "$@" | jq -r '.files[].path' | sort | tr '\n' ' '; }
	[ "$(names tree)" = 'tree/a.py tree/keep.gen.py tree/src/build/d.py tree/src/deep/f.py tree/src/e.py tree/src/x.gen.py ' ]
	[ "$(names tree/src/deep)" = 'tree/src/deep/f.py ' ]
	[ "$(names --no-ignore tree | wc -w)" -eq 10 ]
	[ "$(names tree/build/c.py)" = 'tree/build/c.py ' ]
}

# leads FILE:LINE: what the import there leads to.
leads() {
	loop-deps --format json | imports | sed -n "s|^$1:[0-9]* .* -> ||p"
}

@test "conditions hold as for node and for the compiler; where they lead nowhere, any other does" {
	cd "$SCRATCH" && mkdir -p lib/dist lib/src app && cd "$SCRATCH"
	echo '{"name":"lib","exports":{".":{"source":"./src/index.ts","react-server":"./dist/server.js",
		"types":"./dist/index.d.ts","require":"./dist/index.cjs","default":"./dist/index.js"},"./new":{"source":"./src/new.ts","default":"./dist/new.js"}}}' >lib/package.json
	touch lib/dist/{server.js,index.cjs,index.js,index.d.ts} lib/src/{index,new}.ts
	printf '%s\n' 'import "lib";' 'require("lib");' 'import "lib/new";' 'import "util";' >app/a.js
	cp app/a.js app/b.ts
	[ "$(leads app/a.js:1)" = lib/dist/index.js ]
	[ "$(leads app/a.js:2)" = lib/dist/index.cjs ]
	[ "$(leads app/a.js:3)" = lib/src/new.ts ]
	[ "$(leads app/b.ts:1)" = lib/dist/index.d.ts ]
	echo '{"compilerOptions":{"customConditions":["source"]}}' >app/tsconfig.json
	[ "$(leads app/b.ts:1)" = lib/src/index.ts ]
	[ "$(leads app/a.js:1)" = lib/dist/index.js ]
}

@test "a package in a package is nobody's but a workspace's; node's own modules are no package's" {
	cd "$SCRATCH" && mkdir -p vendor/react vendor/util
	echo '{"name":"app"}' >package.json
	echo '{"name":"react"}' >vendor/react/package.json
	echo '{"name":"util"}' >vendor/util/package.json
	touch vendor/{react,util}/index.js
	printf '%s\n' 'import "react";' 'import "util";' 'import "./vendor/react";' >main.js
	[ "$(leads main.js:1) $(leads main.js:2) $(leads main.js:3)" = 'react util vendor/react/index.js' ]
	echo '{"name":"app","workspaces":["vendor/*"]}' >package.json
	[ "$(leads main.js:1) $(leads main.js:2)" = 'vendor/react/index.js util' ]
}

@test "a folder is its main module, whatever its package exports" {
	cd "$SCRATCH" && mkdir -p old/lib
	echo '{"name":"old","main":"lib/main","module":"lib/module.js","exports":{".":"./lib/exported.js"}}' >old/package.json
	touch old/lib/{main,module,exported}.js old/index.js
	printf '%s\n' 'require("./old");' 'require("old");' >a.js
	[ "$(leads a.js:1) $(leads a.js:2)" = 'old/lib/main.js old/lib/exported.js' ]
}
