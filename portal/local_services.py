"""The outside of the local environment in one process: name server, TLS edge, demo provider.

`python -m portal.local_services` imports neither Flask nor the database, so it stays small.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from portal import log_lines
from portal.dns.local_server import LocalNameServer
from portal.llm_providers.demo_server import DemoProviderServer
from portal.settings import Settings, SettingsError
from portal.tls.local_edge import LocalEdge

TSIG_KEY_NAME = "portal-key"


def run(settings: Settings) -> None:
    """Start all three; return when told to stop."""
    name_server = LocalNameServer(
        (settings.base_api_domain,),
        settings.edge_address,
        settings.dns_port,
        settings.data_dir / "dns" / "zone.json",
        TSIG_KEY_NAME,
        settings.tsig_secret,
    )
    edge = LocalEdge(
        settings.edge_address,
        settings.edge_port,
        (settings.edge_address, settings.port),
        f"http://127.0.0.1:{settings.internal_port}/internal/tls",
        settings.internal_token,
    )
    demo = DemoProviderServer("127.0.0.1", settings.demo_port)
    services = (name_server, edge, demo)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    for service in services:
        service.start()
    stopped.wait()
    for service in services:
        service.stop()


def main() -> int:
    log_lines.set_up()
    try:
        settings = Settings.from_environ(os.environ)
    except SettingsError as error:
        sys.stderr.write("\n".join(error.problems) + "\n")
        return 2
    run(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
