#!/usr/bin/env python3
"""An HTTP server that misbehaves on request, for tests of the downloader.

Usage: hostile_server.py [DIRECTORY]    prints its port on 127.0.0.1 and serves until it is ended

The content of SIZE bytes is always the lines "000000000000000\\n", "000000000000001\\n", ... cut at SIZE.

  /ok/SIZE                 well behaved, with Range
  /close/SIZE/N            closes the connection after N bytes of each answer; Range works
  /forgetful/SIZE/N        ignores Range and closes after N bytes of the first answer, 2N of the second, ...
  /drop                    closes without a byte
  /short/SIZE/N            says it has N bytes (fewer than SIZE) and sends those
  /long/SIZE               sends SIZE + 1 bytes
  /lying-length/SIZE       announces SIZE + 1000 bytes, sends SIZE and closes
  /endless                 never stops
  /slow/SIZE               one byte every 50 ms
  /wrong-range/SIZE        answers a Range with 206 from another byte
  /flaky/N/SIZE            503 with Retry-After: 0 for the first N requests
  /status/CODE             that status, with an endless error page
  /loop                    redirects to itself
  /to?URL                  redirects to URL
  /gzip/SIZE               Content-Encoding: gzip although nobody accepts it
  http://HOST/...          as a proxy: the path is served here, whatever the host
  /file/PATH               well behaved: a file of DIRECTORY; /nohead/PATH the same, but HEAD is refused
  /seen                    JSON: number of requests and the last Authorization header by path
  /v2/NAME/...             a registry; NAME says what is wrong with it (see Registry)
"""

import hashlib
import http.server
import json
import os
import sys
import threading
import time
import urllib.parse

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
SEEN = {}
LOCK = threading.Lock()
DIRECTORY = sys.argv[1] if len(sys.argv) > 1 else ""


