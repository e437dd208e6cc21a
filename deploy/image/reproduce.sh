#!/usr/bin/env bash
# Builds the images of the commit that is checked out twice, from nothing, in two folders, and compares their digests. Arguments go to
# Maven; not -o, with which Maven leaves out the bill of materials.
set -euo pipefail
root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for build in first second/of/another/length; do
  git clone -q "$root" "$work/$build"
  (cd "$work/$build" && mvn -q -B -ntp package -DskipTests -DskipITs -DskipImages=false -pl migrator-controller,injector-webhook,waiter -am "$@")
  for module in migrator-controller injector-webhook waiter; do
    materials=$(sha256sum "$work/$build/$module/target/bom.json")
    echo "$module $(cat "$work/$build/$module/target/jib-image.digest") ${materials%% *}"
  done >"$work/${build%%/*}.digests"
done
diff "$work/first.digests" "$work/second.digests"
echo "the same twice: image, digest, bill of materials"
cat "$work/first.digests"
