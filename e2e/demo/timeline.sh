# shellcheck shell=bash disable=SC2034,SC2153 # its variables are shared with demo
# What happens to the sample, one line per change, as watches of the API tell it. Sourced by demo, never run.
#
# Watchers run in the background, stamp each report with the time of its arrival and write it to one pipe, FEED.
# `follow` reads the pipe; a saw_… function for each kind of report compares it with what is known and tells what is new.

declare -A WATCHER=()     # kind: process id
declare -A IMAGE=() STATE=() CREATED=() WAITS=() RELEASED=() STARTED=() READY=() STARTED_AT=() HELD=() RESTARTS=() TROUBLE=() # by pod
declare -A JOBS=() RUN=() BEGUN=() ENDED=() ENDED_AT=() SERVING_ALL_ALONG=() ANSWERS_DURING=()                                # by image
declare -A ANSWERED=() TOLD=()
SILENCES=0 SILENCES_DURING=0 SILENCE=''
MIGRATOR_STATE='' MIGRATOR_JOB='' MIGRATOR_READY='' MIGRATED=''
QUOTED='' QUOTE_AFTER=0
PARTIAL=''
ZERO=0

# States of a pod, in the order in which it goes through them.
readonly IS_CREATED=1 IS_WAITING=2 IS_RELEASED=3 IS_STARTED=4 IS_SERVING=5 IS_STOPPING=6 IS_GONE=7

