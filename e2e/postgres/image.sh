#!/usr/bin/env bash
# The image of a PostgreSQL for tests and the demo. image.sh OUT.tar BINARIES.txz
set -euo pipefail
# shellcheck source=../toolbox/archive.sh
. "$(dirname "$0")/../toolbox/archive.sh"

binaries=$(realpath "$2")
newer_than "$HERE/image.sh" "$HERE"/bin/* "$binaries" && exit
foundation

# The C library and what else the server's own libraries leave to the system.
for name in libc6 libgcc-s1 libstdc++6; do package "$name" "$WORK/debian"; done
(cd "$WORK/debian" && find . -name '*.so*' -not -path '*/gconv/*' -not -path '*/share/*' -print0 | tar -cf - --null -T -) | tar -C "$ROOT" -xf -
# Newer packages keep all of it below /usr, where the server does not look for its loader.
for folder in lib lib64; do
  [ -e "$ROOT/$folder" ] || [ ! -e "$ROOT/usr/$folder" ] || ln -s "usr/$folder" "$ROOT/$folder"
done

mkdir -p "$ROOT/postgres" "$ROOT/data"
"$ROOT/bin/busybox" xz -dc "$binaries" | tar -C "$ROOT/postgres" -xf -
rm -rf "$ROOT"/postgres/lib/*.a "$ROOT"/postgres/lib/libecpg* "$ROOT"/postgres/lib/pkgconfig "$ROOT"/postgres/lib/postgresql/pgxs
cp "$HERE"/bin/* "$ROOT/bin/"
chmod 755 "$ROOT"/bin/postgres-start "$ROOT"/bin/postgres-ready
chmod 1777 "$ROOT/data"

# SIGINT: the fast shutdown. On SIGTERM the server would wait for its clients to leave.
image '"Env":["PATH=/postgres/bin:/bin","PGDATA=/data/postgres","POSTGRES_DB=postgres"],"Entrypoint":["postgres-start"],"ExposedPorts":{"5432/tcp":{}},"StopSignal":"SIGINT"' \
  ghcr.io/coderanger/migrations-operator/postgres:18
