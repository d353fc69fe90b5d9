"""The product on both sides of the gap: the complete program here, the static one on the deploy host."""

import json
import os
import time

from . import lab

WORK = lab.STATE + "/e2e"  # a folder a profile
ON_DEPLOY = "/root/sealift"  # directory on the deploy host with exactly four files: program, public key, bundle, cluster.yaml


class Product:
    def __init__(self, program, static_program, profile, cluster_file):
        self.program, self.static_program = program, static_program
        self.profile, self.cluster_file = profile, cluster_file
        self.work = WORK + "/" + os.path.splitext(os.path.basename(profile))[0]
        self.lock_file = self.work + "/bundle.lock"
        self.bundle = self.work + "/k8s.tar"
        self.keys = self.work + "/keys"

    # ---- online -----------------------------------------------------------------------------------------------------

    def sealift(self, *arguments, timeout=1800):
        return lab.run([self.program, *arguments], timeout=timeout)

    def make_bundle(self, internet):
        """keygen, lock, create, verify. Returns the seconds of each."""
        os.makedirs(self.work, mode=0o700)
        upstream = ["--mirrors", internet + "/mirrors.yaml", "--upstream-ca", internet + "/ca.crt", "--authfile", internet + "/auth.json"]
        seconds = {}
        for name, arguments in (
                ("keygen", ["-o", self.keys]),
                ("lock", ["-f", self.profile, "-o", self.lock_file, *upstream]),
                ("create", ["-l", self.lock_file, "-o", self.bundle, "-k", self.keys + "/sealift.key",
                            "--repository-key", self.keys + "/repository.key", "--program", self.static_program, *upstream]),
                ("verify", [self.bundle, "--key", self.public_key()])):
            started = time.time()
            self.sealift(name, *arguments)
            seconds[name] = round(time.time() - started, 1)
        return seconds

    def public_key(self):
        return self.keys + "/sealift.pub"

    def lock(self):
        with open(self.lock_file) as file:
            return json.load(file)

    # ---- isolated -----------------------------------------------------------------------------------------------------

    def carry(self):
        """What crosses the gap: the static program, the public key, the bundle and cluster.yaml; nothing else."""
        lab.output("deploy", "rm -rf %s && mkdir -m700 %s" % (ON_DEPLOY, ON_DEPLOY))
        for source, name in ((self.static_program, "sealift"), (self.public_key(), "key.pub"), (self.bundle, "k8s.tar"),
                             (self.cluster_file, "cluster.yaml")):
            lab.copy(source, "deploy", ON_DEPLOY + "/" + name)
        lab.output("deploy", "chmod 755 %s/sealift" % ON_DEPLOY)

    @staticmethod
    def command(verb, *options):
        return "cd %s && exec ./sealift %s -f cluster.yaml --bundle k8s.tar --key key.pub %s" % (ON_DEPLOY, verb, " ".join(options))

    def on_deploy(self, verb, *options, timeout=1200, check=True):
        return lab.on("deploy", self.command(verb, *options), timeout, check)

    def plan(self):
        """What an installation would do now, as `plan --json` says it."""
        return json.loads(self.on_deploy("plan", "--json").stdout)

    @staticmethod
    def status():
        """The exit status of `status --json` on the deploy host, and what it says."""
        done = lab.on("deploy", "cd %s && exec ./sealift status -f cluster.yaml --json" % ON_DEPLOY, 300, check=False)
        assert done.returncode in (0, 12), "status ended with %d: %s" % (done.returncode, done.stderr)
        return done.returncode, json.loads(done.stdout)

    def install(self, *options, timeout=1200):
        """Returns (events, seconds); raises CommandFailed. The events are the JSON lines of --json."""
        started = time.time()
        done = self.on_deploy("install", "-y", "--json", *options, timeout=timeout)
        with open(self.work + "/install-%d.jsonl" % int(started), "w") as log:
            log.write(done.stdout)
        return parse_events(done.stdout), time.time() - started


def parse_event(line):
    try:
        event = json.loads(line)
        return event if isinstance(event, dict) else None
    except ValueError:
        return None


def parse_events(text):
    return [event for event in map(parse_event, text.splitlines()) if event]


def expected_images(lock):
    """name:tag -> digests a node may report: of the index and of the manifests in it."""
    result = {}
    for image in lock["images"]:
        digests = {image["digest"]} | set(image["blobs"])
        result[image["name"].split("@")[0]] = digests
    return result


def locked_packages(lock):
    """package name -> "version architecture", of the one package set the lab's bundle has."""
    sets = lock["packages"]
    assert len(sets) == 1, "the lab's bundle has one package set"
    return {p["name"]: p["version"] + " " + p["architecture"] for p in sets[0]["packages"]}
