#!/usr/bin/env bash
# The overlays in one file each, for `kubectl apply --server-side -f`: install.sh FOLDER writes install.yaml and the like there.
set -euo pipefail
cd "$(dirname "$0")"
binaries=$(../e2e/kind/cluster.sh binaries)
kubectl=$(find "$binaries" -name kubectl | head -n 1)
mkdir -p "$1"
"$kubectl" kustomize default >"$1/install.yaml"
"$kubectl" kustomize cert-manager >"$1/install-cert-manager.yaml"
