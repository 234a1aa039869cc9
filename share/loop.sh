# loop.sh: events for shell scripts, in sh, dash or bash:
#
#	. /usr/local/share/loop/loop.sh
#	emit_story_started US-003 'Log in'
#
# Every function returns 0: a script never fails because nobody listens. Where loop-emit is not
# there, one warning says so and the script goes on.
# shellcheck shell=sh

LOOP_EMIT_WARNED=

loop_emit() { # TYPE [options] [KEY=VALUE...] [KEY:=JSON...]
	if ! command -v loop-emit >/dev/null 2>&1; then
		[ -n "$LOOP_EMIT_WARNED" ] ||
			printf '%s: loop-emit is not installed: events are not recorded\n' "${0##*/}" >&2
		LOOP_EMIT_WARNED=1
		return 0
	fi
	loop-emit "$@" --source="/${0##*/}" </dev/null || :
}

# true or false of what scripts say: an exit status or a word.
loop_success() {
	case $1 in
	0 | true | yes | passed | success) echo true ;;
	*) echo false ;;
	esac
}

# A number, or null where it is none.
loop_number() {
	case $1 in
	'' | *[!0-9]* | 0[0-9]*) echo null ;;
	*) printf '%s\n' "$1" ;;
	esac
}

# The subject of a story: what the environment says, else PRD/STORY, where emit_prd_started named one.
loop_story_subject() {
	printf '%s\n' "${LOOP_SUBJECT:-${LOOP_PRD:+$LOOP_PRD/}$1}"
}

emit_prd_started() { # PRD [TITLE] [STORIES]
	LOOP_PRD=$1
	loop_emit prd.started --subject="$1" prd="$1" title="${2-}" stories:="$(loop_number "${3-}")"
}

emit_prd_completed() { # PRD [SUCCESS]
	loop_emit prd.completed --subject="$1" prd="$1" success:="$(loop_success "${2-true}")"
}

emit_story_started() { # STORY [TITLE]
	loop_emit story.started --subject="$(loop_story_subject "$1")" story="$1" title="${2-}"
}

emit_story_completed() { # STORY [SUCCESS] [REASON] [COMMIT]
	loop_emit story.completed --subject="$(loop_story_subject "$1")" story="$1" \
		success:="$(loop_success "${2-true}")" ${3:+"reason=$3"} ${4:+"commit=$4"}
}

emit_criterion_completed() { # STORY CRITERION [SUCCESS]
	loop_emit criterion.completed --subject="$(loop_story_subject "$1")" story="$1" \
		criterion="$2" success:="$(loop_success "${3-true}")"
}

emit_test_run() { # COMMAND STATUS [MS]
	loop_emit test.run command="$1" success:="$(loop_success "$2")" \
		status:="$(loop_number "$2")" ms:="$(loop_number "${3-}")"
}

emit_commit_created() { # COMMIT [TITLE] [BRANCH]
	loop_emit commit.created commit="$1" title="${2-}" branch="${3-}"
}

emit_error() { # MESSAGE [PROGRAM]
	loop_emit error.occurred --priority=high message="$1" program="${2-${0##*/}}"
}

emit_log_message() { # MESSAGE [LEVEL]
	loop_emit log.message --priority=low message="$1" level="${2-info}"
}

emit_metric() { # NAME VALUE
	loop_emit metric --priority=low name="$1" value:="$2"
}
