#!/usr/bin/env python3
"""Fills a registry with small images of every kind, by the distribution API itself.

Usage: push_images.py http://HOST:PORT        prints {"name:tag": {"digest", "size", ...}, ...} as JSON

  single/docker:1     Docker schema 2, linux/amd64, two layers
  single/oci:1        OCI manifest, linux/amd64, no mediaType member
  multi/oci:1         OCI index: amd64, arm64/v8, arm/v6, an attestation for each; signed (cosign tags) and with a referrer (tag
                      scheme); the arm64 layers are listed under "arm64_only"
  multi/docker:1      Docker manifest list: amd64, arm64
  big/layer:1         one layer of 3 MiB
  k8s.gcr.io/pause:3.2, docker.io/library/web:1   as a mirror holds them
"""

import gzip
import hashlib
import json
import sys
import urllib.parse
import urllib.request

OCI = {"manifest": "application/vnd.oci.image.manifest.v1+json", "index": "application/vnd.oci.image.index.v1+json",
       "config": "application/vnd.oci.image.config.v1+json", "layer": "application/vnd.oci.image.layer.v1.tar+gzip"}
DOCKER = {"manifest": "application/vnd.docker.distribution.manifest.v2+json",
          "index": "application/vnd.docker.distribution.manifest.list.v2+json",
          "config": "application/vnd.docker.container.image.v1+json",
          "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip"}


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    def __init__(self, base):
        self.base = base

    def send(self, method, url, data, kind):
        request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": kind})
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.headers

    def blob(self, repository, data, kind):
        """Uploads and returns the descriptor."""
        headers = self.send("POST", "%s/v2/%s/blobs/uploads/" % (self.base, repository), b"", "application/octet-stream")
        location = urllib.parse.urljoin(self.base, headers["Location"])
        separator = "&" if "?" in location else "?"
        self.send("PUT", location + separator + urllib.parse.urlencode({"digest": digest_of(data)}), data, "application/octet-stream")
        return {"mediaType": kind, "digest": digest_of(data), "size": len(data)}

    def manifest(self, repository, reference, document, kind):
        data = json.dumps(document).encode()
        self.send("PUT", "%s/v2/%s/manifests/%s" % (self.base, repository, reference or digest_of(data)), data, kind)
        return {"mediaType": kind, "digest": digest_of(data), "size": len(data)}


def image(registry, repository, tag, kinds, platform, layers, media_type_member=True, extra=None):
    """A runnable-looking image; returns its descriptor with the platform."""
    config = {"os": platform[0], "architecture": platform[1], "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}
    if len(platform) > 2:
        config["variant"] = platform[2]
    descriptors = []
    for data in layers:
        config["rootfs"]["diff_ids"].append(digest_of(data))
        descriptors.append(registry.blob(repository, gzip.compress(data, mtime=0), kinds["layer"]))
    document = {"schemaVersion": 2, "mediaType": kinds["manifest"],
                "config": registry.blob(repository, json.dumps(config).encode(), kinds["config"]), "layers": descriptors}
    document.update(extra or {})
    if not media_type_member:
        del document["mediaType"]
    descriptor = registry.manifest(repository, tag, document, kinds["manifest"])
    descriptor["platform"] = dict(zip(("os", "architecture", "variant"), platform))
    return descriptor, descriptors


def multi_oci(registry):
    repository = "multi/oci"
    entries = []
    arm64_only = []
    for platform in (("linux", "amd64"), ("linux", "arm64", "v8"), ("linux", "arm", "v6")):
        child, layers = image(registry, repository, None, OCI, platform, [b"shared", "-".join(platform).encode()])
        if platform[1] == "arm64":
            arm64_only = [child["digest"], layers[1]["digest"]]
        entries.append(child)
        statement = registry.blob(repository, b'{"about": "%s"}' % platform[1].encode(), "application/vnd.in-toto+json")
        empty = registry.blob(repository, b'{"architecture":"unknown","os":"unknown"}', OCI["config"])
        attestation = registry.manifest(repository, None, {"schemaVersion": 2, "mediaType": OCI["manifest"], "config": empty,
                                                            "layers": [statement]}, OCI["manifest"])
        attestation["platform"] = {"os": "unknown", "architecture": "unknown"}
        attestation["annotations"] = {"vnd.docker.reference.type": "attestation-manifest",
                                      "vnd.docker.reference.digest": child["digest"]}
        entries.append(attestation)
    index = registry.manifest(repository, "1", {"schemaVersion": 2, "mediaType": OCI["index"], "manifests": entries}, OCI["index"])
    hex_digest = index["digest"].partition(":")[2]
    signature = registry.blob(repository, b"signed", "application/vnd.dev.cosign.simplesigning.v1+json")
    config = registry.blob(repository, b'{"rootfs":{"type":"layers","diff_ids":[]}}', OCI["config"])
    registry.manifest(repository, "sha256-%s.sig" % hex_digest,
                      {"schemaVersion": 2, "mediaType": OCI["manifest"], "config": config, "layers": [signature]}, OCI["manifest"])
    nothing = registry.blob(repository, b"{}", "application/vnd.oci.empty.v1+json")
    report = registry.blob(repository, b"scanned", "text/plain")
    referrer = registry.manifest(repository, None, {"schemaVersion": 2, "mediaType": OCI["manifest"], "artifactType": "application/x.scan",
                                                    "config": nothing, "layers": [report], "subject": index}, OCI["manifest"])
    registry.manifest(repository, "sha256-" + hex_digest,
                      {"schemaVersion": 2, "mediaType": OCI["index"], "manifests": [referrer]}, OCI["index"])
    return {**index, "arm64_only": arm64_only, "referrer": referrer["digest"], "signature": signature["digest"],
            "children": [entry["digest"] for entry in entries]}


def main():
    registry = Registry(sys.argv[1].rstrip("/"))
    made = {}
    made["single/docker:1"], _ = image(registry, "single/docker", "1", DOCKER, ("linux", "amd64"), [b"one", b"two"])
    made["single/oci:1"], _ = image(registry, "single/oci", "1", OCI, ("linux", "amd64"), [b"one"], media_type_member=False)
    made["multi/oci:1"] = multi_oci(registry)
    children = [image(registry, "multi/docker", None, DOCKER, ("linux", arch), [arch.encode()])[0] for arch in ("amd64", "arm64")]
    made["multi/docker:1"] = registry.manifest("multi/docker", "1", {"schemaVersion": 2, "mediaType": DOCKER["index"],
                                                                     "manifests": children}, DOCKER["index"])
    noise = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(98304))
    made["big/layer:1"], layers = image(registry, "big/layer", "1", OCI, ("linux", "amd64"), [noise])
    made["big/layer:1"]["layer"] = layers[0]
    made["k8s.gcr.io/pause:3.2"], _ = image(registry, "k8s.gcr.io/pause", "3.2", DOCKER, ("linux", "amd64"), [b"pause"])
    children = [image(registry, "docker.io/library/web", None, OCI, ("linux", arch), [arch.encode()])[0] for arch in ("amd64", "arm64")]
    made["docker.io/library/web:1"] = registry.manifest("docker.io/library/web", "1", {"schemaVersion": 2, "mediaType": OCI["index"],
                                                                                      "manifests": children}, OCI["index"])
    print(json.dumps(made))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
