"""``python -m benchmarks``: every benchmark, one after the other. Each also runs on its own."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("startup", "client")


def main() -> int:
    codes = [subprocess.call([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]]) for name in BENCHMARKS]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
