#!/usr/bin/env bash
# Takes the tour of docs/workflow.md: runs its ```sh blocks as they are written, in order, against a fresh
# `begreb serve`, and holds what each command prints against the `# → …` lines below it.
#
#   tests/tour.sh [BEGREB]     BEGREB is the program; usually target/debug/begreb
#
# A command that begins with `api` or `said` and says nothing of what it prints fails the run, so that no status goes
# unlooked at.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
begreb=${1:-${CARGO_TARGET_DIR:-$root/target}/debug/begreb}
die() { printf 'tests/tour.sh: %s\n' "$*" >&2; exit 1; }
for command in curl jq; do
    command -v "$command" >/dev/null || die "$command is needed and is not on PATH"
done
[ -x "$begreb" ] || die "there is no program $begreb"

folder=$(mktemp -d "${TMPDIR:-/tmp}/begreb-tour.XXXXXX")
server=
finish() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The page as a script: what it expects becomes calls of `expect`, with the number of the line.
awk '
    function open_ended() {
        if (bare) { printf "docs/workflow.md:%d: what does it print?\n", bare >"/dev/stderr"; failed = 1 }
        bare = 0
    }
    /^```sh$/ { running = 1; next }
    /^```$/ { if (running) { flush(); open_ended() } running = 0; next }
    !running { next }
    /^# → / { wanted = wanted (n++ ? "\n" : "") substr($0, length("# → ") + 1); at = NR; bare = 0; next }
    { flush(); print }
    !/^ / && /(^|\| *)(api|said|answer|decide|person|party|enter) / { open_ended(); bare = NR }
    function flush() {
        if (!n) return
        gsub(/\047/, "\047\\\047\047", wanted)
        printf "expect %d \047%s\047\n", at, wanted
        wanted = ""; n = 0
    }
    END { exit failed }
' "$root/docs/workflow.md" >"$folder/tour" || die "the page leaves something open"
[ -s "$folder/tour" ] || die "the page has no tour"

cat >"$folder/run" <<'END'
exec 3>&1 >>printed
expect() { # LINE WANTED
    local got
    got=$(cat printed)
    : >printed
    [ "$got" = "$2" ] && return
    printf 'docs/workflow.md:%s: expected\n%s\nand it printed\n%s\n' "$1" "$2" "$got" >&2
    [ ! -s answer ] || head -c 2000 answer >&2
    exit 1
}
. ./tour
[ ! -s printed ] || expect end ''
echo "the tour is through" >&3
END

mkdir "$folder/bin" "$folder/work"
ln -s "$(cd "$(dirname "$begreb")" && pwd)/$(basename "$begreb")" "$folder/bin/begreb"
mv "$folder/tour" "$folder/run" "$folder/work"
cd "$folder/work"
export PATH="$folder/bin:$PATH" LANG=en_GB.UTF-8
unset "${!BEGREB_@}"

begreb serve --listen 127.0.0.1:0 >../ready 2>../log &
server=$!
for _ in $(seq 100); do
    B=$(sed -n 's|.*ready at \(http://[0-9.:]*[0-9]\).*|\1|p' ../ready)
    [ -z "$B" ] || break
    kill -0 "$server" 2>/dev/null || { cat ../log >&2; die "begreb serve does not start"; }
    sleep 0.1
done
[ -n "$B" ] || die "begreb serve is not ready after 10 seconds"
export B

bash -eu run || { tail -n 5 ../log >&2; die "the tour failed"; }
begreb verify >/dev/null || die "the registry is not whole after the tour"
