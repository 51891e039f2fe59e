#!/usr/bin/env bash
# Builds the documentation into .cache/site; a link that leads nowhere is an error, inside and between pages.
# Asks nobody outside.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .cache
# Not --quiet: what is not said is not counted by --strict.
NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --clean >.cache/docs.log 2>&1 || {
    grep -v '^INFO' .cache/docs.log >&2 || cat .cache/docs.log >&2
    exit 1
}
printf 'docs: built; open %s\n' "$PWD/.cache/site/index.html"
