"""Endpoint mode `external`: the balancer is a machine of the site, that Sealift neither logs in to nor changes."""

import contextlib
import os
import subprocess

from . import cluster, firewalls, lab

CONFIG = """
daemon off; pid %(work)s/nginx.pid; error_log %(work)s/error.log;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events {}
stream {
  upstream api { %(servers)s }
  server { listen %(address)s:%(port)d; proxy_pass api; proxy_connect_timeout 1s; }
}
"""
ADDRESS = "10.99.0.1"  # the lab's gateway


def cluster_file(base, work):
    """cluster.yaml for it, made of that of the lab."""
    with open(base) as file:
        text = file.read()
    for old, new in (("mode: keepalived-nginx", "mode: external"), ("address: " + lab.net.vip, "address: " + ADDRESS)):
        assert old in text, "%s has no '%s'" % (base, old)
        text = text.replace(old, new)
    path = work + "/external.yaml"
    with open(path, "w") as file:
        file.write(text)
    return path


@contextlib.contextmanager
def balancer(work):
    servers = " ".join("server %s:6443;" % lab.net.address[host] for host in lab.CONTROL_PLANES)
    os.makedirs(work, exist_ok=True)
    with open(work + "/nginx.conf", "w") as file:
        file.write(CONFIG % {"work": work, "servers": servers, "address": ADDRESS, "port": lab.PORT})
    nginx = subprocess.Popen(["ip", "netns", "exec", lab.NETNS, "nginx", "-c", work + "/nginx.conf"])
    try:
        yield
    finally:
        nginx.terminate()
        nginx.wait()


def check(report):
    report.check("no balancer of ours", no_balancer_of_ours)
    report.check("firewalls let the balancer through", api_servers_are_open)
    report.check("the API answers without a control plane", answers_without_a_control_plane)


def no_balancer_of_ours():
    for host in lab.NODES:
        found = lab.output(host, "ls -d /etc/sealift/nginx.conf /etc/keepalived/keepalived.conf 2>/dev/null || true")
        assert not found, "%s has %s" % (host, found)
    return "neither nginx nor keepalived was configured"


def api_servers_are_open():
    for host in lab.CONTROL_PLANES:
        assert firewalls.reachable(lab.net.address[host], 6443), "%s port 6443 is closed to the balancer" % host
        assert not firewalls.reachable(lab.net.address[host], 2379), "%s port 2379 is open" % host
    return "6443 open, 2379 closed"


def answers_without_a_control_plane():
    lab.hosts("kill", "cp3")
    lab.wait_until("the API answers at " + ADDRESS, 30, lambda: lab.kubectl("get --raw /readyz") == "ok")
    lab.kubectl("create configmap written-without-cp3")
    lab.hosts("start", "cp3")
    lab.wait_until("cp3 is back", 120, lambda: cluster.etcd_healthy(), every=2)
    return "a write with cp3 off"
