"""Market files: YAML read once, checked, and its root found."""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from features.errors import DataError
from sources.spec import FilesSpec, SimulatedSpec, StoreSpec
from sources.strict import NAMES

MERGE = "tag:yaml.org,2002:merge"
KINDS: Mapping[str, type[FilesSpec] | type[SimulatedSpec] | type[StoreSpec]] = {
    "files": FilesSpec,
    "simulated": SimulatedSpec,
    "store": StoreSpec,
}
MOST_BYTES = 1 << 20
"""A market file is written by hand."""

VARIABLE = re.compile(r"\$\{(\w+)\}")


class OneKey(yaml.SafeLoader):
    """YAML in which a key that is there twice is an error and not the last one's value."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Read a mapping, refusing a key that comes again."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != MERGE]
        twice = [key for i, key in enumerate(keys) if key in keys[:i]]
        if twice:
            raise yaml.MarkedYAMLError(problem=f"key '{twice[0]}' is there twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep=deep)


def read_spec(path: str | Path) -> FilesSpec | SimulatedSpec | StoreSpec:
    """Read and check a market file.

    Raises
    ------
    DataError
        Naming the file, the key, the rule and the known keys.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"market file '{path}' {_why_not(path)}")
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path}: has {path.stat().st_size} bytes; rule: a market file has at most {MOST_BYTES}")
    try:
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader=OneKey)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: this is no YAML: {' '.join(str(error).split())}") from None
    kind = tree.get("kind") if isinstance(tree, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        shown = repr(kind)[:40] if kind is None or isinstance(kind, str) else type(kind).__name__
        raise DataError(f"{path}: 'kind' is {shown}; rule: it is one of {', '.join(KINDS)}")
    try:
        spec: FilesSpec | SimulatedSpec | StoreSpec = TypeAdapter(KINDS[kind]).validate_python(tree)
    except ValidationError as error:
        raise DataError(f"{path}: {_first(error)}") from None
    return spec


def _why_not(path: Path) -> str:
    if path.is_dir():
        return "is a folder; name the YAML file in it"
    if path.exists():
        return "is no file"
    there = [str(each) for each in sorted(path.parent.glob("*.y*ml"))] if path.parent.is_dir() else []
    near = difflib.get_close_matches(str(path), there, n=1)
    return f"does not exist; did you mean '{near[0]}'?" if near else "does not exist"


def expand_root(root: str, beside: Path) -> Path:
    """Fill in environment variables; a relative root starts from the folder of the market file.

    Raises
    ------
    DataError
        Where a variable is not set, or the folder does not exist.
    """
    for name in VARIABLE.findall(root):
        if not os.environ.get(name):
            way_out = f"set it to the folder of your data, e.g. export {name}=/path/to/data"
            raise DataError(f"root '{root}': the environment variable {name} is not set; {way_out}")
    folder = beside / Path(VARIABLE.sub(lambda match: os.environ[match[1]], root)).expanduser()
    if not folder.is_dir():
        raise DataError(f"root '{root}': the folder '{folder}' does not exist")
    return folder.resolve()


def _first(error: ValidationError) -> str:
    one = error.errors()[0]
    place = ".".join(str(part) for part in one["loc"] if not str(part).startswith(NAMES)) or "the file"
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place}: {one['msg'].removeprefix('Value error, ')}{more}"
