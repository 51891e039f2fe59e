#!/usr/bin/env bash
# Builds the documentation into .cache/site; a link that leads nowhere is an error, inside and between pages.
# Asks nobody outside.
set -euo pipefail
cd "$(dirname "$0")/.."

NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet --clean
printf 'docs: built; open %s\n' "$PWD/.cache/site/index.html"
