#!/bin/sh
# check.sh [NAME...]: checks the tools named, or all that are there, against what they should print.
cd "$(dirname "$0")" || exit 2
failed=0

expect() { # TOOL INPUT OUTPUT
	got=$(printf '%b' "$2" | sh "bin/$1" 2>&1)
	want=$(printf '%b' "$3")
	if [ "$got" != "$want" ]; then
		printf '%s: printed\n%s\nnot\n%s\n' "$1" "$got" "$want"
		failed=1
	fi
}

check() {
	case $1 in
	slug) expect slug '  Hello, wide World!\n' 'hello-wide-world\n' ;;
	count) expect count 'one two\nthree\n' '3\n' ;;
	top) expect top 'a b a\nc a b\n' 'a\nb\nc\n' ;;
	title) expect title 'the quick brown fox\n' 'The Quick Brown Fox\n' ;;
	report) expect report 'a b a\n' 'words: 3\nmost: a\n' ;;
	wrap) expect wrap 'aaa bbb ccc ddd eee fff ggg hhh iii jjj kkk\n' 'aaa bbb ccc ddd eee fff ggg hhh iii jjj\nkkk\n' ;;
	toolbox)
		for name in bin/*; do
			[ "$name" = bin/toolbox ] || sh bin/toolbox list | grep -qx "${name#bin/}" ||
				{ echo "toolbox: does not list ${name#bin/}"; failed=1; }
		done
		;;
	*) echo "$1: no such tool"; failed=1 ;;
	esac
}

if [ $# -eq 0 ]; then
	for tool in bin/*; do set -- "$@" "${tool#bin/}"; done
fi
for tool; do
	if [ -f "bin/$tool" ]; then check "$tool"; else echo "bin/$tool: missing"; failed=1; fi
done
exit $failed
