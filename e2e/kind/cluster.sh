#!/usr/bin/env bash
# A real Kubernetes cluster for tests and the demo: see `cluster.sh help` and README.md.
set -Eeuo pipefail
trap '[ "$?" = 3 ] || [ "$BASH_SUBSHELL" -gt 0 ] || echo "cluster: stopped at line $LINENO of ${BASH_SOURCE[0]##*/}" >&2' ERR

# shellcheck source=lib.sh
. "$(cd "$(dirname "$0")" && pwd -P)/lib.sh"
# shellcheck source=engine.sh
. "$HERE/engine.sh"

NAME=${CLUSTER_NAME:-migrations}
NODES=${NODES:-1}
STATE=$CACHE/cluster/$NAME
CONFIG=$STATE/kubeconfig
LABEL=migrations-operator.recipe

usage() {
  cat <<'TEXT'
usage: cluster.sh VERB

  up              create the cluster, or take it as it is if healthy; prints the path of its kubeconfig
  down            delete it; stops the private Docker engine with the last cluster
  load TAR…       load docker-archive tars into the nodes
  kubeconfig      print the path of the kubeconfig
  env             print shell exports: KUBECONFIG, PATH, DOCKER_HOST
  binaries        build etcd, kube-apiserver and kubectl for integration tests; prints their folder
  help            this text

environment:
  CLUSTER=kind|existing   existing: use KUBECONFIG as it is (default: kind)
  CLUSTER_NAME            name of the kind cluster (default: migrations)
  CLUSTER_LOAD            command for `load` with CLUSTER=existing; the tars are appended
  KIND_NODE_IMAGE         node image for kind to use as it is
  NODES                   number of nodes, with a stock node image only (default: 1)
  CACHE_DIR               cache root (default: $XDG_CACHE_HOME/migrations-operator)
TEXT
}

# --- programs -----------------------------------------------------------------------------------

# program NAME: path of the cached one, else of one that is installed. Builds nothing.
program() {
  if cached "$1"; then binary "$1"; else command -v "$1"; fi
}

# build_programs: kind and kubectl; without Go those on the PATH have to do.
build_programs() {
  if have go; then
    build_kind
    build_kubernetes kubectl
  fi
  for name in kind kubectl; do
    program "$name" >/dev/null || die "$name is missing: install Go, by which it is built here, or $name itself"
  done
}

kubectl() { command "$(program kubectl)" --kubeconfig "$CONFIG" "$@"; }

# --- binaries -----------------------------------------------------------------------------------

binaries() {
  local folder name
  folder=$CACHE/kube-api-test/k8s/$KUBERNETES_VERSION-$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
  if [ ! -x "$folder/etcd" ] || [ ! -x "$folder/kube-apiserver" ] || [ ! -x "$folder/kubectl" ]; then
    build_etcd
    build_kubernetes kube-apiserver kubectl
    mkdir -p "$folder"
    # Hard links: the folder stays whole when a CI cache keeps it alone.
    for name in etcd kube-apiserver kubectl; do ln -f "$(binary "$name")" "$folder/$name"; done
  fi
  echo "$CACHE/kube-api-test"
}

# --- node image ---------------------------------------------------------------------------------

image_here() { docker image inspect "$1" >/dev/null 2>&1; }

# pull_stock: pulls the stock node image. Fails within 15 s where no registry answers.
pull_stock() {
  local log=$CACHE/log/pull.log pid
  mkdir -p "$CACHE/log"
  say "trying to pull $STOCK_IMAGE"
  timeout 900 docker pull "$STOCK_IMAGE" >"$log" 2>&1 &
  pid=$!
  for _ in $(seq 75); do
    # Printed as soon as the registry has answered; from then on it is only a matter of time.
    if ! kill -0 "$pid" 2>/dev/null || grep -q 'Pulling from' "$log"; then
      wait "$pid" && return
      break
    fi
    sleep 0.2
  done
  kill "$pid" 2>/dev/null || true
  say "no registry: $(tail -n1 "$log" | cut -c1-150)"
  return 1
}

