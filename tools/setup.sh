#!/usr/bin/env bash
# Makes .venv from requirements-dev.lock, with the newest Python that is here.
# Needs Python 3.11 or newer; what Debian and Ubuntu split off it (python3-venv) is installed by apt-get.
# Writes only to .venv and .cache (and what apt-get installs).
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
die() { say "setup: $*"; exit 1; }

# Two `make` at once must not build one folder together.
mkdir -p .cache
if command -v flock >/dev/null; then
    exec 9>.cache/setup.lock
    flock 9
fi

stamp=.venv/.stamp
wanted=$(cat requirements-dev.lock tools/setup.sh | sha256sum | cut -d' ' -f1)
if [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && .venv/bin/python -c '' 2>/dev/null; then
    touch "$stamp"
    exit 0
fi

# A name on PATH may be an empty shim, so each candidate must really run. Prints "MINOR PATH".
pythons() {
    local name path
    for name in python3.{14,13,12,11} python3 /usr/bin/python3; do
        path=$(command -v "$name") || continue
        "$path" -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(1); print(v.minor, sys.argv[1])' \
            "$path" 2>/dev/null || true
    done | sort -k1,1nr -s
}

can_make_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

find_python() {
    local path
    while read -r _ path; do
        if can_make_venv "$path"; then
            printf '%s\n' "$path"
            return 0
        fi
    done < <(pythons)
    return 1
}

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

install_venv_package() {
    command -v apt-get >/dev/null || return 1
    [[ $(id -u) == 0 ]] || sudo -n true 2>/dev/null || return 1
    say "setup: installing python3-venv with apt-get"
    as_root apt-get update -qq >.cache/apt.log 2>&1 || true
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends python3-venv >>.cache/apt.log 2>&1
}

[[ -n $(pythons) ]] || die "needs Python 3.11 or newer as python3 or python3.N on PATH; found none."
if ! python=$(find_python); then
    install_venv_package && python=$(find_python) ||
        die "Python is here but cannot make a virtual environment. Run: sudo apt-get install python3-venv"
fi

say "setup: making .venv with $("$python" --version), a minute or so"
# The user's own pip cache is used when PIP_CACHE_DIR names it; nothing else outside is written.
export PIP_CACHE_DIR=${PIP_CACHE_DIR:-$PWD/.cache/pip} PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
rm -f "$stamp"
# A .venv that works is brought up to the new lock in place: somebody may be running tests in it.
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear .venv
fi
.venv/bin/python -m pip install --quiet --require-hashes -r requirements-dev.lock ||
    die "pip could not install requirements-dev.lock; its message is above."
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable . ||
    die "pip could not install the project itself; its message is above."
printf '%s\n' "$wanted" >"$stamp"
say "setup: ready"
