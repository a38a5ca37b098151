"""Runs `pivotd demo` for the length of a check, and reads from its output where it listens and what it serves."""

import contextlib
import pathlib
import re
import subprocess
import sys
import threading
import tomllib

START_SECONDS = 60
ROOT = pathlib.Path(__file__).resolve().parents[2]


def transforms():
    """Reads the transforms that are compiled in: name, first input type, the property that is asked, example."""
    with open(ROOT / "transforms.toml", "rb") as file:
        tables = tomllib.load(file)["transform"]
    for table in tables:
        first = table["input"][0]
        type_id, query = (first["type"], first.get("query")) if isinstance(first, dict) else (first, None)
        yield table["name"], type_id, query, table["example"]


class Demo:
    """Knows a running demo: its address and its transforms, each with a value to try."""

    def __init__(self, output):
        found = re.search(r"pivotd demo on http://([^\s/]+)", output)
        if not found:
            raise RuntimeError(f"the demo does not say where it listens:\n{output}")
        self.address = found.group(1)
        self.base = f"http://{self.address}"
        table = output.split("with a value to try:\n", 1)
        if len(table) != 2:
            raise RuntimeError(f"the demo does not list its transforms:\n{output}")
        rows = table[1].split("\n\n", 1)[0].splitlines()
        self.examples = dict(row.strip().split(None, 1) for row in rows)
        if not self.examples:
            raise RuntimeError(f"the demo serves nothing:\n{output}")


def _read_welcome(stream):
    """Reads until the demo has said how to stop it, which is the last thing it says."""
    lines = []
    for line in stream:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    return "".join(lines)


@contextlib.contextmanager
def running(binary, environment=None):
    """Starts a demo on a free port of loopback, yields it as a Demo, and stops it."""
    process = subprocess.Popen(
        [str(binary), "demo", "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
        env=environment,
    )
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        welcome = _read_welcome(process.stdout)
        watchdog.cancel()
        # The rest is read and forgotten, so that a full pipe stops nobody.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield Demo(welcome)
        if process.poll() is not None:
            raise RuntimeError(f"the demo ended by itself with code {process.returncode}")
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