# Microseconds. EPOCHREALTIME has a decimal point or a comma, as the locale wants it.
clock() { REPLY=${EPOCHREALTIME//[!0-9]/}; }

# in_seconds MICROSECONDS: with one decimal.
in_seconds() {
  local tenths=$((($1 < 0 ? -$1 : $1) / 100000)) sign=''
  if (($1 < 0 && tenths > 0)); then sign=-; fi
  REPLY=$sign$((tenths / 10)).$((tenths % 10))
}

start_clock() {
  clock
  ZERO=$REPLY
}

# tell TIME COLOUR WHAT NAME TEXT: one line of the timeline.
tell() {
  in_seconds $(($1 - ZERO))
  printf '%8s  %-8s %-25s %s%s%s\n' "+${REPLY}s" "$3" "$4" "$2" "${5//"$REPOSITORY/"/}" "$PLAIN"
}

short() { printf '%s' "${1##*/}"; }

# --- the watchers -------------------------------------------------------------------------------

# stamp KIND: each line of stdin as TIME|KIND|LINE. Cut, since only writes below 4 KiB are never torn apart in a pipe.
stamp() {
  local line
  while IFS= read -r line; do
    clock
    printf '%s|%s|%s\n' "$REPLY" "$1" "${line:0:1500}"
  done
}

# watch KIND FIELDS ARGUMENTS…: FIELDS are JSONPath expressions of a watch event, separated by spaces.
watch() {
  local kind=$1 field format=''
  for field in $2; do format+="{$field}|"; done
  shift 2
  kubectl -n "$NAMESPACE" get "$@" --watch --output-watch-events -o jsonpath="${format%|}{\"\\n\"}" \
    > >(stamp "$kind" >&"$FEED") 2>>"$SCRATCH/watch.log" &
  WATCHER[$kind]=$!
}

watch_pod() {
  local o=.object
  local waiter="$o.status.initContainerStatuses[?(@.name==\"migrate-wait-$MIGRATOR\")]"
  local main="$o.status.containerStatuses[0]"
  local fields=(
    .type "$o.metadata.name" "$o.metadata.labels.app" "$o.metadata.labels.migrations\\.coderanger\\.net/migrator"
    "$o.metadata.labels.job-name" "$o.spec.containers[0].image" "$o.metadata.deletionTimestamp"
    "$o.spec.initContainers[?(@.name==\"migrate-wait-$MIGRATOR\")].name"
    "$waiter.state.running.startedAt" "$waiter.state.terminated.finishedAt"
    "$main.state.running.startedAt" "$main.state.terminated.finishedAt" "$main.state.terminated.exitCode"
    "$o.status.conditions[?(@.type==\"Ready\")].status"
    "$o.status.initContainerStatuses[*].restartCount" "$o.status.containerStatuses[*].restartCount"
    "$waiter.state.waiting.reason" "$main.state.waiting.reason"
  )
  watch pod "${fields[*]}" pods
}

watch_job() {
  watch job '.type .object.metadata.name .object.metadata.annotations.migrations\.coderanger\.net/image' \
    jobs -l "migrations.coderanger.net/migrator=$MIGRATOR"
}

watch_migrator() {
  # The message comes last: it may hold anything, even the separator.
  watch migrator ".type .object.status.current.job .object.status.lastSuccessfulMigration
    .object.status.conditions[?(@.type==\"Ready\")].status .object.status.conditions[?(@.type==\"Ready\")].reason
    .object.status.conditions[?(@.type==\"Ready\")].message" migrators --field-selector "metadata.name=$MIGRATOR"
}

watch_warning() {
  # An application that is not up yet fails its readiness probe: that is no news.
  watch warning '.type .object.reason .object.involvedObject.kind .object.involvedObject.name .object.message' \
    events --field-selector 'type=Warning,reason!=Unhealthy'
}

# Asks the sample through the API server's proxy, so that nothing has to be reachable from here.
watch_answer() {
  local answer
  while sleep 0.7; do
    # Either the answer or why there is none.
    answer=$(kubectl get --raw "/api/v1/namespaces/$NAMESPACE/services/shop:http/proxy/version" --request-timeout=3s 2>&1) || true
    printf '%s\n' "${answer%%$'\n'*}"
  done > >(stamp answer >&"$FEED") 2>>"$SCRATCH/watch.log" &
  WATCHER[answer]=$!
}

# begin_watching: returns when the watches are there, which the first report, of the database's pod, tells.
begin_watching() {
  open_feed
  keep_watching "$@"
  next_report 20
}

# open_feed: both ends are ours, so that opening does not block and the end of a watcher does not end the feed.
open_feed() {
  mkfifo "$SCRATCH/feed"
  exec {FEED}<>"$SCRATCH/feed"
}

# The API server ends watches now and then; what the next one repeats is known already.
keep_watching() {
  local kind
  for kind in "$@"; do
    if [ -z "${WATCHER[$kind]:-}" ] || ! kill -0 "${WATCHER[$kind]}" 2>/dev/null; then "watch_$kind"; fi
  done
}

stop_watching() {
  local kind
  for kind in "${!WATCHER[@]}"; do
    kill "${WATCHER[$kind]}" 2>/dev/null || true
    wait "${WATCHER[$kind]}" 2>/dev/null || true
  done
  WATCHER=()
}

# --- what was seen ------------------------------------------------------------------------------

saw_pod() {
  local time=$1 type name app migrator job image deleted waiter waits released started ended code ready restarts more stuck trouble
  IFS='|' read -r type name app migrator job image deleted waiter waits released started ended code ready restarts more stuck trouble <<<"$2"
  if [ -n "$migrator" ]; then
    saw_run "$time" "$job" "$image" "$started" "$ended" "$code"
  elif [ "$app" = "$MIGRATOR" ]; then
    [ "$type" != DELETED ] || deleted=gone
    saw_app "$time" "$name" "$image" "$deleted" "$waiter" "$waits" "$released" "$started" "$ready"
    saw_restarts "$time" "$name" "$restarts $more"
    saw_trouble "$time" "$name" "$stuck" "$trouble"
  fi
  note_held
}

# The migration's own pod.
saw_run() {
  local time=$1 job=$2 image=$3 started=$4 ended=$5 code=$6
  if [ -n "$started$ended" ] && [ -z "${BEGUN[$job]:-}" ]; then
    BEGUN[$job]=$time
    RUN[$image]=$job
    SERVING_ALL_ALONG[$image]=yes
    tell "$time" "$BOLD" run "$job" "started: $(short "$image") $MIGRATE"
  fi
  if [ -n "$ended" ] && [ -z "${ENDED[$job]:-}" ]; then
    ENDED[$job]=$time ENDED_AT[$job]=$ended
    in_seconds $((time - BEGUN[$job]))
    if [ "$code" = 0 ]; then
      tell "$time" "$GREEN" run "$job" "succeeded after $REPLY s"
    else
      tell "$time" "$RED" run "$job" "failed after $REPLY s with exit code $code"
    fi
  fi
}

# since_run IMAGE TIME: how long after the end of the image's run, for the end of a sentence.
since_run() {
  local job=${RUN[$1]:-}
  REPLY=''
  [ -n "${ENDED[${job:-none}]:-}" ] || return 0
  in_seconds $(($2 - ENDED[$job]))
  REPLY=", $REPLY s after the end of the run"
}

# A pod of the sample. One report may hold several steps at once: kubelets report about once a second.
saw_app() {
  local time=$1 name=$2 image=$3 deleted=$4 waiter=$5 waits=$6 released=$7 started=$8 ready=$9 before now
  before=${STATE[$name]:-0} now=$IS_CREATED
  [ -z "$waits" ] || now=$IS_WAITING
  [ -z "$released" ] || now=$IS_RELEASED
  [ -z "$started" ] || now=$IS_STARTED
  [ "$ready" != True ] || now=$IS_SERVING
  [ -z "$deleted" ] || now=$IS_STOPPING
  [ "$deleted" != gone ] || now=$IS_GONE
  IMAGE[$name]=$image
  if ((now <= before)); then
    if ((before == IS_SERVING && now < IS_SERVING)) && [ "${TOLD[unready/$name]:-}" != "$ready" ]; then
      TOLD[unready/$name]=$ready
      tell "$time" "$YELLOW" pod "$name" "is not ready any more"
    fi
    return 0
  fi
  STATE[$name]=$now
  if ((before < IS_CREATED)); then
    CREATED[$name]=$time
    if [ -z "$waiter" ]; then
      tell "$time" "$RED" pod "$name" "created with $(short "$image"), without a waiter"
    elif ((now == IS_CREATED)); then
      tell "$time" "$DIM" pod "$name" "created with $(short "$image")"
    fi
  fi
  if ((before < IS_WAITING && IS_WAITING <= now && now < IS_STOPPING)); then
    WAITS[$name]=$time
    ((now > IS_WAITING)) || saw_waiting "$time" "$name"
  fi
  if ((before < IS_RELEASED && IS_RELEASED <= now && now < IS_STOPPING)); then
    RELEASED[$name]=$time
    ((now > IS_RELEASED)) || saw_released "$time" "$name"
  fi
  if ((before < IS_STARTED && IS_STARTED <= now && now < IS_STOPPING)); then
    STARTED[$name]=$time STARTED_AT[$name]=$started
    since_run "$image" "$time"
    ((before == IS_RELEASED)) || REPLY+=" (released and started in one report)"
    tell "$time" "$GREEN" pod "$name" "starts $(short "$image")$REPLY"
  fi
  case $now in
    "$IS_SERVING")
      READY[$name]=$time
      tell "$time" '' pod "$name" "is ready, serves $(short "$image")"
      ;;
    "$IS_STOPPING") tell "$time" "$DIM" pod "$name" "of $(short "$image") stops" ;;
    "$IS_GONE") ((before == IS_STOPPING)) || tell "$time" "$DIM" pod "$name" "of $(short "$image") is gone" ;;
  esac
}

saw_waiting() {
  local time=$1 name=$2 since why='nothing runs yet'
  in_seconds $((time - CREATED[$name]))
  since=$REPLY
  [ -z "$MIGRATOR_JOB" ] || why="Job $MIGRATOR_JOB is being started"
  if run_is_active "${IMAGE[$name]}"; then why="Job ${RUN[${IMAGE[$name]}]} runs"; fi
  if [ "$MIGRATED" = "${IMAGE[$name]}" ]; then why='it has been migrated meanwhile'; fi
  tell "$time" "$YELLOW" pod "$name" "waits for image $(short "${IMAGE[$name]}") (created $since s ago): $why"
}

saw_released() {
  local time=$1 name=$2 waited
  in_seconds $((time - WAITS[$name]))
  waited=$REPLY
  since_run "${IMAGE[$name]}" "$time"
  tell "$time" "$GREEN" pod "$name" "released after waiting $waited s$REPLY"
}

saw_restarts() {
  local count sum=0
  for count in $3; do sum=$((sum + count)); done
  if ((sum > ${RESTARTS[$2]:-0})); then tell "$1" "$RED" pod "$2" "a container restarted"; fi
  RESTARTS[$2]=$sum
}

# Why a container does not start, if not for the usual reasons.
saw_trouble() {
  local time=$1 name=$2 reason new=''
  shift 2
  for reason in "$@"; do
    case $reason in PodInitializing | ContainerCreating | '') ;; *) new=$reason ;; esac
  done
  [ -z "$new" ] || [ "${TROUBLE[$name]:-}" = "$new" ] || tell "$time" "$RED" pod "$name" "$new"
  TROUBLE[$name]=$new
}

saw_job() {
  local time=$1 type name image
  IFS='|' read -r type name image <<<"$2"
  case " ${JOBS[$image]:-} " in *" $name "*) return ;; esac
  [ "$type" != DELETED ] || return 0
  JOBS[$image]="${JOBS[$image]:+${JOBS[$image]} }$name"
  tell "$time" '' job "$name" "made for image $(short "$image")"
}

