#!/usr/bin/env bash
# Builds the image of the Dockerfile without a daemon: buildah, with chroot isolation, on a base that debootstrap makes
# of this system's own packages. Unpacks the result into .cache/image/root, its configuration into
# .cache/image/config.json, and prints what it measured; where nothing has changed since, says so and is done. The
# tests marked `image` call this, and run what is there.
# Needs root (or sudo without a password). Writes only to .cache/image (and what apt-get installs).
# Leaves with 69 where this machine cannot make a base at all, and with 1 where the image cannot be built on it.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'image: %s\n' "$*" >&2; }
readonly UNAVAILABLE=69 # EX_UNAVAILABLE of sysexits.h
failing_with=$UNAVAILABLE
die() { say "$*"; exit "$failing_with"; }

if [[ $(id -u) != 0 ]]; then
    sudo -n true 2>/dev/null || die 'needs root to make file systems of its own. Run: sudo tools/image.sh'
    exec sudo -n --preserve-env=SSL_CERT_FILE "$0" "$@"
fi

work=$PWD/.cache/image
log=$work/log
mkdir -p "$work"
release=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")
[[ -n $release ]] || die 'this system does not name its release.'
unshare --mount mount --bind "$work" "$work" || die 'may not mount anything, not even for itself.'
if command -v flock >/dev/null; then
    exec 9>"$work/lock"
    flock 9
fi

measured() {
    local base beyond
    read -r base <"$work/bytes-of-the-base" && read -r beyond <"$work/bytes-beyond-the-base"
    printf '%d MB beyond the base of %d MB; unpacked in .cache/image/root\n' $((beyond / 1000000)) $((base / 1000000))
}

# --- what it is made of, as one number ----------------------------------------------------------------
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' syncer/__init__.py)
revision=$(git -c safe.directory="$PWD" rev-parse --short HEAD 2>/dev/null || echo unknown)
made_of=(Dockerfile .dockerignore LICENSE pyproject.toml requirements.lock requirements-dev.lock tools/image.sh)
wanted=$({
    printf '%s\n' "$release" "$revision"
    find "${made_of[@]}" syncer deploy/image -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
} | sha256sum | cut -d' ' -f1)
if [[ -d $work/root/opt/syncer && -f $work/stamp && $(<"$work/stamp") == "$wanted" ]]; then
    printf 'image: built before, '
    measured
    exit 0
fi
rm -f "$work/stamp"
: >"$log"
quietly() { "$@" >>"$log" 2>&1 || { tail -n 30 "$log" | sed 's/^/    /' >&2; die "failed: $*"; }; }
buildah() {
    command buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"
}

if ! command -v buildah >/dev/null || ! command -v debootstrap >/dev/null; then
    command -v apt-get >/dev/null || die 'needs buildah and debootstrap.'
    say 'installing buildah and debootstrap with apt-get'
    apt-get update -qq >>"$log" 2>&1 || true # old lists may do
    DEBIAN_FRONTEND=noninteractive quietly apt-get -o DPkg::Lock::Timeout=120 \
        install -y -qq --no-install-recommends buildah debootstrap crun
fi

# --- the base: this system's release, with python3; and the same with pip, to build on ---------------
if [[ ! -f $work/base-$release.done ]]; then
    mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' | awk -v r="$release" '$1 == r { print $2; exit }')
    [[ -n $mirror ]] || die "apt's sources name no mirror of $release."
    say "making a base of $release, a minute or so (once)"
    rm -rf "$work/base"
    quietly debootstrap --variant=minbase --include=python3,ca-certificates "$release" "$work/base" "$mirror"
    rm -rf "$work"/base/var/cache/apt/archives/*.deb "$work"/base/var/lib/apt/lists/*
    container=$(buildah from scratch)
    quietly buildah add --quiet "$container" "$work/base" /
    quietly buildah commit --quiet --rm "$container" localhost/base
    container=$(buildah from localhost/base)
    quietly buildah run --isolation chroot "$container" -- sh -c \
        'apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-pip python3-venv'
    quietly buildah commit --quiet --rm "$container" localhost/builder
    touch "$work/base-$release.done"
fi

# --- the image ---------------------------------------------------------------------------------------
failing_with=1
say 'building the image'
trusted=()
authorities=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
if [[ -r $authorities ]]; then # whom this system trusts, a network's own authorities among them; not in the result
    trusted=(--volume "$authorities:/etc/ssl/certs/ca-certificates.crt:ro")
fi
quietly buildah bud --isolation chroot --format docker --pull-never "${trusted[@]}" \
    --build-arg BASE=localhost/base --build-arg BUILDER=localhost/builder \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
    --tag localhost/consul-cloudmap-sync .

# --- unpacked, for the tests ---------------------------------------------------------------------------
buildah rm --all >/dev/null 2>&1 || true
container=$(buildah from --pull-never localhost/consul-cloudmap-sync)
root=$(buildah mount "$container")
rm -f "$work/root"
ln -s "$root" "$work/root"
buildah inspect --type image localhost/consul-cloudmap-sync >"$work/config.json"

bytes() { du --summarize --apparent-size --block-size=1 "$1" | cut -f1; }
base=$(bytes "$work/base")
printf '%s\n' "$base" >"$work/bytes-of-the-base"
printf '%s\n' $(($(bytes "$root") - base)) >"$work/bytes-beyond-the-base"
# Images that a build left without a name only take room.
buildah rmi --prune >/dev/null 2>&1 || true
printf '%s\n' "$wanted" >"$work/stamp"
printf 'image: built, '
measured
