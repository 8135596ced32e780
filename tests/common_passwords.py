"""How portal/accounts/common_passwords/passwords.txt was made; see README.md beside it.

`python -m tests.common_passwords common-passwords.txt.gz 10_million_password_list_top_1M.txt`
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from portal.accounts.passwords import LIST, MIN_LENGTH

OF_THE_SECOND = 5000


def fitting(text: str) -> list[str]:
    """Those long enough to be asked for at all, in small letters, in their order."""
    lines = (line.lower() for line in text.splitlines() if len(line) >= MIN_LENGTH)
    return list(dict.fromkeys(line for line in lines if line.isascii() and line.isprintable()))


def main(first: str, second: str) -> None:
    """The whole first list and the most common of the second, by the alphabet."""
    whole = fitting(gzip.decompress(Path(first).read_bytes()).decode())
    common = fitting(Path(second).read_text(errors="replace"))[:OF_THE_SECOND]
    LIST.write_text("\n".join(sorted({*whole, *common})) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
