"""YAML files written by hand: read once, with faults in words."""

import difflib
import os
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from features.errors import DataError
from sources.strict import NAMES

MERGE = "tag:yaml.org,2002:merge"
MOST_BYTES = 1 << 20
"""Nobody writes more by hand."""

VARIABLE = re.compile(r"\$\{(\w+)\}")


class OneKey(yaml.SafeLoader):
    """YAML in which a key that is there twice is an error and not the last one's value, and so is a date that is none."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Read a mapping, refusing a key that comes again."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != MERGE]
        twice = [key for i, key in enumerate(keys) if key in keys[:i]]
        if twice:
            raise yaml.MarkedYAMLError(problem=f"key '{twice[0]}' is there twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep=deep)

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        """Read a date, naming the place of one that no calendar has."""
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError as error:
            raise yaml.MarkedYAMLError(problem=f"'{node.value}' is no date ({error})", problem_mark=node.start_mark) from None


OneKey.add_constructor("tag:yaml.org,2002:timestamp", OneKey.construct_yaml_timestamp)


def read_yaml(path: Path, what: str) -> Any:
    """Read a file.

    Parameters
    ----------
    path : Path
    what : what the file is, for error texts

    Raises
    ------
    DataError
        Where it does not exist, is too large, or no YAML.
    """
    if not path.is_file():
        raise DataError(f"{what} '{path}' {_why_not(path)}")
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path}: has {path.stat().st_size} bytes; rule: a {what} has at most {MOST_BYTES}")
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=OneKey)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: this is no YAML: {' '.join(str(error).split())}") from None


def _why_not(path: Path) -> str:
    if path.is_dir():
        return "is a folder; name the YAML file in it"
    if path.exists():
        return "is no file"
    there = [str(each) for each in sorted(path.parent.glob("*.y*ml"))] if path.parent.is_dir() else []
    near = difflib.get_close_matches(str(path), there, n=1)
    return f"does not exist; did you mean '{near[0]}'?" if near else "does not exist"


def expand(text: str, key: str, way_out: str) -> str:
    """Fill in environment variables, written `${NAME}`.

    Parameters
    ----------
    text : value of `key`
    way_out : what to set a variable to that is not set; `{name}` stands for it

    Raises
    ------
    DataError
        Where a variable is not set.
    """
    for name in VARIABLE.findall(text):
        if not os.environ.get(name):
            raise DataError(f"{key} '{text}': the environment variable {name} is not set; {way_out.format(name=name)}")
    return VARIABLE.sub(lambda match: os.environ[match[1]], text)


def first_fault(error: ValidationError) -> str:
    """Put the first fault of a file into words."""
    one = error.errors()[0]
    place = ".".join(str(part) for part in one["loc"] if not str(part).startswith(NAMES)) or "the file"
    more = f" ({error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place}: {one['msg'].removeprefix('Value error, ')}{more}"
