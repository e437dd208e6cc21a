# shellcheck shell=bash
# The Docker engine for kind: one that answers, else a private one where that is possible. Sourced.
#
# The private engine keeps its images in the cache and everything that lives only while it runs in
# RUN. It makes no docker0, and kind's network gets a bridge of a known name, so that whatever a
# killed engine leaves behind can be told from the belongings of others.

ENGINE=$CACHE/engine
ENGINE_ID=$(printf '%s' "$CACHE" | cksum | awk '{ printf "%06x", $1 % 16777216 }')
RUN=/run/migrations-operator-$ENGINE_ID
PRIVATE_HOST=unix://$RUN/docker.sock
BRIDGE=br-mo-$ENGINE_ID

# Not on every PATH, but there are the engine and iptables.
PATH=$PATH:/usr/sbin:/sbin

answers() { timeout 10 docker "$@" version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# engine_find: succeeds when an engine answers; DOCKER_HOST then leads to it. ENGINE_PRIVATE=yes: ours.
engine_find() {
  ENGINE_PRIVATE=
  have docker || return 1
  if [ -n "${DOCKER_HOST:-}" ] && [ "$DOCKER_HOST" != "$PRIVATE_HOST" ]; then
    answers
    return
  fi
  if [ -S "$RUN/docker.sock" ] && answers -H "$PRIVATE_HOST"; then
    export DOCKER_HOST=$PRIVATE_HOST
    ENGINE_PRIVATE=yes
    return
  fi
  unset DOCKER_HOST
  answers
}

# engine_private_possible: says what is missing, if anything, for an engine of our own.
engine_private_possible() {
  local no="no Docker engine answers"
  [ -z "${DOCKER_HOST:-}" ] || [ "$DOCKER_HOST" = "$PRIVATE_HOST" ] || die "$no at DOCKER_HOST=$DOCKER_HOST: correct or unset it"
  [ "$(uname -s)" = Linux ] || die "$no: start Docker Desktop (or another engine), or use CLUSTER=existing with KUBECONFIG"
  [ "$(id -u)" = 0 ] || die "$no to this user, and only root can start a private one: start Docker and join the group docker, or run this as root on Debian or Ubuntu, or use CLUSTER=existing with KUBECONFIG"
  have dockerd || have apt-get || die "$no, and without apt-get it is not installed here: install and start Docker, or use CLUSTER=existing with KUBECONFIG"
}

# install_packages NAME…: what is missing of these Debian packages, without starting any service.
install_packages() {
  local name missing=() policy=/usr/sbin/policy-rc.d
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  (
    export DEBIAN_FRONTEND=noninteractive
    if [ ! -e "$policy" ]; then
      printf '#!/bin/sh\nexit 101\n' >"$policy"
      chmod 755 "$policy"
      trap 'rm -f "$policy"' EXIT
    fi
    if ! apt-get install -s --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
      step "apt-get update" apt-get -q update
    fi
    step "installing ${missing[*]}" apt-get -q install -y --no-install-recommends \
      -o DPkg::Lock::Timeout=300 "${missing[@]}"
  ) || exit
}

# engine_process: prints the pid of our dockerd if it runs; a recorded pid may be someone else's now.
engine_process() {
  local pid
  pid=$(cat "$RUN/docker.pid" 2>/dev/null) || return 1
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || return 1
  tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF -- "$RUN/docker.pid" || return 1
  echo "$pid"
}

# engine_others: succeeds if another engine runs here or did before ours, so that the iptables chains
# and cgroups named DOCKER and docker are not ours alone.
engine_others() {
  local dir ours
  [ "$(cat "$RUN/before/docker-chains" 2>/dev/null)" != yes ] || return 0
  ours=$(engine_process) || true
  for dir in /proc/[0-9]*; do
    [ "$(cat "$dir/comm" 2>/dev/null)" = dockerd ] && [ "${dir#/proc/}" != "$ours" ] || continue
    # A dead one that nobody has waited for yet has no arguments.
    [ -z "$(tr -d '\0' <"$dir/cmdline" 2>/dev/null)" ] || return 0
  done
  return 1
}

# engine_leftovers: pids of what a dead engine of ours left: its containerd and shims, known by their
# arguments, and processes in its containers, known by the root of their mount namespace.
engine_leftovers() {
  local dir pid self
  self=$(readlink /proc/self/ns/mnt)
  for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    case $(cat "$dir/comm" 2>/dev/null) in
      dockerd | containerd | containerd-shim* | docker-proxy | runc*)
        if tr '\0' ' ' <"$dir/cmdline" 2>/dev/null | grep -qF -- "$RUN/"; then echo "$pid"; fi
        ;;
      *)
        [ "$(readlink "$dir/ns/mnt" 2>/dev/null)" != "$self" ] || continue
        if awk '$5 == "/"' "$dir/mountinfo" 2>/dev/null | grep -qF -- "$ENGINE/data/"; then echo "$pid"; fi
        ;;
    esac
  done
}

