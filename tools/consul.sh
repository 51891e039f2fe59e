#!/usr/bin/env bash
# Prints the path of a real Consul: the one on PATH, else the one in .cache/consul. When that is not there
# yet, it is unpacked from a distribution package: Debian 11 and Ubuntu 22.04 were the last to carry one, and
# it needs no more than libc. apt-get fetches and verifies it from this system's own mirror, with this
# system's own archive key. Nothing is installed; writes only to .cache/consul.
set -euo pipefail
cd "$(dirname "$0")/.."

die() {
    printf 'consul: %s\n' "$1" \
        'Put any consul (1.8 or newer) on PATH, or the program at .cache/consul/consul, and try again.' >&2
    exit 1
}

target=$PWD/.cache/consul/consul
if path=$(command -v consul); then
    printf '%s\n' "$path"
    exit 0
fi
if [[ -x $target ]]; then
    printf '%s\n' "$target"
    exit 0
fi

command -v apt-get >/dev/null && command -v dpkg >/dev/null || die 'found none on PATH, and no apt-get to fetch one.'
id_like=$(. /etc/os-release && printf ' %s %s ' "${ID:-}" "${ID_LIKE:-}")
case $id_like in
*' ubuntu '*) suite=jammy component=universe keyring=ubuntu-archive-keyring.gpg ;;
*' debian '*) suite=bullseye component=main keyring=debian-archive-keyring.gpg ;;
*) die 'found none on PATH, and this is neither Debian nor Ubuntu.' ;;
esac
keyring=/usr/share/keyrings/$keyring
[[ -r $keyring ]] || die "found none on PATH, and the archive key $keyring is missing."

mkdir -p .cache/consul
work=$(mktemp -d "$PWD/.cache/consul/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,tree}

# The system's own settings (proxies, certificates) hold; its hooks, meant for its own package lists, do not.
cat >"$work/apt.conf" <<EOF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear Acquire::IndexTargets::deb::Contents-deb;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::CNF;
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::Cache "$work/cache";
EOF
apt() { apt-get -c "$work/apt.conf" -qq "$@" >>"$work/log" 2>&1; }

# apt itself reads its sources, of either format, and names what it would fetch (it fetches nothing here).
# Whoever else has a component of that name is asked in vain: only what the distribution's key signed is taken.
mirrors() {
    apt-get update --print-uris 2>/dev/null | sed -n "s,^'\(.*\)/dists/.*/$component/binary-.*,\1,p" |
        awk '!/security/ && !seen[$0]++'
}

fetch() {
    printf 'deb [signed-by=%s] %s %s %s\n' "$keyring" "$1" "$suite" "$component" >"$work/sources.list"
    apt update && (cd "$work/cache" && apt download consul)
}

found=
while read -r mirror; do
    printf 'consul: fetching the package of %s, about 15 MB (once)\n' "$suite" >&2
    if fetch "$mirror"; then
        found=yes
        break
    fi
done < <(mirrors)
if [[ -z $found ]]; then
    # apt's own words, where it had any.
    [[ ! -s $work/log ]] || sed 's/^/    /' "$work/log" >&2
    die "found none on PATH, and no mirror in apt's sources gave the package of $suite."
fi

dpkg -x "$work"/cache/consul_*.deb "$work/tree"
"$work/tree/usr/bin/consul" version >/dev/null || die "the package's program does not run on this machine."
mv -f "$work/tree/usr/bin/consul" "$target"
printf '%s\n' "$target"
