"""Networks that stand in front of websites, as data, so that a page can name them.

Parts of the lists that the operators publish (www.cloudflare.com/ips, Fastly's public-ip-list, the
CLOUDFRONT entries of ip-ranges.amazonaws.com/ip-ranges.json, the firewall pages of Imperva and
Sucuri), as they were known in November 2026; Cloudflare's and Fastly's were compared with public
copies of their lists, the others are parts from knowledge. Ranges change seldom, and one that is
missing here only costs the name: its addresses are then called foreign.
"""

from __future__ import annotations

import ipaddress
from functools import cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

RANGES: dict[str, tuple[str, ...]] = {
    "Cloudflare": (
        "173.245.48.0/20",
        "103.21.244.0/22",
        "103.22.200.0/22",
        "103.31.4.0/22",
        "141.101.64.0/18",
        "108.162.192.0/18",
        "190.93.240.0/20",
        "188.114.96.0/20",
        "197.234.240.0/22",
        "198.41.128.0/17",
        "162.158.0.0/15",
        "104.16.0.0/13",
        "104.24.0.0/14",
        "172.64.0.0/13",
        "131.0.72.0/22",
        "2400:cb00::/32",
        "2606:4700::/32",
        "2803:f800::/32",
        "2405:b500::/32",
        "2405:8100::/32",
        "2a06:98c0::/29",
        "2c0f:f248::/32",
    ),
    "Fastly": (
        "23.235.32.0/20",
        "43.249.72.0/22",
        "103.244.50.0/24",
        "103.245.222.0/23",
        "103.245.224.0/24",
        "104.156.80.0/20",
        "140.248.64.0/18",
        "140.248.128.0/17",
        "146.75.0.0/17",
        "151.101.0.0/16",
        "157.52.64.0/18",
        "167.82.0.0/17",
        "167.82.128.0/20",
        "167.82.160.0/20",
        "167.82.224.0/20",
        "172.111.64.0/18",
        "185.31.16.0/22",
        "199.27.72.0/21",
        "199.232.0.0/16",
        "2a04:4e40::/32",
        "2a04:4e42::/32",
    ),
    "Amazon CloudFront": (
        "13.32.0.0/15",
        "13.35.0.0/16",
        "13.224.0.0/14",
        "13.249.0.0/16",
        "18.64.0.0/14",
        "18.154.0.0/15",
        "18.160.0.0/15",
        "18.164.0.0/15",
        "18.172.0.0/15",
        "18.238.0.0/15",
        "18.244.0.0/15",
        "52.84.0.0/15",
        "54.182.0.0/16",
        "54.192.0.0/16",
        "54.230.0.0/17",
        "54.239.128.0/18",
        "64.252.64.0/18",
        "70.132.0.0/18",
        "99.84.0.0/16",
        "99.86.0.0/16",
        "108.138.0.0/15",
        "108.156.0.0/14",
        "143.204.0.0/16",
        "204.246.164.0/22",
        "205.251.192.0/19",
        "2600:9000::/28",
    ),
    "Imperva": (
        "199.83.128.0/21",
        "198.143.32.0/19",
        "149.126.72.0/21",
        "103.28.248.0/22",
        "45.64.64.0/22",
        "185.11.124.0/22",
        "192.230.64.0/18",
        "107.154.0.0/16",
        "45.60.0.0/16",
        "45.223.0.0/16",
        "2a02:e980::/29",
    ),
    "Sucuri": (
        "192.88.134.0/23",
        "185.93.228.0/22",
        "66.248.200.0/22",
        "208.109.0.0/22",
        "2a02:fe80::/29",
    ),
}

TARGETS: dict[str, tuple[str, ...]] = {
    "Cloudflare": ("cdn.cloudflare.net", "cloudflare.com"),
    "Fastly": ("fastly.net", "fastlylb.net"),
    "Amazon CloudFront": ("cloudfront.net",),
    "Akamai": ("edgekey.net", "edgesuite.net", "akamaiedge.net", "akamai.net"),
    "Azure Front Door": ("azurefd.net", "azureedge.net"),
    "Imperva": ("incapdns.net", "impervadns.net"),
    "Sucuri": ("sucuri.net",),
    "Bunny": ("b-cdn.net",),
    "Vercel": ("vercel-dns.com",),
    "Netlify": ("netlify.app",),
}


def network_of_address(address: str) -> str:
    """The operator whose network an address lies in; "" where it is nobody's here."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    for operator, networks in _networks().items():
        if any(parsed in network for network in networks if network.version == parsed.version):
            return operator
    return ""


def network_of_name(name: str) -> str:
    """The operator whose name an alias leads to; "" where it is nobody's here."""
    for operator, endings in TARGETS.items():
        if any(name == ending or name.endswith(f".{ending}") for ending in endings):
            return operator
    return ""


@cache
def _networks() -> dict[str, tuple[Network, ...]]:
    return {
        operator: tuple(ipaddress.ip_network(one) for one in ranges)
        for operator, ranges in RANGES.items()
    }
