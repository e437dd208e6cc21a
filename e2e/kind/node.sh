#!/bin/bash
# Builds kind's node image without any container registry: node.sh IMAGE RECIPE
# Debian packages, Kubernetes from its Go module and the files below node/. Needs root, DOCKER_HOST
# of a running engine, mmdebstrap, Go and python3; called by cluster.sh, which sees to these.
set -Eeuo pipefail
trap '[ "$?" = 3 ] || [ "$BASH_SUBSHELL" -gt 0 ] || echo "cluster: stopped at line $LINENO of ${BASH_SOURCE[0]##*/}" >&2' ERR

# All mounts happen in a namespace of this build, and nothing outlives it, however it ends.
if [ -z "${NODE_BUILD_UNSHARED:-}" ]; then
  export NODE_BUILD_UNSHARED=yes
  exec unshare --mount --propagation private "$0" "$@"
fi

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

image=$1 recipe=$2
work=$CACHE/tmp/node
root=$work/rootfs
rm -rf --one-file-system "$work"
mkdir -p "$root"
children=()
finish() {
  [ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2>/dev/null || true
  wait
  # Mounts in the tree go with this namespace; here they only must not be followed.
  umount -q "$root/proc" "$root/dev" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# bookworm: its systemd 252 still runs with cgroup v1, newer ones do not.
debian() {
  local sources=() file
  # On that release take the sources this machine uses, as they are known to answer.
  if [ "$(. /etc/os-release && echo "${ID:-}-${VERSION_CODENAME:-}")" = debian-bookworm ]; then
    for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
      [ ! -s "$file" ] || { sources=("$file") && break; }
    done
  fi
  # exec: a kill of the step reaches it.
  exec mmdebstrap --mode=root --variant=minbase \
    --include=systemd,dbus,iptables,nftables,conntrack,iproute2,ethtool,socat,mount,util-linux,kmod,procps,jq,curl,ca-certificates,containerd,runc,containernetworking-plugins,busybox-static,ebtables,pigz,tar,findutils \
    --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$root" ${sources[@]+"${sources[@]}"}
}

# Only what a node needs of systemd: no devices, no mounts, no consoles, no logins.
trim_systemd() {
  local units=$root/lib/systemd/system unit
  ln -sfn /lib/systemd/systemd "$root/sbin/init"
  rm -f "$units"/multi-user.target.wants/* "$root"/etc/systemd/system/*.wants/* "$units"/local-fs.target.wants/* \
    "$units"/sockets.target.wants/*{udev,initctl}*
  (
    cd "$units/sysinit.target.wants"
    rm -f proc-sys-fs-binfmt_misc.automount ./*.mount systemd-binfmt.service systemd-firstboot.service \
      systemd-modules-load.service systemd-pcr* systemd-udev* systemd-hwdb* kmod-static* \
      systemd-tmpfiles-setup* ./*.path crypt* integrity* verity* systemd-boot* systemd-sysext* \
      systemd-repart* systemd-update* systemd-machine-id* systemd-random* systemd-sysusers* systemd-pstore*
  )
  for unit in systemd-logind.service systemd-remount-fs.service getty.target; do
    ln -sfn /dev/null "$root/etc/systemd/system/$unit"
  done
  ln -sfn /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
  mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
  for unit in containerd kubelet; do
    ln -sfn "../$unit.service" "$root/etc/systemd/system/multi-user.target.wants/$unit.service"
  done
}

# The names and tags that kubeadm will ask for, each with the program that goes into it.
image_list() {
  local name
  "$(binary kubeadm)" config images list --kubernetes-version "v$KUBERNETES_VERSION" | while read -r name; do
    case $name in
      */kube-*) set -- "$(basename "${name%:*}")" usr/local/bin/ ;;
      */etcd:*) set -- etcd usr/local/bin/ ;;
      */coredns:*) set -- coredns "" /coredns ;;
      */pause:*) set -- pause "" /pause ;;
      *) die "kubeadm wants an image that is not known here: $name" ;;
    esac
    echo "$name $(binary "$1") $2$1 ${3:-}"
  done
}

files() {
  local pause
  trim_systemd
  cp -r "$HERE/node/." "$root/"
  pause=$(awk '/\/pause:/ { print $1 }' "$work/images")
  sed -i "s|@PAUSE_IMAGE@|$pause|" "$root/etc/containerd/config.toml"
  install -m 755 "$(binary kubelet)" "$(binary kubeadm)" "$(binary kubectl)" "$root/usr/bin/"
  mkdir -p "$root/opt/cni" "$root/etc/kubernetes/manifests" "$root/var/lib/kubelet"
  ln -sfn /usr/lib/cni "$root/opt/cni/bin"
  printf 'v%s' "$KUBERNETES_VERSION" >"$root/kind/version"
  echo kind >"$root/kind/product_name"
}

# Unpacks the images into the node's own containerd folder by the node's own containerd.
preload() {
  local ctr=(chroot "$root" ctr -a /run/preload/containerd.sock -n k8s.io) daemon status=0
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mkdir -p "$root/run/preload"
  cat >"$root/run/preload/config.toml" <<'TOML'
version = 2
root = "/var/lib/containerd"
state = "/run/preload/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "/run/preload/containerd.sock"
TOML
  setpriv --pdeathsig KILL chroot "$root" containerd -c /run/preload/config.toml 7>&- 8>&- 9>&- &
  daemon=$!
  for _ in $(seq 100); do
    "${ctr[@]}" version >/dev/null 2>&1 && break
    sleep 0.2
  done
  "${ctr[@]}" images import --snapshotter overlayfs /images.tar || status=$?
  kill "$daemon"
  wait "$daemon" || true
  umount -l "$root/dev" "$root/proc"
  rm -rf "$root/run/preload" "$root/images.tar"
  return "$status"
}

import() {
  rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,locale,man} "$root"/var/log/*
  du -sh "$root"
  # Straight from the tree: no second copy on the disk. But an import takes no stop signal.
  tar -C "$root" --one-file-system --numeric-owner -c . | docker import - "$image-files"
  DOCKER_BUILDKIT=0 docker build --label "migrations-operator.recipe=$recipe" -t "$image" - <<DOCKERFILE
FROM $image-files
ENV container=docker
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]
DOCKERFILE
  docker image rm "$image-files"
}

# Debian's part mostly waits for packages, so it runs beside the compiler.
step "unpacking Debian packages for the node" debian &
children+=($!)
build_kubernetes kube-apiserver kube-controller-manager kube-proxy kube-scheduler kubeadm kubectl kubelet
build_coredns
build_etcd
build_pause
wait "${children[0]}"
children=()
image_list >"$work/images"
files
step "packing the images of Kubernetes" sh -c "\"\$1\" \"\$2\" \"\$2/images.tar\" <\"\$3\"" pack "$HERE/images.py" "$root" "$work/images"
step "preloading them into the node" preload
step "making the node image" import
