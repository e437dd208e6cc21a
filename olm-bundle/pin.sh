#!/usr/bin/env bash
# Replaces the tags of our images in a bundle by digests: pin.sh BUNDLE DIGESTS, a folder that holds the bundle somewhere and one with a
# file for each image, named like it, that holds its digest.
set -euo pipefail
csv=$(find "$1" -name '*.clusterserviceversion.yaml')
[ -n "$csv" ] || {
  echo "pin.sh: $1 holds no ClusterServiceVersion" >&2
  exit 1
}
for file in "$2"/*; do
  digest=$(cat "$file")
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || {
    echo "pin.sh: $file holds no digest" >&2
    exit 1
  }
  sed -i -E "s|(ghcr\.io/coderanger/migrations-operator/${file##*/}):[^ ]+$|\1@$digest|" "$csv"
done
if grep -nE 'ghcr\.io/coderanger/migrations-operator/[a-z-]+:' "$csv" >&2; then
  echo "pin.sh: no digest in $2 for the images above" >&2
  exit 1
fi
