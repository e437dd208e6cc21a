#!/usr/bin/env python3
"""The images kubeadm wants, made of local binaries: images.py ROOTFS OUT < LIST

LIST has one line per image: NAME BINARY PATH-IN-THE-IMAGE [entrypoint]. OUT becomes a
docker-archive. kube-proxy also gets the iptables of ROOTFS, a Debian tree.
"""

import glob
import gzip
import hashlib
import io
import json
import os
import platform
import subprocess
import sys
import tarfile

CREATED = "2026-01-01T00:00:00Z"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def layer(files):
    """A tar of {path: source file, or "->target" for a symbolic link}: its digest and its gzip."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.GNU_FORMAT) as tar:
        made = set()

        def folder(path):
            if path and path not in made:
                folder(os.path.dirname(path))
                made.add(path)
                entry = tarfile.TarInfo(path)
                entry.type = tarfile.DIRTYPE
                entry.mode = 0o1777 if path == "tmp" else 0o755
                tar.addfile(entry)

        for path in ("tmp", "etc", "run", "var", "usr"):
            folder(path)
        for path, source in sorted(files.items()):
            folder(os.path.dirname(path))
            entry = tarfile.TarInfo(path)
            entry.mode = 0o755
            if source.startswith("->"):
                entry.type = tarfile.SYMTYPE
                entry.linkname = source[2:]
                tar.addfile(entry)
            else:
                entry.size = os.path.getsize(source)
                with open(source, "rb") as content:
                    tar.addfile(entry, content)
    data = raw.getvalue()
    return "sha256:" + hashlib.sha256(data).hexdigest(), gzip.compress(data, 1, mtime=0)


def iptables(root):
    """What kube-proxy calls, with the libraries these programs need."""
    programs = ["usr/sbin/xtables-nft-multi", "usr/sbin/xtables-legacy-multi", "usr/sbin/nft", "usr/sbin/conntrack"]
    programs += [os.path.relpath(p, root) for p in glob.glob(root + "/usr/lib/*/xtables/*.so")]
    files, libraries = {}, set()
    for program in programs:
        source = os.path.join(root, program)
        if os.path.islink(source):
            files[program] = "->" + os.readlink(source)
            continue
        files[program] = source
        listing = subprocess.run(["chroot", root, "ldd", "/" + program], capture_output=True, text=True).stdout
        libraries.update(word for word in listing.split() if word.startswith("/"))
    for library in libraries:
        files[library.lstrip("/")] = os.path.realpath(root + library)
    for name in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            files["usr/sbin/" + name + suffix] = "->xtables-nft-multi"
    return files


def main():
    root, out = os.path.realpath(sys.argv[1]), sys.argv[2]
    manifest = []
    with tarfile.open(out, "w") as archive:

        def add(name, data):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(data))

        for line in sys.stdin.read().splitlines():
            name, binary, path, *entrypoint = line.split()
            files = {path: binary}
            if "/kube-proxy:" in name:
                files.update(iptables(root))
            digest, packed = layer(files)
            blob = digest[7:] + ".tar.gz"
            add(blob, packed)
            config = {"Env": [PATH]}
            if entrypoint:
                config["Entrypoint"] = entrypoint
            config = json.dumps(
                {
                    "architecture": ARCHITECTURE,
                    "os": "linux",
                    "created": CREATED,
                    "config": config,
                    "rootfs": {"type": "layers", "diff_ids": [digest]},
                    "history": [{"created": CREATED, "created_by": os.path.basename(sys.argv[0])}],
                }
            ).encode()
            config_name = hashlib.sha256(config).hexdigest() + ".json"
            add(config_name, config)
            manifest.append({"Config": config_name, "RepoTags": [name], "Layers": [blob]})
            print(name, len(packed) >> 20, "MiB")
        add("manifest.json", json.dumps(manifest).encode())


main()
