"""Pytest's plugins of our own have to be named at the top."""

pytest_plugins = [
    "tests.peers",
    "tests.planes",
    "tests.people",
    "tests.post_office",
    "tests.open_id_service",
    "tests.model_server",
    "tests.dns_peers",
    "tests.dns_laboratory",
    "tests.route53_service",
    "tests.cloudflare_service",
    "tests.edge_peers",
    "tests.edge_portal",
]
