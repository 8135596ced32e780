"""What the pages say of each zone editor and of a stored secret."""

from __future__ import annotations

from portal.vault import named

ABOUT = {
    "manual": "You, or whoever manages the DNS, enter the records. We check them.",
    "rfc2136": "We write to your own name server (BIND, Knot, PowerDNS) with a key that you give.",
    "local": "We write to the embedded name server of this machine.",
    "route53": "We write to a hosted zone at AWS with a key that may change that zone only.",
    "cloudflare": "We write through the API of Cloudflare with a token for the one zone.",
}
LEAST_SHOWN = 12  # of a shorter secret four characters would be too much


def stored_sentence(secret: str) -> str:
    """Which secret is stored, without showing it; a named one is named."""
    if name := named.name_in(secret):
        return f"The secret {name} is used."
    if len(secret) < LEAST_SHOWN:
        return "Stored encrypted."
    return f"Stored encrypted. Ends in {secret[-4:]}."