saw_migrator() {
  local time=$1 type job migrated ready reason message
  IFS='|' read -r type job migrated ready reason message <<<"$2"
  MIGRATOR_JOB=$job MIGRATOR_READY=$ready MIGRATED=$migrated
  if [ -n "$reason" ] && [ "$MIGRATOR_STATE" != "$reason|$message" ]; then
    MIGRATOR_STATE="$reason|$message"
    tell "$time" "$CYAN" migrator "$MIGRATOR" "$reason: $message"
  fi
}

saw_warning() {
  local time=$1 type reason kind name message
  IFS='|' read -r type reason kind name message <<<"$2"
  [ "$type" != DELETED ] && [ -z "${TOLD[warning/$reason/$name]:-}" ] || return 0
  TOLD[warning/$reason/$name]=yes
  # Of the time before the timeline.
  ((ZERO > 0)) || return 0
  case $message in
    *'no migrators found'*) tell "$time" "$DIM" '' "$kind" "is refused pods until the webhook knows of the Migrator, and tries again" ;;
    *) tell "$time" "$YELLOW" warning "$kind/$name" "$reason: ${message:0:240}" ;;
  esac
}

saw_answer() {
  local time=$1 answer image
  answer=$(sed -n 's/.*"version" *: *"\([^"]*\)".*/\1/p' <<<"$2")
  if [ -z "$answer" ]; then
    SILENCES=$((SILENCES + 1)) SILENCE=$2
  else
    if [ -z "${ANSWERED[$answer]:-}" ]; then tell "$time" '' service shop "answers as $answer"; fi
    ANSWERED[$answer]=$((${ANSWERED[$answer]:-0} + 1))
  fi
  for image in "${!RUN[@]}"; do
    if ! run_is_active "$image"; then
      continue
    elif [ -z "$answer" ]; then
      SILENCES_DURING=$((SILENCES_DURING + 1))
    else
      ANSWERS_DURING[$image]="${ANSWERS_DURING[$image]:-}$answer "
    fi
  done
}

