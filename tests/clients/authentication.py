"""Checks how calls carry keys, against code that others wrote: requests and oauthlib.

A server on loopback plays each vendor and remembers what came over the wire. tcex has a script of its own
(`tcex_hmac.py`), since its signature covers the whole call.
"""

import argparse
import http.server
import os
import pathlib
import subprocess
import tempfile
import threading
import urllib.parse

import oauthlib.oauth2
import requests

USER, SECRET = "ann.lee@example.com", "sample-s3cret:of/nobody+ü="
TOKEN = "sample-token-of-nobody"


def prepared(**arguments):
    """Lets `requests` build a call, and returns its headers."""
    return requests.Request("GET", "http://127.0.0.1/", **arguments).prepare().headers


def basic():
    return {"authorization": prepared(auth=(USER.encode(), SECRET.encode()))["Authorization"]}


def bearer(token):
    client = oauthlib.oauth2.BackendApplicationClient("x", token={"access_token": token, "token_type": "Bearer"})
    _, headers, _ = client.add_token("https://127.0.0.1/", headers={})
    return {"authorization": headers["Authorization"]}


# Each provider: its transform, the parts of its key, and the headers that a call has to show. The vendors of the last
# ones document a header of their own, for which there is nothing to compute.
PROVIDERS = [
    ("passivetotal", "passivetotal.resolutions", {"USERNAME": USER, "API_KEY": SECRET}, basic()),
    ("circl", "circl.resolutions", {"USERNAME": USER, "PASSWORD": SECRET}, basic()),
    ("defender", "defender.subdomains", {"TENANT_ID": "tenant", "CLIENT_ID": "client", "CLIENT_SECRET": SECRET}, bearer(TOKEN)),
    ("threatgrid", "threatgrid.samples", {"API_KEY": "sample-key"}, bearer("sample-key")),
    ("virustotal", "virustotal.resolutions", {"API_KEY": "sample-key"}, {"x-apikey": "sample-key"}),
    ("dnsdb", "dnsdb.resolutions", {"API_KEY": "sample-key"}, {"x-api-key": "sample-key"}),
    ("mnemonic", "mnemonic.resolutions", {"API_KEY": "sample-key"}, {"argus-api-key": "sample-key"}),
    ("abuseipdb", "abuseipdb.reputation", {"API_KEY": "sample-key"}, {"key": "sample-key"}),
    ("greynoise", "greynoise.reputation", {"API_KEY": "sample-key"}, {"key": "sample-key"}),
    ("emailrep", "emailrep.reputation", {"API_KEY": "sample-key"}, {"key": "sample-key"}),
    ("ipqs", "ipqs.reputation", {"API_KEY": "sample-key"}, {"ipqs-key": "sample-key"}),
]

# What is asked of each; of the others, a domain.
VALUES = {
    "abuseipdb": "192.0.2.44",
    "greynoise": "192.0.2.44",
    "emailrep": "office@example.com",
    "ipqs": "office@example.com",
}


class Vendor(http.server.BaseHTTPRequestHandler):
    """Sells a token to whoever asks for one; has nothing else to tell."""

    seen = []

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        token = f'{{"token_type": "Bearer", "expires_in": 3599, "access_token": "{TOKEN}"}}'
        text = (token if self.path.endswith("/token") else "{}").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def spelt(headers):
    """Lowers the scheme of `Authorization`, which is the same in any case (RFC 9110, 11.1)."""
    scheme, space, rest = (headers.get("authorization") or "").partition(" ")
    return {**headers, "authorization": scheme.lower() + space + rest} if scheme else headers


def form(body):
    return sorted(urllib.parse.parse_qsl(body, keep_blank_values=True))


def check_token(path, body):
    """Compares a call for a token with the one that oauthlib prepares (RFC 6749, 4.4)."""
    client = oauthlib.oauth2.BackendApplicationClient("client")
    scope = ["https://graph.microsoft.com/.default"]
    wanted = client.prepare_request_body(scope=scope, include_client_id=True, client_secret=SECRET)
    if path != "/tenant/oauth2/v2.0/token" or form(body) != form(wanted):
        raise SystemExit(f"a token was asked for at {path} with other fields than oauthlib's")


def ask(binary, port, name, transform, key):
    """Runs a transform against the played vendor; returns what came over the wire."""
    provider = f"PIVOTD__PROVIDERS__{name.upper()}__"
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PIVOTD__SERVER__DATA": folder,
            f"{provider}BASE_URL": url,
            f"{provider}ENABLED": "true",
            f"{provider}ATTEMPTS": "1",
            **{f"{provider}{part}": value for part, value in key.items()},
        }
        if name == "defender":
            environment[f"{provider}ORIGINS__LOGIN"] = url
        before = len(Vendor.seen)
        command = [binary, "run", transform, VALUES.get(name, "example.com")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        if len(Vendor.seen) == before:
            raise SystemExit(f"{transform} asked nothing: {done.stdout}{done.stderr}")
        if SECRET in done.stdout + done.stderr:
            raise SystemExit(f"{transform} shows its key")
        return Vendor.seen[before:]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    count = 0
    try:
        for name, transform, key, wanted in PROVIDERS:
            for path, headers, body in ask(arguments.binary, server.server_port, name, transform, key):
                count += 1
                if path.endswith("/token"):
                    check_token(path, body)
                    continue
                shown = {header: headers.get(header) for header in wanted}
                if spelt(shown) != spelt(wanted):
                    raise SystemExit(f"{name}: {path} carries {sorted(headers)}, not what {sorted(wanted)} ought to be")
                if any(value in path for value in key.values()):
                    raise SystemExit(f"{name}: the key stands in the path {path}")
    finally:
        server.shutdown()
    print(f"  {count} calls to {len(PROVIDERS)} providers carry their keys as other code would send them")


if __name__ == "__main__":
    main()
