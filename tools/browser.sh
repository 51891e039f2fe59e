#!/usr/bin/env bash
# Makes sure that /usr/bin/chromium and /usr/bin/chromedriver are here: the tests of the status page use a real
# browser. Missing ones are installed by apt-get, for which it must be root or allowed to sudo without a password.
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
    printf 'browser: %s\n' "$1" 'Run: sudo apt-get install chromium chromium-driver' >&2
    exit 1
}

present() { [[ -x /usr/bin/chromium && -x /usr/bin/chromedriver ]]; }

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

if present; then
    exit 0
fi

# Two `make` at once must not ask dpkg for the same thing.
mkdir -p .cache
if command -v flock >/dev/null; then
    exec 9>.cache/browser.lock
    flock 9
    present && exit 0
fi

command -v apt-get >/dev/null || die 'found no chromium and chromedriver, and no apt-get to fetch them.'
[[ $(id -u) == 0 ]] || sudo -n true 2>/dev/null || die 'found no chromium and chromedriver, and may not install them.'

printf 'browser: installing chromium and its driver with apt-get, about 100 MB (once)\n' >&2
log=$PWD/.cache/browser.log
as_root apt-get update -qq >"$log" 2>&1 || true # old lists may do
as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends chromium chromium-driver >>"$log" 2>&1 || true
present || {
    sed 's/^/    /' "$log" | tail -n 20 >&2
    die 'apt-get could not install them; its last lines are above.'
}
