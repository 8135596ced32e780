"""All of the serving plane in one run: G1 to G5 and G16 of docs/performance.md.

`python -m bench.serving [--seconds 2] [--rounds 3]`; about four minutes. See bench/README.md.
"""

from __future__ import annotations

import argparse

from bench import memory, prompt_path, slow_streams


def main() -> None:
    """The prompt path, a thousand slow streams, and the weight of everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=1_000)
    chosen = parser.parse_args()
    prompt_path.measure(chosen.rounds, chosen.seconds)
    slow_streams.compare(chosen.streams, 20)
    print("\nEverything that `make run` starts, idle")
    memory.weigh(5.0)


if __name__ == "__main__":
    main()
