"""Hosts on which an installation must not begin. Each fault gives one clear error that names it, and changes nothing."""

import re

from . import lab

# What was changed on a host between a moment and now, by its own clock, which may be behind the files: everything but what a running
# machine writes by itself, and the program that looked at it.
CHANGED_SINCE = ("find %s -xdev \\( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /var/log -o -path /var/tmp -o "
                 "-path /root/.cache -o -path /var/lib/systemd -o -path '/root/.ssh' -o -path /var/lib/sealift/agent "
                 "-o -name .sudo_as_admin_successful \\) -prune -o -newermt @%.3f ! -newermt \"@$(date +%%s.%%N)\" -type f -print")
STILL = "/etc /usr /var/lib/sealift"  # where a running cluster writes nothing by itself, as etcd and kubelet do elsewhere

# name -> (host, arguments of `hosts create`, what the error must say)
DISK_FAULTS = {
    "too little disk": ("w1", ["disk=600M"], r"(disk|space)"),
    "the same product_uuid twice": ("cp2", ["product-uuid=11111111-2222-3333-4444-555555555555"], r"product_uuid"),
    "the same machine-id twice": ("cp2", ["machine-id=%s"], r"machine-id"),
    "a host name twice": ("cp2", ["hostname=cp1"], r"host ?name"),
    "a wrong host key": ("cp3", ["host-key=new"], r"host key"),
}


def recreate(host, *fault):
    lab.hosts("kill", host)
    lab.hosts("create", host, *fault)
    lab.hosts("start", host)


def refused(product, pattern, hosts=lab.NODES, below="/"):
    """install must fail, say why in words that match pattern, and leave the given hosts as they were, below these directories."""
    started = {host: float(lab.output(host, "date +%s.%N")) for host in hosts}  # by its own clock, which may be wrong
    done = product.on_deploy("install", "-y", check=False, timeout=300)
    assert done.returncode not in (0, 126, 127), "install ended with %d:\n%s%s" % (done.returncode, done.stdout, done.stderr)
    assert re.search(pattern, done.stderr, re.I), "the error does not say /%s/: %s" % (pattern, done.stderr[-1500:])
    for host in hosts:
        changed = lab.output(host, CHANGED_SINCE % (below, started[host]))
        assert not changed, "changed on %s in spite of the error: %s" % (host, changed)
    matching = [l for l in done.stderr.splitlines() if re.search(pattern, l, re.I)]
    return matching[0].strip()


def check_disk_faults(product, report):
    for name, (host, fault, pattern) in DISK_FAULTS.items():
        fault = [f % lab.output("cp1", "cat /etc/machine-id") if "%s" in f else f for f in fault]
        twin = ["cp1"] if "product_uuid" in name else []
        for other in twin:
            recreate(other, *fault)
        recreate(host, *fault)
        report.check("refuses " + name, refused, product, pattern)
        for broken in twin + [host]:
            recreate(broken)


def check_machine_faults(product, report):
    """What only a machine with a kernel of its own can show."""
    recreate("cp2", "clock=90", "swap=on")
    report.check("refuses swap on", refused, product, r"swap is on")
    report.check("refuses a skewed clock", refused, product, r"ahead of .* \(clock skew\)")
    recreate("cp2", "clock=-100000000")
    report.check("refuses a clock of another year", refused, product, r"before the bundle was locked")
    recreate("cp2")


def check_unreachable_host(product, report):
    lab.hosts("kill", "cp3")
    report.check("refuses an unreachable host", refused, product, r"cp3", [h for h in lab.NODES if h != "cp3"])
    lab.hosts("start", "cp3")


def check_address_in_use(product, report):
    """Something else in the network already answers for the floating address."""
    address = ["%s/%d" % (lab.net.vip, 32 if lab.net.version == 4 else 128), "dev", "lab-br0"]
    lab.run(["ip", "-n", lab.NETNS, "addr", "add"] + address + ["nodad"] * (lab.net.version == 6))
    try:
        report.check("refuses an address in use", refused, product, re.escape(lab.net.vip) + r".*(in use|answers|taken)")
    finally:
        lab.run(["ip", "-n", lab.NETNS, "addr", "del"] + address)


def check_foreign_cluster(product, report):
    """On the installed lab: the same hosts under another cluster's name."""
    from .product import ON_DEPLOY
    lab.output("deploy", "cd %s && cp cluster.yaml cluster.right && sed -i 's/^  name: lab$/  name: other/' cluster.yaml" % ON_DEPLOY)
    try:
        report.check("refuses hosts of another cluster", refused, product, r"(another|other|belongs)", lab.NODES, STILL)
    finally:
        lab.output("deploy", "cd %s && mv cluster.right cluster.yaml" % ON_DEPLOY)
