"""The lab as seen by the test: runs the scripts in ../lab and commands on its hosts."""

import contextlib
import fcntl
import json
import os
import re
import shlex
import subprocess
import time
import typing

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(HERE))
STATE = os.environ.get("SEALIFT_LAB", "/var/tmp/sealift-lab")
NETNS = "sealift-lab"

CONTROL_PLANES = ["cp1", "cp2", "cp3"]
NODES = CONTROL_PLANES + ["w1"]
PORT = 16443


class Net(typing.NamedTuple):
    """The addresses of a cluster under test, of one family."""
    version: int
    address: dict
    vip: str
    pods: str
    services: str


LAST = {"deploy": "10", "cp1": "11", "cp2": "12", "cp3": "13", "w1": "21"}  # of a host's addresses
HOSTS = list(LAST)
IPV4 = Net(4, {host: "10.99.0." + last for host, last in LAST.items()}, "10.99.0.100", "10.244.0.0/16", "10.96.0.0/16")
IPV6 = Net(6, {host: "fd99::" + last for host, last in LAST.items()}, "fd99::100", "fd77::/48", "fd78::/112")
net = IPV4


@contextlib.contextmanager
def cluster_net(other):
    """The checks inside are those of a cluster with these addresses."""
    global net
    before, net = net, other
    try:
        yield
    finally:
        net = before


def url(scheme, address, port, path=""):
    return "%s://%s:%d%s" % (scheme, "[%s]" % address if ":" in address else address, port, path)


class CommandFailed(Exception):
    """A command that had to succeed did not; the text holds its output."""


def what_is_missing():
    """Why there can be no lab on this machine; empty when there can."""
    if os.geteuid() != 0:
        return "the lab's hosts are containers, which want root"
    if subprocess.run(["unshare", "--net", "--mount", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        return "no network and mount namespaces of our own to be had here"
    if not os.path.isdir("/sys/fs/cgroup/memory") and not os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        return "the lab's hosts want the controllers of cgroup v1 or v2 in /sys/fs/cgroup, and this machine has mounted neither"
    return ""


@contextlib.contextmanager
def the_only_one():
    """Holds the lab: there is one on a machine. On a machine with the memory for it, the hosts' disks are in memory: etcd
    waits for every write."""
    with open("/proc/meminfo") as file:
        free = int(re.search(r"MemAvailable:\s+(\d+) kB", file.read()).group(1)) // 1024
    if free > 14000:
        os.environ.setdefault("SEALIFT_LAB_DISK", "3G")
    os.makedirs(os.path.dirname(STATE), exist_ok=True)
    with open(STATE + ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("another run has the lab (%s.lock is locked)" % STATE) from None
        try:
            yield
        finally:
            os.unlink(lock.name)


def run(command, timeout=600, check=True, env=None, **options):
    """Runs a command, both outputs as text. Returns the CompletedProcess; raises CommandFailed unless check is False."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout,
                          env=dict(os.environ, **env) if env else None, **options)
    if check and done.returncode != 0:
        raise CommandFailed("%s: exit status %d\n%s%s" % (shlex.join(command), done.returncode, done.stdout[-4000:],
                                                         done.stderr[-4000:]))
    return done


def hosts(*arguments):
    """A verb of the lab. When the test is told to stop, the verb still ends by itself: killed half-way, it would leave a host
    that nobody knows of."""
    command = [HERE + "/lab/hosts", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        out, err = process.communicate()
    except BaseException:
        process.communicate()
        raise
    if process.returncode != 0:
        raise CommandFailed("%s: exit status %d\n%s%s" % (shlex.join(command), process.returncode, out[-4000:], err[-4000:]))
    return out


def internet(*arguments):
    return run([HERE + "/lab/internet", *arguments], timeout=1800).stdout.strip()


def on(host, command, timeout=300, check=True, stdin=None):
    """Runs a shell command on a lab host as root; returns the CompletedProcess."""
    return run([HERE + "/lab/hosts", "exec", host, command], timeout=timeout, check=check, input=stdin)


def output(host, command, timeout=300):
    return on(host, command, timeout).stdout.strip()


def copy(source, host, path):
    hosts("copy", source, "%s:%s" % (host, path))


def kubectl(arguments, host="cp1", stdin=None, check=True, timeout=120):
    command = "kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=30s " + arguments
    return on(host, command, timeout, check, stdin).stdout


def kube_json(arguments, host="cp1"):
    return json.loads(kubectl(arguments + " -o json", host))


def wait_until(what, seconds, condition, every=0.3):
    """Polls until condition() gives something true and returns it; the last failure is part of the error."""
    end = time.time() + seconds
    last = None
    while True:
        try:
            result = condition()
            if result:
                return result
            last = result
        except (CommandFailed, AssertionError, subprocess.TimeoutExpired) as error:
            last = error
        if time.time() >= end:
            raise AssertionError("%s: not within %d s; last seen: %s" % (what, seconds, last))
        time.sleep(every)


def exits():
    """What the hosts tried to send out of the lab: list of {from, to, protocol, port, time}."""
    try:
        with open(STATE + "/hosts/log/exits.log") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []
