"""Pulling the power cord of the control plane that holds the address, under a reader and a writer."""

import json
import os
import re
import subprocess
import tempfile
import time

from . import cluster, lab

LIMIT_SECONDS = 5.0
ETCD_ELECTION_SECONDS = (1.0, 2.0)  # etcd draws its election timeout from one to two times --election-timeout (1 s)


def predicted(dead):
    """(seconds until the address moves, seconds a connection may wait at the balancer), from the configuration that is
    really on the surviving hosts."""
    settings = {}
    for host in lab.CONTROL_PLANES:
        if host != dead:
            text = lab.output(host, "cat /etc/keepalived/keepalived.conf")
            settings[host] = (float(re.search(r"advert_int\s+([\d.]+)", text).group(1)),
                              int(re.search(r"priority\s+(\d+)", text).group(1)))
    # RFC 5798, 6.1: Master_Down_Interval = 3 * Advertisement_Interval + Skew_Time; version 2 computes the skew of one second.
    move = min(3 * interval + (256 - priority) / 256 * min(interval, 1.0) for interval, priority in settings.values())
    balancer = lab.output(next(iter(settings)), "cat /etc/sealift/nginx.conf /etc/nginx/nginx.conf 2>/dev/null || true")
    timeout = re.search(r"proxy_connect_timeout\s+(\d+)(ms|s)?;", balancer)
    connect = float(timeout.group(1)) / (1000 if timeout.group(2) == "ms" else 1) if timeout else 60.0
    return move, connect


class Probe:
    """The prober as a process beside the test; use as a context manager, then read `events`."""

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="sealift-probe-")
        self.stop_file = self.directory + "/stop"
        kubeconfig = self.directory + "/admin.conf"
        with open(os.open(kubeconfig, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(lab.output("cp1", "cat /etc/kubernetes/admin.conf") + "\n")
        self.process = subprocess.Popen(["ip", "netns", "exec", lab.NETNS, "python3", os.path.dirname(__file__) + "/probe.py",
                                         kubeconfig, self.stop_file], stdout=subprocess.PIPE, text=True)
        self.events = []
        return self

    def __exit__(self, *_):
        open(self.stop_file, "w").close()
        text = self.process.communicate(timeout=30)[0]
        self.events = [json.loads(line) for line in text.splitlines()]
        lab.run(["rm", "-rf", self.directory])


def cut_power_of_holder(report):
    """The check: API writes work again within LIMIT_SECONDS. Returns (evidence, the host that is now off)."""
    holders = cluster.holders_of_address()
    assert len(holders) == 1, "the address is on %s" % holders
    dead = holders[0]
    move, connect = predicted(dead)
    with Probe() as probe:
        time.sleep(3)  # a base line of good answers
        lab.hosts("kill", dead)
        others = [h for h in lab.CONTROL_PLANES if h != dead]
        survivor = lab.wait_until("the address on another host", 30, lambda: cluster.holders_of_address(others))[0]
        time.sleep(10)  # later, second outages must be seen too
    outages = {name: [e["outage_seconds"] for e in probe.events if e["loop"] == name and "outage_seconds" in e]
               for name in ("read", "write")}
    ended = {e["loop"]: e["ended"] for e in probe.events if "ended" in e}
    report("measured outage of %s: writes %s s, reads %s s" % (dead, outages["write"], outages["read"]))
    report("predicted: the address moves within %.1f s; a connection then waits up to %.1f s for the dead API server, and "
           "etcd elects a new leader in %.0f to %.0f s meanwhile" % (move, connect, *ETCD_ELECTION_SECONDS))
    assert ended == {"read": "ok", "write": "ok"}, "at the end: %s" % ended
    assert outages["write"], "no outage seen: was the right host switched off?"
    assert max(outages["write"]) <= LIMIT_SECONDS, "writes were away for %s s, the limit is %.0f s" % (outages["write"], LIMIT_SECONDS)
    return "writes were away for %.1f s (predicted at most %.1f + %.1f s), %s took over" % (
        max(outages["write"]), move, connect, survivor), dead


def status_tells(product, dead):
    """`status` of a cluster that has lost a control plane: that one is named, the others are well."""
    code, told = product.status()
    assert code == 12, "status ended with %d, and %s is off" % (code, dead)
    assert told["etcd"] == {host: host != dead for host in lab.CONTROL_PLANES}, told["etcd"]
    strangers = [problem for problem in told["problems"] if dead not in problem]
    assert told["problems"] and not strangers, told["problems"]
    return "; ".join(told["problems"])


def comes_back(dead):
    """The host is switched on again and becomes a healthy member."""
    other = next(h for h in lab.CONTROL_PLANES if h != dead)
    started = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started))
    lab.hosts("start", dead)

    # A node stays "Ready" for 40 s after it died: only a heartbeat from after the start proves anything.
    def alive():
        node = lab.kube_json("get node " + dead, other)
        ready = next(c for c in node["status"]["conditions"] if c["type"] == "Ready")
        return ready["status"] == "True" and ready["lastHeartbeatTime"] > stamp

    lab.wait_until("%s Ready with a new heartbeat" % dead, 180, alive)
    node_seconds = time.time() - started
    lab.wait_until("etcd with three healthy members", 180, lambda: cluster.etcd_healthy(other), every=1)
    return "node Ready after %.0f s, etcd whole after %.0f s" % (node_seconds, time.time() - started)
