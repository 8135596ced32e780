"""Signatures by the Standard Webhooks specification."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from portal.notices import signing

pytestmark = pytest.mark.engine_independent


def test_the_example_that_the_specification_s_libraries_are_tested_with() -> None:
    found = signing.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_secret_in_use_signs() -> None:
    secrets = [signing.new_secret(), signing.new_secret()]
    now = datetime(2026, 11, 30, tzinfo=UTC)
    headers = signing.headers(secrets, "msg_1", b"{}", now)
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))
    for secret, one in zip(secrets, headers["webhook-signature"].split(" "), strict=True):
        key = base64.b64decode(secret[len("whsec_") :])
        digest = hmac.new(key, f"msg_1.{int(now.timestamp())}.{{}}".encode(), hashlib.sha256)
        assert one == f"v1,{base64.b64encode(digest.digest()).decode()}"


def test_a_secret_has_256_bits_and_is_never_the_same() -> None:
    first, second = signing.new_secret(), signing.new_secret()
    assert first != second
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32
