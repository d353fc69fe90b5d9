#!/usr/bin/env python3
"""The token server of the pretend internet: Docker's token authentication, as docker-registry checks it.

Usage: token-server.py ADDRESS PORT STATE_DIR

STATE_DIR/tls holds ca.crt, server.crt, server.key, token.crt, token.key; STATE_DIR/credentials holds one line USER:PASSWORD.
Right credentials get a token for what they ask, pull only; none get a token that allows nothing (as public
registries do); wrong ones get 401. RS256 signatures come from the openssl program. One line per request on stdout.
"""

import base64
import hmac
import http.server
import json
import ssl
import subprocess
import sys
import time
import urllib.parse

LIFETIME_SECONDS = 300
ISSUER = "sealift-lab-token-server"
SERVICE = "sealift-lab-registry"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Issuer:
    """Signs tokens with the key the registry trusts."""

    def __init__(self, state):
        self.key = state + "/tls/token.key"
        der = ssl.PEM_cert_to_DER_cert(open(state + "/tls/token.crt").read())
        self.header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}

    def token(self, subject, access):
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": subject, "aud": SERVICE, "exp": now + LIFETIME_SECONDS, "nbf": now - 10, "iat": now,
                  "jti": "%x" % time.time_ns(), "access": access}
        text = base64url(json.dumps(self.header).encode()) + b"." + base64url(json.dumps(claims).encode())
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text, stdout=subprocess.PIPE,
                                   check=True).stdout
        return (text + b"." + base64url(signature)).decode()


def granted(scopes):
    """What of the asked "repository:NAME:ACTION,ACTION" is given: pull, of anything."""
    access = []
    for scope in " ".join(scopes).split():
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind == "repository" and "pull" in actions.split(","):
            access.append({"type": kind, "name": name, "actions": ["pull"]})
    return access


def handler(issuer, credentials):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            query = urllib.parse.parse_qs(url.query)
            kind, _, given = self.headers.get("Authorization", "").partition(" ")
            if url.path != "/token":
                return self.answer(404, {"error": "not here"})
            if query.get("service") != [SERVICE]:
                return self.answer(400, {"error": "unknown service"})
            if kind and not (kind == "Basic" and hmac.compare_digest(base64.b64decode(given), credentials)):
                return self.answer(401, {"error": "wrong user name or password"})
            access = granted(query.get("scope", [])) if kind else []
            token = issuer.token("lab" if kind else "", access)
            self.answer(200, {"token": token, "access_token": token, "expires_in": LIFETIME_SECONDS,
                              "issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})

        def answer(self, status, body):
            text = json.dumps(body).encode()
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="lab"')
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, form, *values):
            print(self.log_date_time_string(), form % values, flush=True)

    return Handler


def main():
    address, port, state = sys.argv[1:]
    credentials = open(state + "/credentials", "rb").read().strip()
    server = http.server.ThreadingHTTPServer((address, int(port)), handler(Issuer(state), credentials))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(state + "/tls/server.crt", state + "/tls/server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main()
