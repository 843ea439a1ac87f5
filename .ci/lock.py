"""The locks pin what pyproject.toml asks for, name no address or path, and python_env.yaml lists the same.

`python .ci/lock.py` checks; with `--write` it writes python_env.yaml from requirements.lock first.
"""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
RUN, DEV = "requirements.lock", "requirements-dev.lock"
HEAD = """\
# Written by `make lock` from requirements.lock; the project itself is never listed: it runs from the folder it lies in.
python: "3.11"
build_dependencies: []
dependencies:
"""


def environment(lock: str) -> str:
    """Text of python_env.yaml for a lock."""
    return HEAD + "".join(f"  - {line}\n" for line in lock.splitlines())


def pins(lock: str) -> tuple[dict[str, set[str]], list[str]]:
    """Pinned versions by canonical name, and the lines that are no plain pin."""
    versions: dict[str, set[str]] = {}
    wrong = []
    for line in lock.splitlines():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            wrong.append(line)
            continue
        pin = re.fullmatch(r"==([^*,]+)", str(requirement.specifier))
        if requirement.url or pin is None:
            wrong.append(line)
        else:
            versions.setdefault(canonicalize_name(requirement.name), set()).add(pin[1])
    return versions, wrong


def unmet(wanted: list[str], versions: dict[str, set[str]]) -> list[str]:
    """Requirements that a lock does not hold, or holds in a version out of range."""
    missing = []
    for text in wanted:
        requirement = Requirement(text)
        held = versions.get(canonicalize_name(requirement.name), set())
        if not held or not all(requirement.specifier.contains(version, prereleases=True) for version in held):
            missing.append(f"{text} (locked: {', '.join(sorted(held)) or 'not at all'})")
    return missing


def faults(root: Path) -> list[str]:
    """Everything wrong with the locks of a checkout, one sentence each."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    locks = {name: (root / name).read_text() for name in (RUN, DEV)}
    wanted = {RUN: project["dependencies"], DEV: project["dependencies"] + project["optional-dependencies"]["dev"]}
    found = []
    for name, text in locks.items():
        versions, wrong = pins(text)
        found += [f"{name}: '{line}' is no plain pin name==version" for line in wrong]
        found += [f"{name}: pyproject.toml asks for {line}" for line in unmet(wanted[name], versions)]
    run, dev = pins(locks[RUN])[0], pins(locks[DEV])[0]
    found += [f"{DEV}: does not pin {name} as {RUN} does" for name in run if run[name] != dev.get(name)]
    if (root / "python_env.yaml").read_text() != environment(locks[RUN]):
        found.append(f"python_env.yaml: differs from {RUN}")
    return found


def main() -> int:
    """Write where asked, then check."""
    if "--write" in sys.argv[1:]:
        (ROOT / "python_env.yaml").write_text(environment((ROOT / RUN).read_text()))
    found = faults(ROOT)
    print("\n".join([*found, "make lock resolves them anew"]) if found else "locks: as pyproject.toml asks")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
