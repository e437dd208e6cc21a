#!/usr/bin/env bash
# The version: `version.sh` prints it, `version.sh 1.2.3` writes another one in every place that has it. Tests hold them equal.
set -euo pipefail
cd "$(dirname "$0")/.."
present=$(sed -n 's|.*<artifactId>migrations-operator</artifactId><version>\(.*\)</version>.*|\1|p' pom.xml | head -n 1)
if [ $# -eq 0 ]; then
  echo "$present"
  exit
fi
[[ $1 =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || {
  echo "version.sh: '$1' is no semantic version" >&2
  exit 1
}
mapfile -t files < <(git grep -lF -e "$present" -- '*pom.xml' deploy olm-bundle/bundle ':!deploy/version.sh')
sed -i "s|${present//./\\.}|$1|g" "${files[@]}"
# The name of a ClusterServiceVersion is in lower case.
sed -i "s|migrations-operator\.v${present,,}|migrations-operator.v${1,,}|" olm-bundle/bundle/manifests/*.clusterserviceversion.yaml
