"""The other shape of a cluster: one control plane and a worker behind two dedicated balancers, containerd, runc and the CNI
plugins from the releases of their projects, the pod network from a manifest of the bundle (../dedicated). Nobody logs in as
root: the installer's user has sudo. Firewalls are up, all addresses are IPv6."""

from . import cluster, firewalls, lab

HERE = lab.HERE + "/dedicated"
PROFILE = HERE + "/bundle.yaml"
CLUSTER = HERE + "/cluster.yaml"
USER = "installer"  # of cluster.yaml
NODES = ["cp1", "cp2"]
BALANCERS = ["cp3", "w1"]


def faults_of(host):
    return [firewalls.fault(host)] + (["login=" + USER] if host != "deploy" else [])


def check(report):
    report.check("two nodes are Ready", cluster.nodes_ready, NODES)
    report.check("the label is there", label_is_there)
    report.check("the other manifest was applied", manifest_is_applied)
    report.check("balancers are no nodes", balancers_are_bare)
    report.check("the runtime is that of the releases", runtime_is_released)
    report.check("web pods run on both nodes", cluster.workload_running, NODES)
    report.check("pods reach each other over the manifest's network", cluster.pods_reach_each_other, NODES)
    report.check("clients reach a Service by its port of the nodes", firewalls.node_ports_answer, NODES)
    report.check("firewalls stay closed to others", firewalls.still_closed, NODES, ["cp1"])
    report.check("the other balancer takes over", other_balancer_takes_over)


def label_is_there():
    labels = lab.kube_json("get node cp2")["metadata"]["labels"]
    assert labels.get("disk") == "fast", labels
    return "disk=fast on cp2"


def manifest_is_applied():
    data = lab.kube_json("get configmap lab-note")["data"]
    assert data == {"from": "the bundle"}, data
    return "ConfigMap lab-note"


def balancers_are_bare():
    for host in BALANCERS:
        found = lab.output(host, "command -v kubelet kubeadm containerd; ls -A /etc/kubernetes 2>/dev/null; true")
        assert not found, "%s has %s" % (host, found)
    holders = cluster.holders_of_address(NODES + BALANCERS)
    assert len(holders) == 1 and holders[0] in BALANCERS, "%s is on %s" % (lab.net.vip, holders or "no host")
    return "%s on %s" % (lab.net.vip, holders[0])


def runtime_is_released():
    for host in NODES:
        for command in ("systemctl show -P ExecStart containerd", "command -v runc", "readlink -f /proc/$(systemctl show -P MainPID containerd)/exe"):
            assert "/usr/local/" in lab.output(host, command), "%s on %s: %s" % (command, host, lab.output(host, command))
        assert not lab.output(host, "dpkg-query -W -f '${Package}\\n' containerd runc containernetworking-plugins 2>/dev/null || true")
    return lab.output(NODES[0], "containerd --version")


def other_balancer_takes_over():
    holder = cluster.holders_of_address(BALANCERS)[0]
    other = next(host for host in BALANCERS if host != holder)
    lab.hosts("kill", holder)
    lab.wait_until("the API answers at %s" % lab.net.vip, 30, lambda: lab.kubectl("get --raw /readyz") == "ok")
    assert cluster.holders_of_address([other]) == [other]
    lab.hosts("start", holder)
    lab.wait_until("%s balances again" % holder, 60, lambda: lab.output(holder, "systemctl is-active sealift-lb keepalived") == "active\nactive")
    return "%s took over from %s" % (other, holder)