def content(size):
    return b"".join(b"%015d\n" % i for i in range(size // 16 + 1))[:size]


INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


def referrer(letter):
    return {"mediaType": MANIFEST_TYPE, "digest": "sha256:" + letter * 64, "size": 2}


def manifest(layers=1):
    digest = "sha256:" + "a" * 64
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE,
                       "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 2},
                       "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": 2}] * layers}).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path.startswith("http://"):
            path = "/" + path[7:].partition("/")[2]
        with LOCK:
            entry = SEEN.setdefault(path, {"requests": 0})
            entry["requests"] += 1
            entry["authorization"] = self.headers.get("Authorization", "")
            self.turn = entry["requests"]
        words = path.strip("/").split("/")
        name = words[0].replace("-", "_")
        if name == "v2":
            return self.registry(words[1:])
        if name in ("file", "nohead"):
            return self.file(os.path.normpath("/" + urllib.parse.unquote("/".join(words[1:]))), name)
        if name == "to":
            return self.answer(302, b"", {"Location": urllib.parse.unquote(query)})
        numbers = [int(word) for word in words[1:] if word.isdigit()]
        handle = getattr(self, "serve_" + name, None)
        if handle is None:
            return self.answer(404, b"nothing here\n")
        handle(*numbers)

    def answer(self, status, body, headers=None, length=None):
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def wanted(self, size):
        """Status, body and headers for the Range of the request."""
        body = content(size)
        given = self.headers.get("Range", "")
        if not given.startswith("bytes="):
            return 200, body, {}
        start = int(given[6:].split("-")[0])
        if start >= size:
            return 416, b"", {"Content-Range": "bytes */%d" % size}
        return 206, body[start:], {"Content-Range": "bytes %d-%d/%d" % (start, size - 1, size)}

    def break_off(self):
        self.wfile.flush()
        self.close_connection = True

    def serve_ok(self, size):
        status, body, headers = self.wanted(size)
        self.answer(status, body, headers)

    def serve_close(self, size, amount):
        status, body, headers = self.wanted(size)
        self.answer(status, body[:amount], headers, len(body))
        self.break_off()

    def serve_forgetful(self, size, amount):
        body = content(size)
        self.answer(200, body[:amount * self.turn], {}, size)
        self.break_off()

    def file(self, path, name):
        if not DIRECTORY or not os.path.isfile(DIRECTORY + path):
            return self.answer(404, b"no such file\n")
        if name == "nohead" and self.command == "HEAD":
            return self.answer(403, b"")
        with open(DIRECTORY + path, "rb") as file:
            self.answer(200, file.read())

    def serve_drop(self):
        self.break_off()

    def serve_short(self, size, amount):
        self.serve_ok(amount)

    def serve_long(self, size):
        status, body, headers = self.wanted(size)
        self.answer(status, body + b"!", headers)

    def serve_lying_length(self, size):
        status, body, headers = self.wanted(size)
        self.answer(status, body, headers, len(body) + 1000)
        self.break_off()

    def serve_endless(self, status=200):
        self.send_response(status)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass

    def serve_slow(self, size):
        self.answer(200, b"", {}, size)
        try:
            for _ in range(size):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    def serve_wrong_range(self, size):
        body = content(size)
        if "Range" not in self.headers:
            self.answer(200, body[:size // 2], {}, size)
            return self.break_off()
        self.answer(206, body[1:], {"Content-Range": "bytes 1-%d/%d" % (size - 1, size)})

    def serve_flaky(self, failures, size):
        if self.turn <= failures:
            return self.answer(503, b"busy\n", {"Retry-After": "0"})
        self.serve_ok(size)

    def serve_status(self, code):
        self.serve_endless(code)

    def serve_loop(self):
        self.answer(302, b"", {"Location": "/loop"})

    def serve_gzip(self, size):
        self.answer(200, content(size), {"Content-Encoding": "gzip"})

    def serve_seen(self):
        self.answer(200, json.dumps(SEEN).encode())

    def registry(self, words):
        name = words[0] if words else ""
        good = manifest()
        right = "sha256:" + hashlib.sha256(good).hexdigest()
        if name == "huge":  # a manifest of more than 4 MiB
            return self.answer(200, manifest(40000), {"Content-Type": MANIFEST_TYPE})
        if name == "endless":
            return self.serve_endless()
        if name == "header":  # announces the digest of something else
            return self.answer(200, good, {"Content-Type": MANIFEST_TYPE, "Docker-Content-Digest": "sha256:" + "b" * 64})
        if name == "two-types":  # the header contradicts the document
            return self.answer(200, good, {"Content-Type": "application/vnd.oci.image.index.v1+json", "Docker-Content-Digest": right})
        if name == "rubbish":
            return self.answer(200, b"\x00{[", {"Content-Type": MANIFEST_TYPE})
        if name == "locked":  # asks for a login for ever
            return self.answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"no \\u001b[31mentry"}]}',
                               {"WWW-Authenticate": 'Basic realm="x"'})
        if name == "bearer-loop":  # gives tokens and takes none
            realm = "http://%s/token" % self.headers["Host"]
            return self.answer(401, b"", {"WWW-Authenticate": 'Bearer realm="%s",service="s"' % realm})
        if name == "redirecting":  # to another registry, which asks for a login of its own
            return self.answer(307, b"", {"Location": "%s/v2/bearer-loop/manifests/1" % os.environ["SEALIFT_TEST_OTHER"]})
        if name.startswith("referrers-") and len(words) > 2 and words[1] == "referrers":
            return self.referrers(name)
        if name.startswith("referrers-"):  # by tag there is one, too
            return self.answer(200, json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [referrer("e")]}).encode(),
                               {"Content-Type": INDEX_TYPE})
        if name == "limited":
            return self.answer(429, b'{"errors":[{"code":"TOOMANYREQUESTS"}]}', {"Retry-After": "0"})
        self.answer(404, b'{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known"}]}')

    def referrers(self, name):
        """The referrers API: -pages of one each, -endless pages, -elsewhere goes on at another server, -flaky is busy once,
        -busy for ever, -STATUS answers that."""
        kind = name.partition("-")[2]
        page = int(dict(urllib.parse.parse_qsl(self.path.partition("?")[2])).get("page", "0"))
        if kind.isdigit():
            return self.answer(int(kind), b"{}")
        if kind == "busy" or (kind == "flaky" and self.turn == 1):
            return self.answer(429, b"{}", {"Retry-After": "0"})
        headers = {"Content-Type": INDEX_TYPE}
        if (kind == "pages" and page < 2) or kind == "endless":
            headers["Link"] = '<%s?page=%d>; rel="next"' % (self.path.partition("?")[0], page + 1)
        if kind == "elsewhere":
            headers["Link"] = '<http://localhost:1/v2/x>; rel="next"'
        self.answer(200, json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE,
                                     "manifests": [referrer("abc"[page % 3])]}).encode(), headers)

    def serve_token(self):
        self.answer(200, b'{"token":"t"}')

    def log_message(self, form, *values):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients are expected to hang up


def main():
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
