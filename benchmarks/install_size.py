"""What gatewise takes on disk with all that it pulls: `python benchmarks/install_size.py [--most MB]`.

Run it with the Python of an environment into which `pip install gatewise` was just made; pip itself is not counted.
Out: each package, the largest first, as `du` counts it, compiled bytecode included, in MB of a million bytes. With
`--most` it fails when they are more together.
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution


def pulled(name: str) -> set[str]:
    """The packages that this one needs without extras, itself included."""
    found: set[str] = set()
    pending = [name]
    while pending:
        package = pending.pop()
        if package in found:
            continue
        try:
            requires = distribution(package).requires or ()
        except PackageNotFoundError:  # needed on other systems only
            continue
        found.add(package)
        needed = [line for line in requires if "extra ==" not in line]
        pending += [re.split(r"[^\w.-]", line, maxsplit=1)[0].lower().replace("_", "-") for line in needed]
    return found


def megabytes(name: str) -> float:
    """On disk, each file once, in whole blocks."""
    files = {file.locate() for file in distribution(name).files or ()}
    return sum(file.stat().st_blocks * 512 for file in files if file.exists()) / 1e6


def main() -> None:
    """Print a table, the largest first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=float, default=float("inf"), help="MB that may not be passed")
    most = parser.parse_args().most
    sizes = {name: megabytes(name) for name in pulled("gatewise")}
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        print(f"{name:16} {distribution(name).version:14} {sizes[name]:7.1f} MB")
    total = sum(sizes.values())
    print(f"{'all':31} {total:7.1f} MB")
    if total > most:
        sys.exit(f"expected at most {most:g} MB, found {total:.1f}")


if __name__ == "__main__":
    main()
