"""Checks signed calls to ThreatConnect with the signing code of the vendor's own framework, tcex.

Only its `hmac_auth` module is loaded, from the package as it was published; what it imports besides is stood in for.
A server on loopback plays the instance, so that what was signed is compared with what really came over the wire.
"""

import argparse
import http.server
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import types

ACCESS_ID = "99999999999999999999"
SECRET_KEY = "sample-secret-of-nobody-0123456789"
# Each is a transform with a value that signs badly where a byte of the URL differs.
RUNS = [
    ("threatconnect.owners", "*"),
    ("threatconnect.incidents", "it's 100% \"quoted\" & more+plus/slash?q=ü#x"),
    ("threatconnect.incidents-of", "mail.parkside.example"),
    ("threatconnect.incidents-of", "http://example.com/a%20b?q=1&r=%2F~"),
]


class Sensitive:
    """Stands in for the framework's wrapper of secrets."""

    def __init__(self, value):
        self.value = value


def load(package):
    """Loads `hmac_auth` of the package without the framework around it."""
    for name in ["tcex", "tcex.requests_tc", "tcex.requests_tc.auth", "tcex.input", "tcex.input.field_type"]:
        module = types.ModuleType(name)
        module.__path__ = []
        sys.modules[name] = module
    sensitive = types.ModuleType("tcex.input.field_type.sensitive")
    sensitive.Sensitive = Sensitive
    sys.modules[sensitive.__name__] = sensitive
    path = package / "tcex" / "requests_tc" / "auth" / "hmac_auth.py"
    spec = importlib.util.spec_from_file_location("tcex.requests_tc.auth.hmac_auth", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expected(module, target, method, timestamp):
    """Signs a request line as the framework does."""
    request = types.SimpleNamespace(path_url=target, method=method)
    return module.HmacAuth(ACCESS_ID, Sensitive(SECRET_KEY))._hmac_header(request, timestamp)


class Instance(http.server.BaseHTTPRequestHandler):
    """Remembers what came, byte for byte, and has nothing to tell."""

    seen = []

    def do_GET(self):
        line = self.requestline.split(" ")
        self.seen.append((line[1], line[0], self.headers["Timestamp"], self.headers["Authorization"]))
        body = json.dumps({"data": [], "status": "Success"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--tcex", type=pathlib.Path, required=True, help="the folder that holds the package")
    arguments = parser.parse_args()
    module = load(arguments.tcex)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Instance)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for prefix in ["/api", ""]:
            with tempfile.TemporaryDirectory() as folder:
                provider = "PIVOTD__PROVIDERS__THREATCONNECT__"
                environment = {
                    "PATH": os.environ.get("PATH", ""),
                    "PIVOTD__SERVER__DATA": folder,
                    f"{provider}BASE_URL": f"http://127.0.0.1:{server.server_port}{prefix}",
                    f"{provider}AUTH": "hmac",
                    f"{provider}ACCESS_ID": ACCESS_ID,
                    f"{provider}SECRET_KEY": SECRET_KEY,
                    f"{provider}RATE": "1000/s",
                }
                for transform, value in RUNS:
                    before = len(Instance.seen)
                    command = [arguments.binary, "run", transform, value]
                    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
                    if len(Instance.seen) == before:
                        raise SystemExit(f"{transform} of {value!r} asked nothing: {done.stdout}{done.stderr}")
                    for target, method, timestamp, authorization in Instance.seen[before:]:
                        if not target.startswith(f"{prefix}/v3/"):
                            raise SystemExit(f"{transform} asked {target!r}, which is not below {prefix!r}")
                        wanted = expected(module, target, method, timestamp)
                        if authorization != wanted:
                            raise SystemExit(f"{target}: signed {authorization!r}, tcex signs {wanted!r}")
    finally:
        server.shutdown()
    print(f"  {len(Instance.seen)} calls to ThreatConnect are signed as tcex signs them")


if __name__ == "__main__":
    main()
