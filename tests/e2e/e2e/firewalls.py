"""Every host has a firewall that lets in ssh and nothing else; the installation opens what the cluster needs."""

from . import lab

OF = {"deploy": "ufw", "cp1": "firewalld", "cp2": "ufw", "cp3": "firewalld", "w1": "ufw"}
STATE = {"firewalld": "firewall-cmd --state", "ufw": "ufw status | head -1"}
ACTIVE = {"firewalld": "running", "ufw": "Status: active"}
RULES = "iptables-save -t filter | grep sealift"  # ours


def fault(host):
    """For `hosts create`."""
    return "firewall=" + OF[host]


def from_client(python):
    """What a Python program does on a machine of the network that is no host of the cluster."""
    return lab.run(["ip", "netns", "exec", lab.NETNS, "python3", "-c", python], check=False)


def reachable(address, port):
    return from_client("import socket; socket.create_connection(('%s', %d), 1)" % (address, port)).returncode == 0


def kept_by_reload(hosts=("deploy", "w1")):
    """What ufw loads by itself is what the installation has loaded."""
    for host in hosts:
        assert OF[host] == "ufw"
        before = lab.output(host, RULES)
        assert before, "%s has no rules of ours" % host
        lab.output(host, "ufw reload")
        after = lab.output(host, RULES)
        assert after == before, "%s had\n%s\nand after ufw reload\n%s" % (host, before, after)
    return ", ".join(hosts)


def still_closed(nodes, control_planes):
    """Clients reach the endpoint, and what is only for the hosts stays closed to them."""
    for host, firewall in OF.items():
        state = lab.output(host, STATE[firewall])
        assert state == ACTIVE[firewall], "%s on %s: %s" % (firewall, host, state)
    private = [("deploy", 5000), ("deploy", 12480)]
    private += [(host, 10250) for host in nodes] + [(host, port) for host in control_planes for port in (6443, 2379, 2380)]
    for host, port in private:
        assert lab.output(host, "ss -Hltn sport = :%d" % port), "nobody listens on %s port %d" % (host, port)
        assert not reachable(lab.net.address[host], port), "%s port %d is open to everybody" % (host, port)
    for address, port in [(lab.net.vip, lab.PORT)] + [(lab.net.address[host], 22) for host in OF]:
        assert reachable(address, port), "%s port %d is closed" % (address, port)
    return "%d ports closed to clients, the endpoint open" % len(private)


def node_ports_answer(nodes):
    """Clients reach a Service by each node's port, whether the pod is on that node or on another."""
    for policy in ("Cluster", "Local"):
        patch = '{"spec": {"type": "NodePort", "externalTrafficPolicy": "%s"}}' % policy
        lab.kubectl("patch service web -p '%s'" % patch)
        port = lab.kube_json("get service web")["spec"]["ports"][0]["nodePort"]
        for host in nodes:
            url = lab.url("http", lab.net.address[host], port, "/")
            ask = "from urllib.request import urlopen; [print(urlopen('%s', timeout=2).read()) for _ in range(10)]" % url
            lab.wait_until("ten answers from " + url, 60, lambda: from_client(ask).stdout.count("web amd64") == 10)
    return "from %d nodes, with both traffic policies" % len(nodes)
