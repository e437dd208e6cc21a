#!/usr/bin/env bash
# The overlays in one file each, for `kubectl apply --server-side -f`: install.sh FOLDER writes install.yaml and the like there, by $KUBECTL
# or by the kubectl of the tests.
set -euo pipefail
mkdir -p "$1"
out=$(realpath "$1")
cd "$(dirname "$0")"
kubectl=${KUBECTL:-$(find "$(../e2e/kind/cluster.sh binaries)" -name kubectl | head -n 1)}
"$kubectl" kustomize default >"$out/install.yaml"
"$kubectl" kustomize cert-manager >"$out/install-cert-manager.yaml"