# iptables_clean: takes out the rules that the engine does not remove by itself.
iptables_clean() {
  local tool table pattern rule chain others=
  if engine_others; then others=yes; fi
  pattern=$BRIDGE
  # The third form is that of a published port whose container reaches itself.
  [ -n "$others" ] || pattern="$BRIDGE|DOCKER|POSTROUTING -s ([0-9./]+) -d \1 .*MASQUERADE"
  for tool in iptables ip6tables; do
    have "$tool-save" || continue
    for table in nat filter; do
      "$tool-save" -t "$table" 2>/dev/null | sed -n 's/^-A //p' | { grep -E -- "$pattern" || true; } | while read -r rule; do
        xargs "$tool" -w -t "$table" -D <<<"$rule" || true
      done
      [ -z "$others" ] || continue
      for chain in $("$tool-save" -t "$table" 2>/dev/null | sed -n 's/^:\(DOCKER[^ ]*\) .*/\1/p'); do
        "$tool" -w -t "$table" -X "$chain" || true
      done
    done
  done
  [ -z "$others" ] || return 0
  # The engine turns forwarding on and makes its policy DROP.
  if [ "$(cat "$RUN/before/forward" 2>/dev/null)" = ACCEPT ]; then iptables -w -P FORWARD ACCEPT || true; fi
  if [ -s "$RUN/before/ip_forward" ]; then cat "$RUN/before/ip_forward" >/proc/sys/net/ipv4/ip_forward || true; fi
}

mounts_below() { awk -v a="$1/" 'index($5, a) == 1 { print $5 }' /proc/self/mountinfo; }

# engine_scrub: removes every trace of an engine of ours that no longer runs, but for its images.
engine_scrub() {
  local pids pid mount dir
  [ -d "$RUN" ] || [ -d "$ENGINE" ] || return 0
  for _ in 1 2 3 4 5; do
    pids=$(engine_leftovers)
    [ -n "$pids" ] || break
    for pid in $pids; do kill -KILL "$pid" 2>/dev/null || true; done
    sleep 0.3
  done
  for dir in "$RUN" "$ENGINE"; do
    mounts_below "$dir" | sort -r | while read -r mount; do umount -l "$mount" || true; done
  done
  # The ends of the containers' cables first: a network namespace may die later than its processes.
  for dir in "/sys/class/net/$BRIDGE"/brif/* "/sys/class/net/$BRIDGE"; do
    [ ! -d "$dir" ] || ip link delete "${dir##*/}" || true
  done
  iptables_clean
  if ! engine_others; then
    # rmdir removes empty cgroups only.
    for dir in /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker; do
      [ ! -d "$dir" ] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
    # It makes this one whatever its own folders are.
    if [ ! -e "$RUN/before/run-docker" ]; then rmdir /run/docker/plugins /run/docker 2>/dev/null || true; fi
  fi
  if [ -z "$(mounts_below "$RUN")" ]; then rm -rf --one-file-system "$RUN"; fi
}

