#!/usr/bin/env python3
"""Measures how long the API is away, from a client's side: every 0.1 s a read and a write of a ConfigMap through the
floating address, each on a new connection with 1.5 seconds' patience: a balancer that has not yet noticed that an API
server is dead needs one second for the next one.

Usage (in the lab's network namespace): probe.py KUBECONFIG STOP_FILE

Runs until STOP_FILE exists. One JSON line per outage and per loop at its end: {"loop", "outage_seconds", "failed", "at"}.
"""

import base64
import http.client
import json
import os
import re
import ssl
import sys
import tempfile
import threading
import time

PATIENCE_SECONDS = 1.5
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


class Client:
    """A client of the API server a kubeconfig names."""

    def __init__(self, kubeconfig):
        with open(kubeconfig) as file:
            text = file.read()
        with tempfile.TemporaryDirectory() as directory:
            files = {}
            for key in ("certificate-authority-data", "client-certificate-data", "client-key-data"):
                files[key] = os.path.join(directory, key)
                with open(files[key], "wb") as out:
                    out.write(base64.b64decode(re.search(key + r": (\S+)", text).group(1)))
            self.context = ssl.create_default_context(cafile=files["certificate-authority-data"])
            self.context.load_cert_chain(files["client-certificate-data"], files["client-key-data"])
        self.host, self.port = re.search(r"server: https://([^:/]+):(\d+)", text).groups()

    def request(self, method, path, body=None):
        """True for a 2xx answer in time."""
        connection = http.client.HTTPSConnection(self.host, int(self.port), context=self.context, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            return 200 <= answer.status < 300
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def say(**fields):
    print(json.dumps(fields), flush=True)


def loop(name, attempt, stop_file):
    last_good, failed, tries = time.time(), 0, 0
    while not os.path.exists(stop_file):
        good = attempt()
        now = time.time()
        tries += 1
        if not good:
            failed += 1
        elif failed:
            say(loop=name, outage_seconds=round(now - last_good, 2), failed=failed, at=round(last_good, 3))
            failed = 0
        if good:
            last_good = now
        time.sleep(0.1)
    if failed:
        say(loop=name, outage_seconds=round(time.time() - last_good, 2), failed=failed, at=round(last_good, 3))
    say(loop=name, tries=tries, ended="failing" if failed else "ok")


def main():
    kubeconfig, stop_file = sys.argv[1:]
    client = Client(kubeconfig)
    client.request("POST", CONFIG_MAPS, {"metadata": {"name": "probe"}})
    count = iter(range(1 << 30))

    def write():
        return client.request("PUT", CONFIG_MAPS + "/probe", {"metadata": {"name": "probe"}, "data": {"n": str(next(count))}})

    threads = [threading.Thread(target=loop, args=arguments) for arguments in (
        ("read", lambda: client.request("GET", "/healthz"), stop_file), ("write", write, stop_file))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
