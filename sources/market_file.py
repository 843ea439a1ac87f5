"""Market files: YAML read once, checked, and its root found."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from features.errors import DataError
from sources.spec import FilesSpec, SimulatedSpec, StoreSpec
from sources.yaml_file import expand, first_fault, read_yaml

KINDS: Mapping[str, type[FilesSpec] | type[SimulatedSpec] | type[StoreSpec]] = {
    "files": FilesSpec,
    "simulated": SimulatedSpec,
    "store": StoreSpec,
}


def read_spec(path: str | Path) -> FilesSpec | SimulatedSpec | StoreSpec:
    """Read and check a market file.

    Raises
    ------
    DataError
        Naming the file, the key, the rule and the known keys.
    """
    path = Path(path)
    tree = read_yaml(path, "market file")
    kind = tree.get("kind") if isinstance(tree, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        shown = repr(kind)[:40] if kind is None or isinstance(kind, str) else type(kind).__name__
        raise DataError(f"{path}: 'kind' is {shown}; rule: it is one of {', '.join(KINDS)}")
    try:
        spec: FilesSpec | SimulatedSpec | StoreSpec = TypeAdapter(KINDS[kind]).validate_python(tree)
    except ValidationError as error:
        raise DataError(f"{path}: {first_fault(error)}") from None
    return spec


def expand_root(root: str, beside: Path) -> Path:
    """Fill in environment variables; a relative root starts from the folder of the market file.

    Raises
    ------
    DataError
        Where a variable is not set, or the folder does not exist.
    """
    folder = beside / Path(expand(root, "root", "set it to the folder of your data, e.g. export {name}=/path/to/data")).expanduser()
    if not folder.is_dir():
        raise DataError(f"root '{root}': the folder '{folder}' does not exist")
    return folder.resolve()
