#!/usr/bin/env bash
# The image of the scenarios' workloads and migrations: busybox, under three tags. image.sh OUT.tar
set -euo pipefail
# shellcheck source=archive.sh
. "$(dirname "$0")/archive.sh"

newer_than "$HERE/image.sh" && exit
foundation
name=ghcr.io/coderanger/migrations-operator/toolbox
image '"Env":["PATH=/bin"],"Cmd":["sh"]' $name:1 $name:2 $name:3
