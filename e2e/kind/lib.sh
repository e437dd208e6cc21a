# shellcheck shell=bash
# Versions, paths, progress, locks and Go builds for cluster.sh and node.sh. Sourced, never run.

KUBERNETES_VERSION=1.34.4 # go/kubernetes/go.mod
ETCD_VERSION=3.6.5        # go/etcd/go.mod
COREDNS_VERSION=1.12.1    # go/coredns/go.mod, what kubeadm of this version asks for
KIND_VERSION=0.33.0       # go/kind/go.mod
# The node image this kind takes by default.
# shellcheck disable=SC2034 # used by cluster.sh
STOCK_IMAGE=kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
export CLUSTER_CLOCK=${CLUSTER_CLOCK:-$(date +%s)} # one clock for all scripts of a run

say() { printf '%4ds  %s\n' $(($(date +%s) - CLUSTER_CLOCK)) "$*" >&2; }
# Its exit code tells a failure that has been explained from one that has not.
die() {
  printf 'cluster: %s\n' "$*" >&2
  exit 3
}
have() { command -v "$1" >/dev/null 2>&1; }

# need COMMAND HINT: stops before any long work when a prerequisite is missing.
need() { have "$1" || die "$1 is missing: $2"; }

: "${HOME:=/nonexistent}"
CACHE=${CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/migrations-operator}
mkdir -p "$CACHE" 2>/dev/null || die "cannot create the cache folder $CACHE: set CACHE_DIR to a folder that can be written"
CACHE=$(cd "$CACHE" && pwd -P)

# step TEXT COMMAND…: runs a long command with its output in a log, tells every 20 s that it is
# still alive, and shows the end of the log if it fails.
step() (
  text=$1
  shift
  mkdir -p "$CACHE/log"
  log=$CACHE/log/$(printf '%s' "$text" | tr -c 'A-Za-z0-9.-' _).log
  begun=$(date +%s)
  say "$text"
  "$@" >"$log" 2>&1 &
  pid=$!
  (
    # Holds neither the pipe of the caller nor its locks.
    exec >/dev/null 7>&- 8>&- 9>&-
    trap 'exit' TERM
    ticks=0
    while kill -0 "$pid" 2>/dev/null; do
      sleep 1
      ticks=$((ticks + 1))
      if [ $((ticks % 20)) -eq 0 ]; then say "$text … $(($(date +%s) - begun)) s"; fi
    done
  ) &
  ticker=$!
  trap 'kill "$pid" "$ticker" 2>/dev/null; exit 130' INT TERM
  status=0
  wait "$pid" || status=$?
  kill "$ticker" 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    tail -n 25 "$log" >&2
    die "failed with exit code $status: $text. The whole log: $log"
  fi
  say "$text: done in $(($(date +%s) - begun)) s"
)

# locked NAME DESCRIPTOR: waits until no other process holds the lock, which ends with this shell.
# What is started to stay (the engine) has to close the descriptor.
locked() {
  need flock "it comes with util-linux (macOS: brew install flock)"
  mkdir -p "$CACHE/lock"
  eval "exec $2>>\"\$CACHE/lock/\$1\""
  if ! flock -n "$2"; then
    say "waiting for another process that holds the lock: $1"
    flock "$2"
  fi
}

# fingerprint PATH…: short hash of names and content of the files in these paths of this folder.
fingerprint() {
  (
    cd "$HERE" || exit
    find "$@" -type f | LC_ALL=C sort | while read -r file; do cksum "$file"; done | cksum | awk '{ printf "%08x\n", $1 }'
  )
}

# binary NAME: where the cached program of that name is, or will be. The path holds the version.
binary() {
  case $1 in
    etcd) echo "$CACHE/bin/etcd-$ETCD_VERSION/etcd" ;;
    coredns) echo "$CACHE/bin/coredns-$COREDNS_VERSION/coredns" ;;
    kind) echo "$CACHE/bin/kind-$KIND_VERSION/kind" ;;
    pause) echo "$CACHE/bin/pause-$(fingerprint go/pause)/pause" ;;
    *) echo "$CACHE/bin/kubernetes-$KUBERNETES_VERSION/$1" ;;
  esac
}
cached() { [ -x "$(binary "$1")" ]; }

# go_build FOLDER NAME=PACKAGE…: builds what the cache lacks, static and reproducible, in a scratch
# folder, so that a killed build leaves no half a program under its final name.
go_build() (
  module=$1
  shift
  for item in "$@"; do cached "${item%%=*}" || missing=yes; done
  [ -n "${missing:-}" ] || exit 0
  need go "install Go 1.25 or later and put it on the PATH: what is built here comes as Go modules"
  locked build 8
  names=() packages=()
  for item in "$@"; do
    # Another process may have built it meanwhile.
    cached "${item%%=*}" || { names+=("${item%%=*}") && packages+=("${item#*=}"); }
  done
  [ ${#names[@]} -gt 0 ] || exit 0
  part=$CACHE/bin/.part
  rm -rf "$part"
  mkdir -p "$part"
  version=k8s.io/component-base/version
  # One program is named here; several take the last element of their package's path.
  out=$part/
  [ ${#names[@]} -gt 1 ] || out=$part/${names[0]}
  export CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false
  step "building ${names[*]}" go build -C "$HERE/go/$module" -trimpath -ldflags "-s -w \
    -X $version.gitVersion=v$KUBERNETES_VERSION -X $version.gitTreeState=clean \
    -X $version.gitMajor=$(cut -d. -f1 <<<"$KUBERNETES_VERSION") \
    -X $version.gitMinor=$(cut -d. -f2 <<<"$KUBERNETES_VERSION")" -o "$out" "${packages[@]}" || exit
  for name in "${names[@]}"; do
    mkdir -p "$(dirname "$(binary "$name")")"
    mv "$part/$name" "$(binary "$name")"
  done
  rmdir "$part"
)

build_etcd() { go_build etcd etcd=go.etcd.io/etcd/server/v3; }
build_coredns() { go_build coredns coredns=github.com/coredns/coredns; }
build_kind() { go_build kind kind=sigs.k8s.io/kind; }
build_pause() { go_build pause pause=.; }
build_kubernetes() {
  local name programs=()
  for name in "$@"; do programs+=("$name=k8s.io/kubernetes/cmd/$name"); done
  go_build kubernetes "${programs[@]}"
}
