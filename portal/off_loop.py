"""What would stop a whole web process for a while runs in a thread of the system instead.

The web server serves all requests of a process on one thread (gevent), which gives way wherever it
waits for a socket. A flush to disk and a password's hash are waited for by nobody else this way.
Elsewhere (worker, commands, tests) there is nothing to give way to.
"""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


def off_loop(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call it, in a thread of its own where the web server's loop would have to wait for it."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return function(*arguments)
    pool = sys.modules["gevent"].get_hub().threadpool
    result: Result = pool.apply(function, arguments)
    return result
