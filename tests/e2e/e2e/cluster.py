"""What must be true of an installed cluster, however it was installed. Every function is one check: it returns a line of
evidence or raises AssertionError."""

import ipaddress
import json
import re
import shlex
import subprocess

from . import lab

ETCD = ("etcdctl --cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/peer.crt "
        "--key /etc/kubernetes/pki/etcd/peer.key")

# Not wget's own -T: with it Debian's static busybox crashes.
WGET = "busybox timeout 5 busybox wget -q -O -"

# One web pod on every node, control planes included, and one Service over all of them.
WORKLOAD = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      tolerations: [{operator: Exists}]
      containers: [{name: web, image: "docker.io/library/web:1", ports: [{containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""


def nodes_ready(expected=lab.NODES):
    nodes = {n["metadata"]["name"]: n for n in lab.kube_json("get nodes")["items"]}
    assert sorted(nodes) == expected, "nodes are %s" % sorted(nodes)
    for name, node in nodes.items():
        conditions = {c["type"]: c["status"] for c in node["status"]["conditions"]}
        assert conditions.get("Ready") == "True", "%s is not Ready: %s" % (name, conditions)
        addresses = [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
        assert addresses == [lab.net.address[name]], "%s has InternalIP %s" % (name, addresses)
    return "%d nodes Ready" % len(nodes)


def etcd_healthy(host="cp1"):
    endpoints = ",".join(lab.url("https", lab.net.address[h], 2379) for h in lab.CONTROL_PLANES)
    exec_in = "-n kube-system exec etcd-%s -- %s --endpoints %s " % (host, ETCD, endpoints)
    members = json.loads(lab.kubectl(exec_in + "member list -w json", host))["members"]
    assert sorted(m.get("name", "(unstarted)") for m in members) == lab.CONTROL_PLANES, members
    assert not any(m.get("isLearner") for m in members), "a member is still a learner: %s" % members
    health = json.loads(lab.kubectl(exec_in + "endpoint health -w json", host))
    assert len(health) == 3 and all(h["health"] for h in health), health
    return "3 members healthy"


def api_servers_ready():
    for host in lab.CONTROL_PLANES:
        answer = lab.kubectl("--server %s get --raw /readyz" % lab.url("https", lab.net.address[host], 6443), host)
        assert answer == "ok", "%s: /readyz says %r" % (host, answer)
    return "3 API servers answer /readyz"


def swap_is_off(host):
    """Now, and by fstab and systemd also after the next boot."""
    swaps = lab.output(host, "tail -n +2 /proc/swaps")
    assert not swaps, swaps
    fstab = lab.output(host, "grep -w swap /etc/fstab")
    assert fstab.startswith("# sealift swap off: "), fstab
    state = lab.output(host, "systemctl is-enabled dev-vdb.swap || true")
    assert state == "masked", state
    return "fstab: %s; dev-vdb.swap is %s" % (fstab, state)


def pods_have_cgroup_v2(host):
    """The host has only version 2, and systemd keeps the pods' groups."""
    kind = lab.output(host, "stat -f -c %T /sys/fs/cgroup")
    assert kind == "cgroup2fs", kind
    pods = lab.output(host, "find /sys/fs/cgroup/kubepods.slice -name 'cri-containerd-*.scope' | wc -l")
    assert int(pods) > 0, "no container below kubepods.slice"
    return "%s containers below kubepods.slice" % pods


def endpoint_is_floating():
    server = lab.output("cp1", "grep -o 'server: .*' /etc/kubernetes/kubelet.conf")
    assert lab.url("https", lab.net.vip, lab.PORT) in server or ":%d" % lab.PORT in server, server
    holders = holders_of_address()
    assert len(holders) == 1, "%s is on %s" % (lab.net.vip, holders or "no host")
    return "%s on %s only" % (lab.net.vip, holders[0])


def never_held_address(*hosts):
    for host in hosts:
        taken = lab.output(host, "journalctl -u keepalived | grep 'Entering [MB]A'")
        assert "MASTER" not in taken and "BACKUP" in taken, "%s: %s" % (host, taken)
    return "not on " + ", ".join(hosts)


def holders_of_address(hosts=None):
    command = "ip -%d -o addr show to %s" % (lab.net.version, lab.net.vip)
    found = []
    for host in hosts or lab.CONTROL_PLANES:
        try:
            answer = lab.on(host, command, timeout=10, check=False)
        except subprocess.TimeoutExpired:  # a host that is off
            continue
        if answer.returncode == 0 and lab.net.vip in answer.stdout:
            found.append(host)
    return found


def workload_running(nodes=lab.NODES):
    lab.kubectl("apply -f -", stdin=WORKLOAD)

    def running():
        pods = lab.kube_json("get pods -l app=web")["items"]
        ready = [p for p in pods if any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions", []))]
        return len(ready) == len(nodes) and pods

    pods = lab.wait_until("a web pod on every node", 120, running, every=1)
    return "%d pods" % len(pods)


def web_pods():
    """name -> (node, address) of the web pods."""
    return {p["metadata"]["name"]: (p["spec"]["nodeName"], p["status"]["podIP"])
            for p in lab.kube_json("get pods -l app=web")["items"]}


def pods_reach_each_other(nodes=lab.NODES):
    pods = web_pods()
    assert len({node for node, _ in pods.values()}) == len(nodes), pods
    for name, (node, address) in pods.items():
        assert ipaddress.ip_address(address) in ipaddress.ip_network(lab.net.pods), "%s has %s" % (name, address)
    for source in pods:
        for target, (_, address) in pods.items():
            answer = lab.kubectl("exec %s -- %s %s" % (source, WGET, lab.url("http", address, 8080, "/cgi-bin/whoami")))
            assert target in answer and address in answer, "%s asked %s (%s) and got %r" % (source, target, address, answer)
    return "%d pairs" % (len(pods) ** 2)


def service_answers_from_every_node():
    service = lab.kube_json("get service web")["spec"]["clusterIP"]
    # The hosts have no HTTP client; bash is one.
    command = ("exec 3<>/dev/tcp/%s/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3" % service)
    for host in lab.NODES:
        # A new Service takes its time to reach every kube-proxy; a connection begun too early hangs for good.
        lab.wait_until("%s to answer on %s" % (service, host), 60,
                       lambda: "web amd64" in lab.on(host, "timeout 3 bash -c %s" % shlex.quote(command), check=False).stdout)
    pod = sorted(web_pods())[0]
    answer = lab.kubectl("exec %s -- %s http://%s/" % (pod, WGET, service))
    assert "web amd64" in answer, answer
    return "%s from %d nodes and a pod" % (service, len(lab.NODES))


def names_are_answered():
    """The DNS add-on answers on every node for the names of Services, through the nameserver that pods are given."""
    def running():
        deployment = lab.kube_json("-n kube-system get deployment coredns")["status"]
        return deployment.get("readyReplicas") == deployment["replicas"] == 2

    lab.wait_until("both pods of the DNS add-on to be ready", 60, running, every=1)
    names = {name: lab.kube_json("get service " + name)["spec"]["clusterIP"] for name in ("kubernetes", "web")}
    for pod in web_pods():
        for name, address in names.items():
            answer = lab.kubectl("exec %s -- busybox nslookup %s.default.svc.cluster.local" % (pod, name))
            assert re.search(r"Address.*\b%s$" % re.escape(address), answer, re.M), "%s for %s: %s" % (pod, name, answer)
    return "%s, asked from %d pods" % (", ".join("%s is %s" % entry for entry in names.items()), len(lab.NODES))


def status_is_well(product):
    """`sealift status` finds nothing to complain of, once a new cluster has come to rest, and its exit status says so too."""
    passing = set()
    code, told = lab.wait_until("a status without problems", 60, lambda: well_or_none(product, passing))
    assert not told["problems"] and told["healthy"] is True, told["problems"]
    assert code == 0, "no problems, but it ended with %d" % code
    assert told["etcd"] == {host: True for host in lab.CONTROL_PLANES}, told["etcd"]
    assert [host["name"] for host in told["hosts"] if host["node"] == "Ready"] == lab.NODES, told["hosts"]
    at_first = "; at first: " + ", ".join(sorted(passing)) if passing else ""
    return "exit status 0, no problems, %d nodes%s" % (len(told["hosts"]), at_first)


def well_or_none(product, passing):
    code, told = product.status()
    passing.update(told["problems"])
    assert not told["problems"], told["problems"]
    return code, told


def nothing_asked_outside():
    """No packet for anything outside but cluster addresses before they are routed: no name lookups, no registry, no package
    mirror, no cloud's metadata."""
    inside = [ipaddress.ip_network(n) for n in (lab.net.pods, lab.net.services)]
    foreign = [e for e in lab.exits() if not any(ipaddress.ip_address(e["to"]) in n for n in inside)]
    assert not foreign, "tried to reach the outside: %s" % foreign
    return "nothing left the lab"


def images_on(host):
    """Every image of a node: list of (names, digests) as containerd's CRI reports them."""
    images = json.loads(lab.output(host, "crictl images -o json"))["images"]
    return [(i["repoTags"], i["repoDigests"]) for i in images]


def images_have_digests(expected):
    """expected: name:tag -> set of acceptable sha256 digests, from the lock."""
    count = 0
    for host in lab.NODES:
        for tags, digests in images_on(host):
            for tag in tags:
                assert tag in expected, "%s has the image %s, which is not in the bundle" % (host, tag)
                found = {d.split("@")[1] for d in digests}
                assert found & expected[tag], "%s: %s has %s, the bundle has %s" % (host, tag, found, expected[tag])
                count += 1
    return "%d images on %d nodes, each with the bundle's digest" % (count, len(lab.NODES))


def packages_on(host):
    """name -> "version architecture" of every installed package."""
    lines = lab.output(host, "dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version} ${Architecture}\\n'").splitlines()
    return {name: version + " " + architecture
            for status, name, version, architecture in (line.split() for line in lines) if status == "ii"}


def packages_come_from(locked, before):
    """locked: package name -> "version architecture" in the bundle; before: packages_on() of the pristine host. Also checks the installed
    files against what the packages say."""
    count = 0
    for host in lab.NODES:
        for name, version in packages_on(host).items():
            if before.get(name) == version:
                continue
            assert locked.get(name) == version, "%s has %s %s; the bundle has %s" % (host, name, version, locked.get(name))
            count += 1
        changed = [l for l in lab.on(host, "dpkg --verify", check=False).stdout.splitlines()
                   if not re.match(r"\S+ c? */(etc|usr/share/(doc|man|locale))/", l) and " missing" not in " " + l]
        assert not changed, "%s: files differ from their packages: %s" % (host, changed)
    return "%d packages on %d nodes, all the bundle's versions" % (count, len(lab.NODES))
