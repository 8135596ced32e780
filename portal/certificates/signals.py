"""What rooms above may listen to; sent inside the transaction that makes it true.

Receivers get `hosts`, the hosts that are served with the certificate, and `now`; those of
`certificate_troubled` get `order`, the row with its reason, and `now`.
"""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()
certificate_issued = _signals.signal("certificate_issued")
certificate_expired = _signals.signal("certificate_expired")
certificate_troubled = _signals.signal("certificate_troubled")
