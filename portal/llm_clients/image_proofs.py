"""Proof that this portal drew an image, so that it comes to another account as it is.

What somebody sends is drawn anew, and a background is a little worse each time. What was drawn
here need not be, and only who has the portal's own key can say so.
"""

from __future__ import annotations

import hashlib
import hmac

from portal.database import current_settings


def proof_of(kind: str, digest: str) -> str:
    """Of the image with this SHA-256: 64 hexadecimal digits."""
    key = current_settings().secret_key.encode()
    return hmac.new(key, f"client-image/{kind}/{digest}".encode(), hashlib.sha256).hexdigest()


def is_proven(kind: str, digest: str, proof: str) -> bool:
    """Whether this portal said so."""
    return hmac.compare_digest(proof_of(kind, digest).encode(), proof.encode())
