# shellcheck shell=bash
# Images of Debian packages without a registry or an engine. Sourced by the image.sh of a module, never run.

HERE=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd -P)
OUT=$(realpath -m "$1")
CACHE=${CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/migrations-operator}/debian
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
ROOT=$WORK/root
mkdir -p "$ROOT" "$CACHE"

# newer_than FILE…: whether the image is newer than all that goes into it.
newer_than() {
  local file
  [ -e "$OUT" ] || return
  for file in "$@" "${BASH_SOURCE[0]}"; do [ "$OUT" -nt "$file" ] || return; done
}

# package NAME FOLDER: unpacks a Debian package, which is downloaded once and then kept.
package() {
  local deb
  deb=$(cached_package "$1")
  if [ -z "$deb" ]; then
    download "$1"
    deb=$(cached_package "$1")
  fi
  dpkg-deb -x "$deb" "$2"
}

cached_package() { find "$CACHE" -name "$1_*.deb" | sort -V | tail -n 1; }

# download NAME: whole or not at all, also when two builds do it at once.
download() {
  local fresh
  fresh=$(mktemp -d "$CACHE/.download.XXXXXX")
  # The package lists may be missing, or name a version that the mirror has replaced.
  fetch "$1" "$fresh" 2>/dev/null || { apt-get -qq update && fetch "$1" "$fresh"; } || { rm -rf "$fresh"; return 1; }
  mv "$fresh"/*.deb "$CACHE"
  rm -rf "$fresh"
}

fetch() { (cd "$2" && apt-get -qq -o APT::Sandbox::User=root download "$1"); }

# foundation: a shell and its tools, users, and a /tmp.
foundation() {
  local applet
  package busybox-static "$WORK/busybox"
  mkdir -p "$ROOT/bin" "$ROOT/etc" "$ROOT/tmp"
  cp "$WORK/busybox/bin/busybox" "$ROOT/bin/"
  for applet in $("$ROOT/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$ROOT/bin/$applet"
  done
  printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/bin/sh\n' >"$ROOT/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$ROOT/etc/group"
  echo 'hosts: files dns' >"$ROOT/etc/nsswitch.conf"
  chmod 1777 "$ROOT/tmp"
}

# Names without "./", which Jib refuses; the same bytes from the same files.
pack() { (cd "$1" && tar --sort=name --mtime=@1 --owner=0 --group=0 --numeric-owner --format=gnu -cf "$2" -- *); }

# image CONFIG TAG…: what is in ROOT becomes the archive OUT. CONFIG is the members of the image's "config" object.
image() {
  local config=$1 digest tags
  shift
  mkdir "$WORK/image"
  pack "$ROOT" "$WORK/image/layer.tar"
  digest=$(sha256sum "$WORK/image/layer.tar" | cut -d' ' -f1)
  tags=$(printf ',"%s"' "$@")
  printf '{"created":"1970-01-01T00:00:01Z","architecture":"%s","os":"linux","config":{"User":"65532:65532",%s},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$config" "$digest" >"$WORK/image/config.json"
  printf '[{"Config":"config.json","RepoTags":[%s],"Layers":["layer.tar"]}]' "${tags#,}" >"$WORK/image/manifest.json"
  mkdir -p "$(dirname "$OUT")"
  pack "$WORK/image" "$OUT.part"
  mv "$OUT.part" "$OUT"
}
