"""What may have happened to an installed cluster before somebody runs `install` again."""

from . import cluster, faults, lab
from .product import ON_DEPLOY


def check(product, report):
    report.check("a member without admin.conf is not made anew", member_is_kept, product)
    report.check("another endpoint is refused", other_endpoint_is_refused, product)
    report.check("routes that vanished come back", routes_come_back, product)
    report.check("a bundle replaced under its name is served", replaced_bundle_is_served, product)
    report.check("a newer package is left alone", newer_package_is_kept, product)
    report.check("a balancer without its file gets it back", balancer_is_repaired, product)
    report.check("the address stays when balancers get new peers", peers_come_back, product)


def changes(product):
    """The steps that an installation changed now."""
    events, _ = product.install()
    return sorted(e["step"] for e in events if e.get("event") == "step-finished" and e["result"] == "changed")


def member_is_kept(product):
    lab.output("cp2", "mv /etc/kubernetes/admin.conf /root/")
    try:
        error = faults.refused(product, r"cp2: .*/etc/kubernetes/admin\.conf is missing", below=faults.STILL)
    finally:
        lab.output("cp2", "mv /root/admin.conf /etc/kubernetes/")
    cluster.etcd_healthy()
    return error


def other_endpoint_is_refused(product):
    lab.output("deploy", "cd %s && cp cluster.yaml cluster.right && sed -i 's/^  port: 16443$/  port: 16444/' cluster.yaml" % ON_DEPLOY)
    try:
        return faults.refused(product, r"cp1: the cluster was made with endpoint https://10\.99\.0\.100:16443; cluster.yaml says .*:16444",
                              below=faults.STILL)
    finally:
        lab.output("deploy", "cd %s && mv cluster.right cluster.yaml" % ON_DEPLOY)


def routes_come_back(product):
    """As a restart of systemd-networkd would take them away."""
    lab.output("cp2", "ip route flush proto 83")
    changed = changes(product)
    assert changed == ["network/cp2/route-cp1"], changed
    return "changed network/cp2/route-cp1, %s" % cluster.pods_reach_each_other()


def replaced_bundle_is_served(product):
    lab.output("deploy", "cd %s && cp k8s.tar new.tar && mv new.tar k8s.tar" % ON_DEPLOY)
    changed = changes(product)
    opened = lab.output("deploy", "stat -L -c %i /proc/$(systemctl show -P MainPID sealift-mirror)/fd/* 2>/dev/null").split()
    assert lab.output("deploy", "stat -c %%i %s/k8s.tar" % ON_DEPLOY) in opened, "the mirror has not opened the new file"
    assert changed == ["mirror/deploy/service", "mirror/deploy/unit"], changed
    return "changed " + ", ".join(changed)


def newer_package_is_kept(product):
    """As a security update would leave it: dpkg knows a later version than the bundle has."""
    status = "/var/lib/dpkg/status"
    lab.output("w1", "cp -a %s /root/dpkg-status && sed -i '/^Package: chrony$/,/^$/s/^Version: .*/Version: 99-1/' %s" % (status, status))
    try:
        assert lab.output("w1", "dpkg-query -W -f '${Version}' chrony") == "99-1"
        changed = changes(product)
    finally:
        lab.output("w1", "mv /root/dpkg-status " + status)
    assert not changed, changed
    return "chrony 99-1 stayed"


def balancer_is_repaired(product):
    lab.output("cp3", "rm /etc/sealift/nginx.conf")
    changed = changes(product)
    assert changed == ["balancer/cp3/nginx", "balancer/cp3/nginx-service"], changed
    assert lab.output("cp3", "systemctl is-active sealift-lb") == "active"
    return "changed " + ", ".join(changed)


def peers_come_back(product):
    """As on the balancers of a cluster that has one more or one less: all are told of it at the same time."""
    holder = cluster.holders_of_address(lab.CONTROL_PLANES)
    before = keepalived_processes()
    for host in lab.CONTROL_PLANES:
        lab.output(host, "sed -i 's/unicast_peer {/&\\n    10.99.0.99/' /etc/keepalived/keepalived.conf && systemctl reload keepalived")
    changed = changes(product)
    assert {c.split("/")[1] for c in changed} == set(lab.CONTROL_PLANES), changed
    assert {c.split("/")[2] for c in changed} <= {"keepalived", "keepalived-valid", "keepalived-service"}, changed
    assert keepalived_processes() == before, "keepalived was restarted: %s, before %s" % (keepalived_processes(), before)
    assert cluster.holders_of_address(lab.CONTROL_PLANES) == holder, "the address moved from %s" % holder
    return "reloaded on %s, the address stays on %s" % (", ".join(lab.CONTROL_PLANES), holder[0])


def keepalived_processes():
    return [lab.output(host, "systemctl show -P MainPID keepalived") for host in lab.CONTROL_PLANES]
