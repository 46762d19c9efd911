# SPDX-License-Identifier: MIT
# For scripts beside this one: packages of any suite of Debian, unpacked anywhere. Nothing is installed: apt's lists and packages of the machine stay
# as they are. Wants $targets, an absolute folder that may not be there yet.
arch=$(dpkg --print-architecture)

die() {
    echo "$(basename "$0"): $1" >&2
    exit "${2:-1}"
}

# use_suite NAME deb|deb-src: sets APT, the options for an apt that knows this suite alone
use_suite() {
    local state=$targets/.apt/$1-$2 archive
    archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
    [ -n "$archive" ] || die "apt knows no Debian archive: run apt-get update first"
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    : >>"$state/status"
    printf 'Types: %s\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
        "$2" "$archive" "$1" >"$state/suite.sources"
    APT=(-qq -o "Dir::Etc::sourcelist=$state/suite.sources" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::Lists=$state/lists"
        -o "Dir::State::status=$state/status" -o "Dir::Cache::archives=$state/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
        -o Debug::NoLocking=1 -o APT::Install-Recommends=0 -o Acquire::Languages=none -o Acquire::Retries=3
        -o Acquire::Check-Valid-Until=false -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "APT::Sandbox::User=$(id -un)")
    if [ -z "$(find "$state/lists" -maxdepth 1 -name '*_dists_*' -mmin -720 -print -quit)" ]; then
        apt-get "${APT[@]}" update || die "apt cannot read $1 of $archive" 3
    fi
}

# A folder that looks like / to what is unpacked into it, for any suite.
unpack() {
    local root=$1 d
    shift
    for d in bin sbin lib lib64; do
        mkdir -p "$root/usr/$d"
        [ -e "$root/$d" ] || ln -s "usr/$d" "$root/$d"
    done
    for d in "$@"; do
        dpkg-deb --fsys-tarfile "$d" | tar --keep-directory-symlink --exclude './usr/share/doc/*' --exclude './usr/share/man/*' \
            --exclude './usr/share/locale/*' --exclude './usr/lib/debug/*' -xf - -C "$root"
    done
}
