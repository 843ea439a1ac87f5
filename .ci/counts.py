"""Count what ran from pytest's own report; where the real market is at hand, none of its tests may have been skipped."""

import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main(report: Path) -> int:
    """Print the counts and judge them."""
    cases = list(ET.parse(report).getroot().iter("testcase"))
    real = [case for case in cases if any(prop.get("name") == "realdata" for prop in case.iter("property"))]
    skipped = [case for case in real if case.find("skipped") is not None]
    print(f"tests: {len(cases)}, skipped: {sum(case.find('skipped') is not None for case in cases)}")
    print(f"tests on the real market: {len(real)}, skipped: {len(skipped)}")
    if not cases:
        print("no test was run")
        return 1
    if not os.environ.get("APPETITE_DATA"):
        print("APPETITE_DATA is not set: the real market was not asked for")
        return 0
    if not real:
        print("APPETITE_DATA is set, yet no test on the real market was run")
    for case in skipped:
        print(f"must not be skipped: {case.get('classname')}::{case.get('name')}: {case.find('skipped').get('message')}")
    return int(not real or bool(skipped))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
