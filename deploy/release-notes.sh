#!/usr/bin/env bash
# The notes of a release: release-notes.sh VERSION FOLDER prints the CHANGELOG's section and the images of FOLDER, one file with its digest each.
set -euo pipefail
cd "$(dirname "$0")/.."
section=$(awk -v heading="## $1" 'index($0, "## ") == 1 { on = index($0, heading) == 1 } on && index($0, "## ") != 1' CHANGELOG.md)
[ -n "${section//[[:space:]]/}" ] || {
  echo "release-notes.sh: CHANGELOG.md has no section '## $1' with text: give the unreleased one that heading" >&2
  exit 1
}
printf '%s\n\n### Images\n\n' "$section"
for file in "$2"/*; do
  # shellcheck disable=SC2016 # Markdown
  printf -- '- `ghcr.io/coderanger/migrations-operator/%s:%s@%s`\n' "${file##*/}" "$1" "$(cat "$file")"
done
cat <<'TEXT'

Signed without a key; to verify an image by its digest:

    cosign verify --certificate-oidc-issuer https://token.actions.githubusercontent.com \
      --certificate-identity-regexp '^https://github.com/coderanger/migrations-operator/\.github/workflows/publish\.yaml@' IMAGE@DIGEST
    gh attestation verify oci://IMAGE@DIGEST --repo coderanger/migrations-operator
TEXT
