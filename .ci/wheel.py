"""The wheel holds every file of the packages, the front door and its command, and nothing else."""

import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def expected(root: Path) -> set[str]:
    """Names that the wheel must hold, its own metadata aside."""
    setuptools = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]
    tops = {package.split(".")[0] for package in setuptools["packages"]}
    files = {path for top in tops for path in (root / top).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    return {path.relative_to(root).as_posix() for path in files} | {f"{module}.py" for module in setuptools["py-modules"]}


def main(wheel: Path) -> int:
    """Compare and report."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = {name.rpartition("/")[2]: name for name in archive.namelist() if ".dist-info/" in name}
        commands = archive.read(metadata["entry_points.txt"]).decode()
        about = archive.read(metadata["METADATA"]).decode()
    wanted = expected(ROOT)
    found = [f"missing: {name}" for name in sorted(wanted - held)] + [f"not asked for: {name}" for name in sorted(held - wanted)]
    if "appetite = appetite:main" not in commands:
        found.append("missing: the command appetite")
    if "Classifier: Private :: Do Not Upload" not in about:
        found.append("missing: the classifier that keeps it from a public index")
    print("\n".join(found) if found else f"{wheel.name}: {len(held)} files, as they should be")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
