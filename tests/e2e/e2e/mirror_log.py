"""What was asked of the mirror, by its access log on the deploy host: every image and every package of a node came from there by
digest, nothing that was asked for was missing, and nobody asked for what is not in the bundle."""

import collections
import json
import re
import tarfile
import typing
import urllib.parse

from . import cluster, lab

PLATFORM = {"os": "linux", "architecture": "amd64"}  # of the lab's nodes
OWN_PATHS = {"/healthz"}  # the installer waits for the mirror to answer
GOOD = {200, 206, 304}  # 304: apt has the list already. Neither apt nor containerd asks for anything that may be missing.
SENT = {200, 206}

# repo-server/http/access_log.hpp. A request that could not be read and an answer that was broken off have another form.
LINE = re.compile(r'\S+Z (?P<peer>\S+) "(?P<method>\S+) (?P<target>\S+)" (?P<status>\d+) (?P<sent>\d+) '
                  r'host="[^"]*" agent="[^"]*" tls=[01] us=\d+')
ANY_LINE = re.compile(r'\d{4}-\d\d-\d\dT[\d:]+Z \S+ "')
REGISTRY_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<reference>[^/]+)")


class Request(typing.NamedTuple):
    host: str  # its address when it is none of the lab's hosts
    method: str
    path: str
    upstream: str  # the registry that containerd means, in `ns=`
    status: int
    sent: int  # bytes of the body
    line: str


class Bundle:
    """The table of contents and the manifests of a bundle, read with tar alone (docs/bundle-format.md)."""

    def __init__(self, path):
        with tarfile.open(path) as archive:
            contents = json.load(archive.extractfile("sealift/bundle.json"))
            self.sizes = {blob["digest"]: blob["size"] for blob in contents["blobs"]}
            self.images = {image["name"]: image["digest"] for image in contents["images"]}
            self.packages = {(p["name"], p["version"] + " " + p["architecture"]): p
                             for one in contents["packages"] for p in one["packages"]}
            self.paths = {"/" + file["path"] for file in contents["files"] + list(self.packages.values())}
            self.manifests = {}
            for blob in contents["blobs"]:
                if re.search(r"(manifest|index)\.(v1|v2|list\.v2)\+json$", blob["mediaType"]):
                    text = archive.extractfile("blobs/" + blob["digest"].replace(":", "/"))
                    self.manifests[blob["digest"]] = json.load(text)
        self.of_repository = collections.defaultdict(set)
        for name, digest in self.images.items():
            self.of_repository[name.rpartition(":")[0]] |= self.parts(digest)

    def parts(self, digest):
        """Every (kind, digest) that a node needs of an image, the image's own first: manifests, configuration, layers."""
        manifest = self.manifests[digest]
        if "manifests" in manifest:
            mine = [entry["digest"] for entry in manifest["manifests"] if PLATFORM.items() <= entry["platform"].items()]
            assert mine, "the index %s has nothing for the lab's nodes" % digest
            return {("manifests", digest)}.union(*map(self.parts, mine))
        return {("manifests", digest)} | {("blobs", part["digest"]) for part in [manifest["config"]] + manifest["layers"]}

    def holds(self, request):
        """Is what was asked for in the bundle, under the name it was asked by, and for the lab's nodes?"""
        asked = REGISTRY_PATH.fullmatch(request.path)
        if not asked:
            return request.path in OWN_PATHS | self.paths
        repository = request.upstream + "/" + asked["name"]
        is_tag = asked["kind"] == "manifests" and repository + ":" + asked["reference"] in self.images
        return is_tag or (asked["kind"], asked["reference"]) in self.of_repository.get(repository, ())


def parse(text):
    """The requests in the journal's text, among the lines that the mirror writes of itself."""
    names = {address: host for host, address in lab.net.address.items()}
    requests = []
    for line in filter(ANY_LINE.match, text.splitlines()):
        found = LINE.fullmatch(line)
        assert found, "a request went wrong at the mirror: " + line
        target = urllib.parse.urlsplit(found["target"])
        upstream = urllib.parse.parse_qs(target.query).get("ns", [""])[0]
        requests.append(Request(names.get(found["peer"], found["peer"]), found["method"], urllib.parse.unquote(target.path), upstream,
                                int(found["status"]), int(found["sent"]), line))
    assert requests, "the mirror's journal has no requests: %s" % text[-1000:]
    return requests


def bytes_sent(requests):
    """What each host was sent under each path: (host, path) -> bytes. Of the registry, (host, kind, digest) -> bytes, whatever the
    name of the image: a layer that two images share is asked for once."""
    sent = collections.Counter()
    for request in requests:
        if request.method == "GET" and request.status in SENT:
            asked = REGISTRY_PATH.fullmatch(request.path)
            key = (asked["kind"], asked["reference"]) if asked else (request.path,)
            sent[(request.host, *key)] += request.sent
    return sent


def images_were_sent(bundle, sent):
    """Returns how many manifests, configurations and layers the nodes have; each node began with none."""
    count = 0
    for host in lab.NODES:
        tags = [tag for tags, _ in cluster.images_on(host) for tag in tags]
        assert tags, host + " has no images"
        for kind, digest in set().union(*(bundle.parts(bundle.images[tag]) for tag in tags)):
            assert sent[host, kind, digest] >= bundle.sizes[digest], "%s has %s, but was sent %d of %d bytes of %s/%s" % (
                host, ", ".join(tags), sent[host, kind, digest], bundle.sizes[digest], kind, digest)
            count += 1
    return count


def packages_were_sent(bundle, locked, sent, before):
    """Returns how many packages the nodes have that the pristine host, `before`, has not. locked: their digests in the lock."""
    count = 0
    for host in lab.NODES:
        for package in cluster.packages_on(host).items() - before.items():
            assert package in bundle.packages, "%s has the package %s %s, the bundle has not" % (host, *package)
            entry = bundle.packages[package]
            assert entry["digest"] == locked[package], "%s is %s, in the lock %s" % (entry["path"], entry["digest"], locked[package])
            assert sent[host, "/" + entry["path"]] >= entry["size"], "%s has the package %s %s, but was not sent %s" % (
                host, *package, entry["path"])
            count += 1
    return count


def check(product, before):
    """before: cluster.packages_on() of a pristine host."""
    bundle = Bundle(product.bundle)
    requests = parse(lab.output("deploy", "journalctl -u sealift-mirror -o cat --no-pager"))
    for request in requests:
        assert request.status in GOOD, "%s was refused: %s" % (request.host, request.line)
        assert bundle.holds(request), "%s asked for what is not in the bundle: %s" % (request.host, request.line)
    locked = {(p["name"], p["version"] + " " + p["architecture"]): p["digest"]
              for one in product.lock()["packages"] for p in one["packages"]}
    sent = bytes_sent(requests)
    return "%d hosts, %d blobs, %d packages, by digest; %d requests, nothing else" % (
        len(lab.NODES), images_were_sent(bundle, sent), packages_were_sent(bundle, locked, sent, before), len(requests))
