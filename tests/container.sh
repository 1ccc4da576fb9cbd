#!/usr/bin/env bash
# The image of Containerfile, built and run by Buildah on a base by debootstrap. As root, on Debian or Ubuntu:
#
#   bash tests/container.sh install                      the packages; nothing else
#   bash tests/container.sh build FOLDER                 base and image, in a storage below FOLDER
#   bash tests/container.sh run FOLDER WORK COMMAND...   a command in the container, WORK mounted as its /work
#   bash tests/container.sh sandbox FOLDER               FOLDER/sandbox, the image as a folder for Apptainer
#   bash tests/container.sh remove FOLDER                all of it
#
# The base has the packages of Docker's debian:bookworm-slim, from the mirror that apt uses (MIRROR names another one).
# The image is built with the index and the certificates that pip uses here. Neither stays in it. ARGS are more options of
# `buildah run`.
set -euo pipefail

install() {
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 \
        buildah debootstrap
}

# No service, no user namespace and no network of its own: a container runs in a container, too.
images() {
    BUILDAH_ISOLATION=chroot buildah --root "$FOLDER/storage" --runroot "$FOLDER/storage-run" "$@"
}

# The mirror of Debian 12 that apt uses here, or Debian's own.
mirror() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(SITE)' 'Codename: bookworm' 'Component: main' 2> "$FOLDER/apt.log" | head -n 1 \
        | grep . || echo http://deb.debian.org/debian
}

# Where pip finds packages here: from its files and variables; the last value of a name wins.
pip_conf() {
    echo '[global]'
    echo 'cert = /run/secrets/ca.pem'
    python3 -m pip config list \
        | sed -nE "s/^(global|:env:)\.(index-url|extra-index-url|proxy|trusted-host)='(.*)'$/\2 = \3/p" \
        | grep -v 'file:' | awk '{value[$1] = $0} END {for (name in value) print value[name]}' || true
}

build() {
    local base
    if ! images inspect --type image stargal-base > /dev/null 2>&1; then
        rm -rf "$FOLDER/base"
        SECONDS=0
        debootstrap --variant=minbase bookworm "$FOLDER/base" "${MIRROR:-$(mirror)}" > "$FOLDER/debootstrap.log"
        base=$(images from scratch)
        images add --quiet "$base" "$FOLDER/base" /
        images commit --quiet --rm "$base" stargal-base
        rm -rf "$FOLDER/base"
        echo "base: $SECONDS s"
    fi
    (umask 077; pip_conf > "$FOLDER/pip.conf"; cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$FOLDER/ca.pem")
    SECONDS=0
    images build --layers --build-arg BASE=localhost/stargal-base --tag stargal \
        --secret "id=pip.conf,src=$FOLDER/pip.conf" --secret "id=ca.pem,src=$FOLDER/ca.pem" "$ROOT"
    echo "image: $SECONDS s"
    images images --format '{{.Name}} {{.Size}}'
}

run() {
    local work=$1
    shift
    container=$(images from --pull-never stargal)
    trap 'images rm "$container" > "$FOLDER/rm.log"' EXIT
    # shellcheck disable=SC2086
    images run ${ARGS:-} --volume "$work:/work" "$container" -- "$@"
}

sandbox() {
    images push --quiet --disable-compression stargal "oci:$FOLDER/oci"
    apptainer build --force --sandbox "$FOLDER/sandbox" "oci:$FOLDER/oci"
}

remove() {
    images rm --all
    images rmi --all --force
    rm -rf "$FOLDER"
}

ROOT=$(realpath "$(dirname "$0")/..")
FOLDER=${2:-}
[ -z "$FOLDER" ] || { mkdir -p "$FOLDER"; FOLDER=$(realpath "$FOLDER"); }
case "${1:-}" in
    install) install ;;
    build | sandbox | remove) "$1" ;;
    run) run "${@:3}" ;;
    *) sed -n '2,/^set/p' "$0" | grep '^#' >&2; exit 2 ;;
esac
