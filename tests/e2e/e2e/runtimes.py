"""What the installer writes for containerd, read by later releases than that of the lab's cluster: their daemon takes the
file without a complaint, pulls from the served bundle and nowhere else, and runs a pod with it. A kubelet 1.20 does not
speak with containerd 2, so these hosts are in no cluster. The files are the golden ones of the unit tests, which are what
the installer renders."""

import json
import os
import re

from . import lab
from .faults import recreate
from .product import ON_DEPLOY, expected_images

RENDERED = lab.ROOT + "/tests/data/render"
HOST = "w1"  # a virtual machine here: containerd runs pods with systemd's cgroups, of version 2
SANDBOX = "k8s.gcr.io/pause:3.2"
IMAGE = "k8s.gcr.io/kube-proxy:v1.20.2"
ELSEWHERE = "quay.io/prometheus/busybox:latest"  # not in the bundle
HOSTS_FILE = "/etc/containerd/certs.d/_default/hosts.toml"
RELEASES = {"trixie": "1.7", "sid": "2."}  # Debian's suite -> containerd it brings


def rendered(name, pattern, value):
    with open(os.path.join(RENDERED, name)) as file:
        text, count = re.subn(pattern, value, file.read())
    assert count, "%s has nothing like %s" % (name, pattern)
    return text


def write(path, text):
    lab.on(HOST, "mkdir -p %s && cat >%s" % (os.path.dirname(path), path), stdin=text)


def check(product, report):
    product.carry()
    lab.output("deploy", "systemd-run -q --unit=lab-serve -p WorkingDirectory=%s -p StateDirectory=lab-serve %s/sealift serve "
                         "--key key.pub --state-dir /var/lib/lab-serve --listen 0.0.0.0 --listen :: k8s.tar" % (ON_DEPLOY, ON_DEPLOY))
    for suite, release in RELEASES.items():
        recreate(HOST, "suite=" + suite)
        version = report.check("containerd of Debian %s is set up" % suite, set_up, product, release)
        if version is not None:
            report.check("containerd %s takes its configuration" % version, takes_configuration)
            report.check("containerd %s pulls from the mirror alone" % version, pulls_from_mirror, product)
            report.check("containerd %s runs a pod" % version, runs_a_pod)
            report.check("containerd %s pulls over IPv6" % version, pulls_over_ipv6, product)


def set_up(product, release):
    """Configures the host's containerd as the installer would, and adds the bundle's crictl; returns the version."""
    version = lab.output(HOST, "containerd --version").split()[2].lstrip("v").split("~")[0].split("+")[0]
    assert version.startswith(release), "it is containerd %s" % version
    golden = "containerd-2.0.toml" if version.startswith("2.") else "containerd-1.6.toml"
    write("/etc/containerd/config.toml", rendered(golden, r"[a-z0-9.]+/pause:[0-9.]+", SANDBOX))
    write(HOSTS_FILE, rendered("hosts.toml", r"192\.168\.2\.5", lab.net.address["deploy"]))
    write("/etc/sealift/ca.crt", lab.output("deploy", "cat /var/lib/lab-serve/tls/ca.crt") + "\n")
    crictl = next(file["path"] for file in product.lock()["files"] if file.get("role") == "crictl")
    archive = product.work + "/crictl.tar.gz"
    lab.run(["ip", "netns", "exec", lab.NETNS, "curl", "-sfo", archive, "http://%s:12480/files/%s" % (lab.net.address["deploy"], crictl)])
    lab.copy(archive, HOST, "/root/crictl.tar.gz")
    lab.output(HOST, "tar -C /usr/local/bin -xf /root/crictl.tar.gz && systemctl restart containerd")
    return version


def takes_configuration():
    log = lab.output(HOST, "journalctl -u containerd -b -o cat --no-pager")
    last_start = log[log.rindex("starting containerd"):]
    complaints = [line for line in last_start.splitlines() if re.search("level=(warn|error).*(deprecat|unknown|ignor|migrat)", line, re.I)]
    # A daemon that is told everything in its own version's words has nothing to say about the file.
    assert not complaints, "\n".join(complaints)
    status = lab.output(HOST, "crictl info")
    assert re.search(r'"SystemdCgroup": *true', status), "crictl info does not show systemd's cgroups: %s" % status[:3000]
    return "no complaint; systemd's cgroups"


def pulls_from_mirror(product):
    lab.output(HOST, "crictl pull " + IMAGE)
    image = json.loads(lab.output(HOST, "crictl inspecti " + IMAGE))["status"]
    digests = {digest.split("@")[1] for digest in image["repoDigests"]}
    assert digests & expected_images(product.lock())[IMAGE], "%s has the digests %s" % (IMAGE, digests)
    before = len(lab.exits())
    missing = lab.on(HOST, "crictl pull " + ELSEWHERE, check=False)
    assert missing.returncode != 0 and "not found" in missing.stderr, missing.stderr
    assert len(lab.exits()) == before, "it asked outside: %s" % lab.exits()[before:]
    return "%s by digest; another is not found, and asked for nowhere else" % IMAGE


def runs_a_pod():
    write("/root/pod.json", json.dumps({"metadata": {"name": "probe", "namespace": "default", "uid": "probe"},
                                        "linux": {"cgroup_parent": "system.slice",
                                                  "security_context": {"namespace_options": {"network": 2}}}}))
    pod = lab.output(HOST, "crictl runp /root/pod.json")
    listed = lab.output(HOST, "crictl pods")
    assert "SANDBOX_READY" in listed, listed
    images = json.loads(lab.output(HOST, "crictl images -o json"))["images"]
    assert any(SANDBOX in image["repoTags"] for image in images), "the pod's sandbox is not %s: %s" % (SANDBOX, images)
    scopes = lab.output(HOST, "systemctl list-units --type=scope --no-legend --plain 'cri-containerd-*'")
    assert pod in scopes, "systemd knows no scope of the pod: %s" % scopes
    lab.output(HOST, "crictl rmp -f " + pod)
    return "of %s, in systemd's scope cri-containerd-%s…" % (SANDBOX, pod[:12])


def pulls_over_ipv6(product):
    """The file for a mirror with such an address has another form."""
    lab.output(HOST, "crictl rmi " + IMAGE)
    write(HOSTS_FILE, rendered("hosts-v6.toml", "fd99::10", lab.IPV6.address["deploy"]))
    evidence = pulls_from_mirror(product)
    asked = lab.output("deploy", "journalctl -u lab-serve -o cat --no-pager | grep -c '%s .*GET /v2/'" % lab.IPV6.address[HOST])
    return "%s requests for %s" % (asked, evidence)