# stock_can_run: the stock image wants cgroup v2, and capabilities this machine may lack.
stock_can_run() {
  [ "$(docker info --format '{{.CgroupVersion}}' 2>/dev/null)" != 1 ] && [ ! -e "$RUN/runc-front" ]
}

# pick_image: sets NODE_IMAGE, and BUILT if it is one of node.sh.
pick_image() {
  local recipe ours
  recipe=$(fingerprint node.sh images.py node go)
  ours=migrations-operator/node:v$KUBERNETES_VERSION-$recipe
  BUILT=
  if [ -n "${KIND_NODE_IMAGE:-}" ]; then
    NODE_IMAGE=$KIND_NODE_IMAGE
    if [ -n "$(docker image inspect -f "{{index .Config.Labels \"$LABEL\"}}" "$NODE_IMAGE" 2>/dev/null)" ]; then BUILT=yes; fi
  elif image_here "$ours"; then
    NODE_IMAGE=$ours BUILT=yes
  elif stock_can_run && { image_here "$STOCK_IMAGE" || pull_stock; }; then
    NODE_IMAGE=$STOCK_IMAGE
  else
    build_image "$ours" "$recipe"
    NODE_IMAGE=$ours BUILT=yes
  fi
  if [ -n "$BUILT" ] && [ "$NODES" != 1 ]; then
    die "NODES=$NODES takes a stock node image (KIND_NODE_IMAGE): the network of the built one ends at the node"
  fi
}

build_image() {
  local image=$1 recipe=$2 old
  say "no stock node image can be used here: building one, once (cached afterwards)"
  if [ "$(uname -s)" != Linux ] || [ "$(id -u)" != 0 ] || ! have apt-get; then
    die "building a node image takes root on Debian or Ubuntu; with access to a registry set KIND_NODE_IMAGE=${STOCK_IMAGE%@*}"
  fi
  need go "install Go 1.25 or later and put it on the PATH: Kubernetes is built from its Go module"
  need python3 "install it (apt-get install python3)"
  install_packages mmdebstrap
  # An image that another process has made meanwhile is as good.
  locked node-image 7
  image_here "$image" || "$HERE/node.sh" "$image" "$recipe"
  exec 7>&-
  # Those of former recipes would only fill the disk.
  for old in $(docker image ls -q --filter "label=$LABEL"); do
    [ "$(docker image inspect -f "{{index .Config.Labels \"$LABEL\"}}" "$old")" = "$recipe" ] || docker image rm "$old" >/dev/null 2>&1 || true
  done
}

# --- up -----------------------------------------------------------------------------------------

nodes_of_cluster() { docker ps -q "$@" --filter "label=io.x-k8s.kind.cluster=$NAME"; }

# await SECONDS: until the kubelets report, the nodes are Ready, DNS answers and pods may be made.
await() {
  local until=$(($(date +%s) + $1)) now fresh
  while :; do
    now=$(date +%s)
    [ "$now" -lt "$until" ] || return 1
    # A node that has just died still counts as Ready for a while; its lease tells.
    fresh=$(date -u -d "@$((now - 30))" +%Y-%m-%dT%H:%M:%S 2>/dev/null || date -u -r $((now - 30)) +%Y-%m-%dT%H:%M:%S)
    if kubectl -n kube-node-lease get leases -o jsonpath='{range .items[*]}{.spec.renewTime}{"\n"}{end}' --request-timeout=5s 2>/dev/null |
      awk -v fresh="$fresh" '$1 < fresh { stale = 1 } END { exit stale || NR == 0 }' &&
      kubectl wait --for=condition=Ready nodes --all --timeout=5s >/dev/null 2>&1 &&
      kubectl -n kube-system rollout status deployment/coredns --timeout=5s >/dev/null 2>&1 &&
      kubectl -n default get serviceaccount default >/dev/null 2>&1; then
      return
    fi
    sleep 0.3
  done
}

kind_config() {
  local i
  echo 'kind: Cluster'
  echo 'apiVersion: kind.x-k8s.io/v1alpha4'
  if [ -n "$BUILT" ]; then
    printf 'networking:\n  disableDefaultCNI: true\n'
  elif [ "$(docker info --format '{{.CgroupVersion}}')" = 1 ]; then
    # From 1.35 on the kubelet refuses cgroup v1 unless told otherwise.
    printf 'kubeadmConfigPatches:\n  - |\n    kind: KubeletConfiguration\n    failCgroupV1: false\n'
  fi
  printf 'nodes:\n  - role: control-plane\n'
  for ((i = 1; i < NODES; i++)); do echo '  - role: worker'; done
}

create() {
  local status=0
  mkdir -p "$STATE" "$CACHE/log"
  pick_image
  say "creating cluster $NAME with $NODE_IMAGE"
  kind_config >"$STATE/kind.yaml"
  # The kubeconfig gets its name when all is well: without it the cluster is half made.
  "$(program kind)" create cluster --name "$NAME" --image "$NODE_IMAGE" --config "$STATE/kind.yaml" \
    --kubeconfig "$CONFIG.part" >"$CACHE/log/kind.log" 2>&1 8>&- || status=$?
  if [ "$status" -ne 0 ]; then
    cat "$CACHE/log/kind.log" >&2
    delete
    die "kind could not create the cluster"
  fi
  say "waiting for node, DNS and default service account"
  CONFIG=$CONFIG.part
  # One replica is enough for a test cluster, and asking it each second finds it ready sooner.
  kubectl -n kube-system patch deployment coredns --type=json -p '[
    {"op": "replace", "path": "/spec/replicas", "value": 1},
    {"op": "add", "path": "/spec/template/spec/containers/0/readinessProbe/periodSeconds", "value": 1}
  ]' >/dev/null
  if ! await 180; then
    kubectl get nodes,pods --all-namespaces >&2 || true
    die "the cluster did not become ready within 180 s; look at it with KUBECONFIG=$CONFIG or remove it by \`cluster.sh down\`"
  fi
  mv "$CONFIG" "${CONFIG%.part}"
  CONFIG=${CONFIG%.part}
}

# delete: as kind does it, without needing kind.
delete() {
  local nodes
  nodes=$(nodes_of_cluster -a)
  # shellcheck disable=SC2086 # one argument for each node
  [ -z "$nodes" ] || docker rm -f -v $nodes >/dev/null
  rm -rf "$STATE"
}

up() {
  case $NODES in '' | *[!0-9]* | 0) die "NODES=$NODES is not a number of nodes" ;; esac
  program kind >/dev/null || have go || die "neither Go nor kind is here: install Go 1.25 or later, or kind and kubectl"
  locked cluster 9
  if engine_find; then
    if [ -f "$CONFIG" ] && [ -n "$(nodes_of_cluster)" ] && program kubectl >/dev/null; then
      if await 30; then
        say "cluster $NAME is up already"
        echo "$CONFIG"
        return
      fi
      say "cluster $NAME is not healthy: making it anew"
    fi
  else
    # If nothing comes of it, nothing stays.
    trap 'status=$?; [ "$status" = 0 ] || down_engine' EXIT
    engine_start
  fi
  if [ -n "$(nodes_of_cluster -a)" ]; then
    say "removing what is left of an earlier cluster $NAME"
  fi
  delete
  build_programs
  create
  say "cluster $NAME is ready"
  echo "$CONFIG"
}

# --- down, load, env ----------------------------------------------------------------------------

# down_engine: stops the private engine with its last container.
down_engine() {
  [ -n "$ENGINE_PRIVATE" ] || return 0
  if [ -n "$(docker ps -aq)" ]; then
    say "the private engine still has containers: it stays"
    return
  fi
  docker network prune -f >/dev/null
  docker volume prune -f >/dev/null
  say "stopping the private engine"
  engine_stop
}

down() {
  local engine=yes
  locked cluster 9
  if ! engine_find; then
    if have dockerd && [ -n "$(ls "$ENGINE/data/containers" 2>/dev/null)" ]; then
      say "a private engine was killed with containers: starting it to remove them"
      engine_start
    else
      engine=
    fi
  fi
  if [ -n "$engine" ]; then
    delete
    say "cluster $NAME is gone"
  fi
  rm -rf "$STATE"
  # What a killed build left, unless one is running.
  (flock -n 7 && rm -rf --one-file-system "$CACHE/tmp") 7>>"$CACHE/lock/node-image" || true
  if [ -n "$ENGINE_PRIVATE" ]; then
    down_engine
  elif [ "$(id -u)" = 0 ] && [ "$(uname -s)" = Linux ]; then
    # Nothing answers, yet a killed engine may have left something.
    engine_stop
  fi
}

load() {
  [ $# -gt 0 ] || die "load: which tars?"
  local tar
  for tar in "$@"; do [ -f "$tar" ] || die "load: no such file: $tar"; done
  engine_find || die "no Docker engine answers: \`cluster.sh up\` first"
  [ -f "$CONFIG" ] || die "there is no cluster $NAME: \`cluster.sh up\` first"
  for tar in "$@"; do
    say "loading $tar"
    "$(program kind)" load image-archive "$tar" --name "$NAME" >&2
  done
}

environment() {
  local name path=
  printf 'export KUBECONFIG=%q\n' "$CONFIG"
  for name in kubectl kind; do
    if cached "$name"; then path=$path$(dirname "$(binary "$name")"):; fi
  done
  # shellcheck disable=SC2016 # for the shell that reads it
  [ -z "$path" ] || printf 'export PATH=%q"$PATH"\n' "$path"
  if engine_find && [ -n "$ENGINE_PRIVATE" ]; then printf 'export DOCKER_HOST=%q\n' "$DOCKER_HOST"; fi
}

# --- a cluster that exists ----------------------------------------------------------------------

existing() {
  CONFIG=${KUBECONFIG:-}
  [ -n "$CONFIG" ] || die "CLUSTER=existing takes KUBECONFIG"
  case $1 in
    up)
      program kubectl >/dev/null || build_programs
      # Not by --kubeconfig: KUBECONFIG may list several files.
      command "$(program kubectl)" get --raw /readyz --request-timeout=10s >/dev/null || die "the cluster of KUBECONFIG=$CONFIG does not answer"
      echo "$CONFIG"
      ;;
    load)
      shift
      if [ -n "${CLUSTER_LOAD:-}" ]; then
        # shellcheck disable=SC2086 # a command with its arguments
        $CLUSTER_LOAD "$@" >&2
      else
        say "CLUSTER_LOAD is not set: the nodes have to pull the images themselves"
      fi
      ;;
    down) ;;
    kubeconfig) echo "$CONFIG" ;;
    env) printf 'export KUBECONFIG=%q\n' "$CONFIG" ;;
  esac
}

verb=${1:-help}
shift || true
case $verb in
  help | -h | --help)
    usage
    exit
    ;;
  binaries)
    binaries
    exit
    ;;
  up | down | load | kubeconfig | env) ;;
  *)
    usage >&2
    exit 2
    ;;
esac
case ${CLUSTER:-kind} in
  existing) existing "$verb" "$@" ;;
  kind)
    case $verb in
      up) up ;;
      down) down ;;
      load) load "$@" ;;
      kubeconfig) echo "$CONFIG" ;;
      env) environment ;;
    esac
    ;;
  *) die "CLUSTER=$CLUSTER: kind or existing" ;;
esac
