"""Named checks: each prints one line and is remembered; a failed one leaves the logs of all hosts."""

import json
import os
import sys
import time
import traceback

from . import lab

LOG_COMMANDS = {
    "journal": "journalctl -b --no-pager -o short-precise | tail -3000",
    "units": "systemctl list-units --no-pager --all | head -200; systemctl --failed --no-pager",
    "network": "ip addr; ip route; ss -tlnp; iptables-save",
    "containers": "crictl ps -a; crictl pods; for c in $(crictl ps -a -q); do echo \"== $c\"; crictl logs $c 2>&1 | tail -40; done",
    "sealift": "tail -n +1 /var/log/sealift/* /var/lib/sealift/*.json /root/sealift/*.log 2>/dev/null | tail -4000",
}


class Report:
    def __init__(self, directory):
        self.directory = directory
        self.results = []
        self.figures = {}
        os.makedirs(directory, exist_ok=True)

    def line(self, text):
        print(text, flush=True)

    def check(self, name, function, *arguments):
        """Runs one check. Returns what it returned, or None when it failed."""
        started = time.time()
        try:
            evidence = function(*arguments)
            passed = True
        except KeyboardInterrupt:
            raise
        except Exception as error:  # whatever a check dies of is this check's failure
            evidence, passed = error, False
            if not isinstance(error, (AssertionError, lab.CommandFailed)):
                traceback.print_exc(file=sys.stderr)
        seconds = time.time() - started
        text = evidence[0] if isinstance(evidence, tuple) else evidence
        self.results.append({"check": name, "passed": passed, "seconds": round(seconds, 1), "evidence": str(text)})
        self.line("%-6s %s: %s (%.1f s)" % ("ok" if passed else "FAILED", name, text, seconds))
        if not passed:
            self.collect_logs(name)
        return evidence if passed else None

    def figure(self, name, value):
        self.figures[name] = value
        self.line("figure %s: %s" % (name, value))

    def collect_logs(self, name):
        directory = "%s/logs/%s" % (self.directory, name.replace(" ", "-").replace("/", "-")[:80])
        os.makedirs(directory, exist_ok=True)
        for host in lab.HOSTS:
            for topic, command in LOG_COMMANDS.items():
                try:
                    text = lab.on(host, command, timeout=30, check=False).stdout
                except Exception as error:  # a host that is off, say: the next one may tell more
                    text = "not to be had: %s\n" % error
                with open("%s/%s-%s.log" % (directory, host, topic), "w") as file:
                    file.write(text)
        self.line("       logs: " + directory)

    def failed(self):
        return [r["check"] for r in self.results if not r["passed"]]

    def finish(self):
        with open(self.directory + "/results.json", "w") as file:
            json.dump({"version": 1, "checks": self.results, "figures": self.figures}, file, indent=1)
        failed = self.failed()
        self.line("%d checks, %d failed%s" % (len(self.results), len(failed), ": " + ", ".join(failed) if failed else ""))
        return 1 if failed or not self.results else 0
