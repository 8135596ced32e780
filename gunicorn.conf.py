"""The web server, in `make run` and in production: one loop, two listeners, strict parsing.

Why gevent: docs/decisions/20261127-one-loop-a-process.md.
"""

import gc
import logging
import os
import resource

from portal import log_lines

# Each stream holds two connections, the visitor's and the provider's.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
_most = 65_536 if _hard == resource.RLIM_INFINITY else min(_hard, 65_536)
if _soft != resource.RLIM_INFINITY and _soft < _most:
    resource.setrlimit(resource.RLIMIT_NOFILE, (_most, _hard))

_port = int(os.environ.get("PORTAL_PORT") or 9357)
_internal_port = int(os.environ.get("PORTAL_INTERNAL_PORT") or _port + 1)
_address = os.environ.get("PORTAL_BIND_ADDRESS") or "127.0.0.1"

# The internal plane hands out private keys: loopback only, whatever the public address is.
bind = [f"{_address}:{_port}", f"127.0.0.1:{_internal_port}"]

# A streamed answer holds a connection while the model speaks; one costs a few kilobytes here.
worker_class = os.environ.get("PORTAL_WORKER_CLASS") or "portal.web_worker.PortalWebWorker"
workers = int(os.environ.get("PORTAL_WEB_WORKERS") or 1)
worker_connections = int(os.environ.get("PORTAL_WEB_CONNECTIONS") or 2_000)
threads = int(os.environ.get("PORTAL_WEB_THREADS") or 48)  # of worker class gthread only
timeout = 30  # of the loop, not of a request: an answer may take longer
graceful_timeout = 10
keepalive = 30
preload_app = False
if os.path.isdir("/dev/shm"):  # noqa: S108 - heartbeats only; a disk could stall them
    worker_tmp_dir = "/dev/shm"  # noqa: S108

limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# A proxy may tell the scheme, never SCRIPT_NAME or PATH_INFO: those would move routes.
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS") or "127.0.0.1"
forwarder_headers = ""
control_socket_disable = True
accesslog = None
errorlog = "-"
loglevel = "info"


def post_worker_init(worker: object) -> None:
    """Log lines stay lines; what was loaded stays: the collector need not look at it again."""
    log_lines.set_up(logging.WARNING)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
