#!/usr/bin/env bash
# Harmattan over the corpus of the feedparser project, beside feedparser itself: how many entries each reads, and in how
# many of those that both read title, link, id and date are the same. Needs git, Python and the network; of the corpus
# nothing stays.
#
# tests/corpus/run.sh [HARMATTAN [REVISION]]     the program; target/release/harmattan without. The corpus as it is at
#                                                that revision; the newest without
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:-$here/../../target/release/harmattan}")
revision=${2:-HEAD}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" -q install feedparser==6.0.14 'chardet<6'
git clone -q "${CORPUS:-https://github.com/kurtmckee/feedparser}" "$folder/repo"
git -C "$folder/repo" checkout -q "$revision"
git -C "$folder/repo" log -1 --format='corpus of %cs, %h'
"$folder/venv/bin/python" "$here/compare.py" "$program" "$folder/repo/tests"
