#!/usr/bin/env bash
# Writes requirements.lock and requirements-dev.lock anew: every file by its hash, no address of any index,
# one resolution for every Python from 3.11. Versions already locked stay unless UPGRADE is set.
set -euo pipefail
cd "$(dirname "$0")/.."

# A tool venv of its own: a broken lock must not stand in the way of its repair.
export PIP_CACHE_DIR=${PIP_CACHE_DIR:-$PWD/.cache/pip} UV_CACHE_DIR=$PWD/.cache/uv
uv=.cache/uv-$UV_VERSION/bin/uv
if [[ ! -x $uv ]]; then
    tools/setup.sh
    .venv/bin/python -m venv --clear "${uv%/bin/uv}"
    "${uv%/uv}/python" -m pip install --quiet "uv==$UV_VERSION"
fi

compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links ${UPGRADE:+--upgrade} pyproject.toml "$@" >/dev/null
}

compile --output-file requirements.lock
# What users run is what is tested: the first lock binds the second.
compile --extra dev --constraint requirements.lock --output-file requirements-dev.lock

if grep -nE '://' requirements.lock requirements-dev.lock; then
    echo 'lock: an address came into the lock files, see above' >&2
    exit 1
fi
