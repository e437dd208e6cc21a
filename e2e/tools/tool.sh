#!/usr/bin/env bash
# A program of the tests and of the release, built of Go modules once and kept in the cache: see `tool.sh help`.
set -Eeuo pipefail

# Cache, progress and locks are those of the clusters.
# shellcheck source-path=SCRIPTDIR source=../kind/lib.sh
. "$(cd "$(dirname "$0")" && pwd -P)/../kind/lib.sh"
HERE=$(cd "$(dirname "$0")" && pwd -P)

usage() {
  cat <<'TEXT'
usage: tool.sh NAME [ARGUMENT…]

  Without arguments: builds the program unless it is cached, and prints its path. Else runs it.

  helm         installs the chart
  actionlint   checks .github/workflows
  crane        pushes images and joins them by an index

Needs Go. Versions: go/NAME/go.mod, their only place. Cache: as for e2e/kind/cluster.sh.
TEXT
}

flags=
case ${1:-help} in
  help)
    usage
    exit 0
    ;;
  helm)
    module=helm.sh/helm/v3
    # The Kubernetes that `helm template` takes a cluster for; without it one of 1.20, which the chart refuses.
    flags="-X $module/pkg/chartutil.k8sVersionMajor=1 -X $module/pkg/chartutil.k8sVersionMinor=${KUBERNETES_VERSION:2:2}"
    ;;
  actionlint) module=github.com/rhysd/actionlint ;;
  crane) module=github.com/google/go-containerregistry ;;
  *) die "no tool is named $1: see tool.sh help" ;;
esac
name=$1
shift

version=$(sed -nE "s|^.*[[:space:]]$module v([^ ]+).*|\1|p" "$HERE/go/$name/go.mod")
program=$CACHE/bin/$name-$version/$name
if [ ! -x "$program" ]; then
  need go "install Go 1.25 or later and put it on the PATH: $name is built of Go modules"
  (
    locked "build-$name" 8
    [ ! -x "$program" ] || exit 0 # another process has built it meanwhile
    mkdir -p "$CACHE/bin/$name-$version"
    step "building $name $version" env CGO_ENABLED=0 GOWORK=off GOFLAGS=-buildvcs=false \
      go build -C "$HERE/go/$name" -trimpath -ldflags "-s -w $flags" -o "$program.part" "$module/cmd/$name"
    mv "$program.part" "$program"
  )
fi
if [ $# -eq 0 ]; then echo "$program"; else exec "$program" "$@"; fi
