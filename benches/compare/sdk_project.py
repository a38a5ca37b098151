"""A server by the vendor's SDK whose transforms give 12 addresses of a domain. Arguments: the port, and how many transforms there are."""

import sys

from maltego.entities import Domain, IPv4Address
from maltego.model.context import MaltegoContext
from maltego.server import MaltegoServerSettings, ServerHTTPSettings, register_transform, run_server

PORT, COUNT = int(sys.argv[1]), int(sys.argv[2])


def make(at):
    async def addresses(domain: Domain, context: MaltegoContext) -> list[IPv4Address]:
        return [IPv4Address(value=f"192.0.2.{one}") for one in range(1, 13)]

    addresses.__name__ = f"addresses_{at}"
    register_transform(display_name=f"To addresses {at}")(addresses)


for at in range(COUNT):
    make(at)

settings = MaltegoServerSettings(
    server_name="Peer", ns="bench.peer", author="bench", http_settings=ServerHTTPSettings(protocol="http"),
)
run_server(settings=settings, host="127.0.0.1", port=PORT, ssl=False)
