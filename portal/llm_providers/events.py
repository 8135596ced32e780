"""Server-sent events out of bytes as they come, with a limit on the line (WHATWG HTML 9.2)."""

from collections.abc import Iterable, Iterator

LONGEST_LINE = 256 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DATA = b"data:"


class LineTooLong(Exception):
    """A line is longer than an event may be."""


def event_data(pieces: Iterable[bytes]) -> Iterator[str]:
    """The data of each event; raises LineTooLong, UnicodeDecodeError.

    A last event whose closing blank line never came is dropped, as the standard asks for.
    """
    data: list[bytes] = []
    for line in lines(pieces):
        if line.startswith(DATA):
            data.append(line[len(DATA) :].removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data).decode("utf-8")
            data.clear()


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines without their end; what follows the last line end is dropped, and so is a
    byte order mark before the first."""
    rest, is_first = b"", True
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        if whole and is_first:
            whole[0], is_first = whole[0].removeprefix(BYTE_ORDER_MARK), False
        if len(rest) > LONGEST_LINE or any(len(line) > LONGEST_LINE for line in whole):
            raise LineTooLong
        for line in whole:
            yield line.removesuffix(b"\r")