# engine_record FOLDER: what the machine was like before, to be restored by engine_scrub.
engine_record() {
  local other
  for other in /run/migrations-operator-*/before; do
    # A private engine of another cache has changed it already, and knows.
    if [ "$other" != "$1" ] && [ -e "$other/forward" ]; then
      cp -r "$other/." "$1/"
      return
    fi
  done
  if iptables-save 2>/dev/null | grep '^:DOCKER' >/dev/null; then echo yes >"$1/docker-chains"; fi
  iptables-save -t filter 2>/dev/null | awk '/^:FORWARD/ { policy = $2 } END { print policy ? policy : "ACCEPT" }' >"$1/forward"
  cat /proc/sys/net/ipv4/ip_forward >"$1/ip_forward"
  [ ! -d /run/docker ] || touch "$1/run-docker"
}

# engine_start: starts the private engine after clearing what a killed one left.
engine_start() {
  local pid packages=(docker.io iptables iproute2 procps) options=() before=$RUN/before
  engine_private_possible
  if have apt-get && ! { have dockerd && have docker; }; then
    # Newer releases have the client in a package of its own.
    if ! have docker && apt-cache show docker-cli >/dev/null 2>&1; then packages+=(docker-cli); fi
    install_packages "${packages[@]}"
  fi
  need dockerd "install Docker's engine"
  need iptables-save "install iptables"
  if pid=$(engine_process); then
    say "the private engine (pid $pid) does not answer: stopping it"
    engine_stop
  fi
  engine_scrub
  say "starting a private Docker engine"
  mkdir -p "$before" "$ENGINE/data"
  engine_record "$before"
  # Not the settings of an engine that the machine may have besides.
  echo '{}' >"$RUN/daemon.json"
  # Bit 24 of the bounding set: CAP_SYS_RESOURCE.
  if [ $((0x$(awk '/^CapBnd:/ { print $2 }' /proc/self/status) >> 24 & 1)) -eq 0 ]; then
    install -m 755 "$HERE/runc-front" "$RUN/runc-front"
    options=(--add-runtime "front=$RUN/runc-front" --default-runtime front)
  fi
  setsid dockerd --config-file "$RUN/daemon.json" --data-root "$ENGINE/data" --exec-root "$RUN/exec" \
    --pidfile "$RUN/docker.pid" -H "$PRIVATE_HOST" --bridge none "${options[@]}" \
    </dev/null >"$ENGINE/dockerd.log" 2>&1 7>&- 8>&- 9>&- &
  pid=$!
  for _ in $(seq 150); do
    if [ -S "$RUN/docker.sock" ] && answers -H "$PRIVATE_HOST"; then
      export DOCKER_HOST=$PRIVATE_HOST
      ENGINE_PRIVATE=yes
      break
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.2
  done
  if [ -z "$ENGINE_PRIVATE" ]; then
    tail -n 15 "$ENGINE/dockerd.log" >&2
    kill "$pid" 2>/dev/null || true
    sleep 2
    engine_scrub
    die "the private Docker engine did not start; its log: $ENGINE/dockerd.log"
  fi
  # kind takes a network of this name if there is one.
  docker network inspect kind >/dev/null 2>&1 ||
    docker network create -o com.docker.network.bridge.name="$BRIDGE" kind >/dev/null
}

# engine_stop: ends the private engine by its recorded pid and removes what it leaves.
engine_stop() {
  local pid
  if pid=$(engine_process); then
    kill "$pid"
    for _ in $(seq 100); do
      engine_process >/dev/null || break
      sleep 0.2
    done
    if engine_process >/dev/null; then kill -KILL "$pid" || true; fi
  fi
  engine_scrub
}
