#!/usr/bin/env bash
# Prints the path of promtool, which checks the alert rules and /metrics: the one on PATH, else the one in
# .cache/prometheus. When that is not there yet, it is unpacked from the system's own package of Prometheus, which
# apt-get fetches and verifies. Nothing is installed; writes only to .cache/prometheus (and apt's package lists).
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
    printf 'promtool: %s\n' "$1" \
        'Put promtool on PATH, or the program at .cache/prometheus/promtool, and try again.' >&2
    exit 1
}

target=$PWD/.cache/prometheus/promtool
if path=$(command -v promtool); then
    printf '%s\n' "$path"
    exit 0
fi
if [[ -x $target ]]; then
    printf '%s\n' "$target"
    exit 0
fi

command -v apt-get >/dev/null && command -v dpkg >/dev/null || die 'found none on PATH, and no apt-get to fetch one.'

mkdir -p .cache/prometheus
work=$(mktemp -d "$PWD/.cache/prometheus/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}
fetch() { (cd "$work" && apt-get download -qq -o APT::Sandbox::User="" prometheus) >>"$work/log" 2>&1; }

printf 'promtool: fetching the package of Prometheus, about 40 MB (once)\n' >&2
if ! fetch; then
    # The package lists may be missing, or so old that the package they name is gone.
    as_root apt-get update -qq >>"$work/log" 2>&1 || true
    fetch || {
        sed 's/^/    /' "$work/log" >&2
        die 'found none on PATH, and apt-get could not fetch the package; its words are above.'
    }
fi

dpkg-deb --fsys-tarfile "$work"/prometheus_*.deb | tar -x -C "$work" ./usr/bin/promtool
"$work/usr/bin/promtool" --version >/dev/null 2>&1 || die "the package's program does not run on this machine."
mv -f "$work/usr/bin/promtool" "$target"
printf '%s\n' "$target"