run_is_active() {
  local job=${RUN[$1]:-}
  [ -n "$job" ] && [ -n "${BEGUN[$job]:-}" ] && [ -z "${ENDED[$job]:-}" ]
}

# While a migration runs: which pods of its image are held, and whether all the others serve.
note_held() {
  local image name serving
  for image in "${!RUN[@]}"; do
    run_is_active "$image" || continue
    serving=0
    for name in "${!STATE[@]}"; do
      if [ "${IMAGE[$name]}" = "$image" ]; then
        ((STATE[$name] != IS_WAITING)) || HELD[$name]=yes
      elif ((STATE[$name] == IS_SERVING)); then
        serving=$((serving + 1))
      fi
    done
    ((serving >= REPLICAS)) || SERVING_ALL_ALONG[$image]=''
  done
}

# quote_waiter IMAGE: once, some seconds into the run, what anybody finds who asks a waiting pod why it hangs.
quote_waiter() {
  local name said
  clock
  run_is_active "$1" && [ "$QUOTED" != "$1" ] && ((REPLY > QUOTE_AFTER && REPLY - BEGUN[${RUN[$1]}] > 3000000)) || return 0
  # Nothing yet: a second later again.
  QUOTE_AFTER=$((REPLY + 1000000))
  for name in "${!HELD[@]}"; do
    if [ "${IMAGE[$name]}" != "$1" ]; then continue; fi
    said=$(kubectl -n "$NAMESPACE" logs "$name" -c "migrate-wait-$MIGRATOR" --tail=1 --request-timeout=3s 2>/dev/null) || continue
    # It has not been answered yet.
    case $said in '' | *'; asking '*) continue ;; esac
    QUOTED=$1
    clock
    tell "$REPLY" "$DIM" log "$name" "${said:0:240}"
    return
  done
}

# --- following ----------------------------------------------------------------------------------

# pods_of IMAGE: the sample's pods of the image that have been seen, by name.
pods_of() {
  local name
  for name in "${!IMAGE[@]}"; do
    if [ "${IMAGE[$name]}" = "$1" ]; then printf '%s\n' "$name"; fi
  done | sort
}

# settled IMAGE: its pods serve, no others do, and the Migrator has nothing left to do.
settled() {
  local name serving=0
  [ "$MIGRATOR_READY" = True ] && [ "$MIGRATED" = "$1" ] || return
  for name in "${!STATE[@]}"; do
    if [ "${IMAGE[$name]}" != "$1" ]; then
      ((STATE[$name] >= IS_STOPPING)) || return
    elif ((STATE[$name] == IS_SERVING)); then
      serving=$((serving + 1))
    fi
  done
  ((serving == REPLICAS))
}

# next_report SECONDS: tells the next report, if one comes in this time.
next_report() {
  local line time kind report
  # The time can be up in the middle of a line: what has been read of it belongs before the next read.
  if ! IFS= read -r -t "$1" -u "$FEED" line; then
    PARTIAL+=$line
    return 1
  fi
  IFS='|' read -r time kind report <<<"$PARTIAL$line"
  PARTIAL=''
  "saw_$kind" "$time" "$report"
}

# follow IMAGE SECONDS KIND…: tells what the watchers of these kinds report until the image has settled. Fails after so many seconds.
follow() {
  local image=$1 until=$((SECONDS + $2))
  shift 2
  until settled "$image"; do
    ((SECONDS < until)) || return 1
    keep_watching "$@"
    next_report 1 || true
    quote_waiter "$image"
  done
}
