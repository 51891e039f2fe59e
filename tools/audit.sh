#!/usr/bin/env bash
# Asks for known vulnerabilities of what the image contains. Where the network does not allow it, says so and leaves
# with 0; a known vulnerability leaves with 1.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p .cache
report=.cache/audit.json
rm -f "$report"
.venv/bin/pip-audit --progress-spinner off --require-hashes --disable-pip --timeout 15 -r requirements.lock \
    --format json --output "$report" >.cache/audit.log 2>&1 || true # what it found is in the report
.venv/bin/python - "$report" <<'PYTHON'
import json
import sys
from pathlib import Path

path = Path(sys.argv[1])
asked = json.loads(path.read_text())["dependencies"] if path.exists() else []
answered = [one for one in asked if "vulns" in one]
bad = [(one["name"], one["version"], vuln) for one in answered for vuln in one["vulns"]]
for name, version, vuln in bad:
    fixed = ", ".join(vuln["fix_versions"]) or "no version yet"
    print(f"audit: {name} {version}: {vuln['id']}, fixed in {fixed}")
if not answered:
    print("audit: nobody answered for any dependency; this network does not allow it")
else:
    unknown = len(asked) - len(answered)
    print(f"audit: {len(answered)} dependencies asked for, {len(bad)} vulnerabilities, {unknown} without an answer")
sys.exit(1 if bad else 0)
PYTHON
