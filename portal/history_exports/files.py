"""The files of exports, in a folder that only the portal reads."""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from portal.database import current_settings

NAME = re.compile(r"[0-9a-f]{32}\.(csv|jsonl)")
LEAST_FREE = 200_000_000  # octets that are left to the database and everybody else
FULL = (errno.ENOSPC, errno.EDQUOT)


def folder() -> Path:
    """Where they are: below PORTAL_DATA_DIR."""
    return current_settings().data_dir / "exports"


def path_of(name: str) -> Path:
    """The file of this name. Raises ValueError for a name that is none of ours."""
    if not NAME.fullmatch(name):
        raise ValueError("no name of an export's file")
    return folder() / name


@contextmanager
def locked(name: str) -> Iterator[BinaryIO]:
    """The file for writing, made if it is not there, for one process at a time.

    A process that lost its claim may still be writing, so the claim is not enough. Raises
    BlockingIOError while another one has it, OSError where it cannot be written.
    """
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path_of(name), flags, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file


def leave_room(file: BinaryIO, least: int = LEAST_FREE) -> None:
    """Raises OSError as a full disk does, while there is room for everybody else yet."""
    disk = os.fstatvfs(file.fileno())
    if disk.f_bavail * disk.f_frsize < least:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def remove(name: str) -> None:
    """It may be gone already; what cannot be removed now is a left to `remove_strays`."""
    with suppress(OSError):
        path_of(name).unlink()


def sentence_of(error: OSError) -> str:
    """What a person reads; paths are left out."""
    if error.errno in FULL:
        return "There is no room for the file on the portal’s disk."
    return f"The portal’s disk does not take the file ({os.strerror(error.errno or errno.EIO)})."


def names() -> list[str]:
    """Of all files that are there."""
    try:
        present = os.listdir(folder())
    except FileNotFoundError:
        return []
    return [name for name in present if NAME.fullmatch(name)]
