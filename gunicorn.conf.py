"""The web server, in `make run` and in production: threads, two listeners, strict parsing."""

import os

_port = int(os.environ.get("PORTAL_PORT") or 9357)
_internal_port = int(os.environ.get("PORTAL_INTERNAL_PORT") or _port + 1)
_address = os.environ.get("PORTAL_BIND_ADDRESS") or "127.0.0.1"

# The internal plane hands out private keys: loopback only, whatever the public address is.
bind = [f"{_address}:{_port}", f"127.0.0.1:{_internal_port}"]

# A streamed answer holds a thread while the model speaks, hence many threads for each process.
worker_class = os.environ.get("PORTAL_WORKER_CLASS") or "gthread"
workers = int(os.environ.get("PORTAL_WEB_WORKERS") or 1)
worker_connections = 2000
threads = int(os.environ.get("PORTAL_WEB_THREADS") or 48)
timeout = 10
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
