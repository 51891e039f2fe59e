#!/usr/bin/env bash
# Lists the licences of everything that the image contains beside its base, as Markdown.
set -euo pipefail
cd "$(dirname "$0")/.."

mapfile -t names < <(sed -n 's/^\([a-z0-9._-]*\)==.*/\1/p' requirements.lock)
.venv/bin/pip-licenses --format=markdown --from=mixed --with-urls --packages "${names[@]}"
