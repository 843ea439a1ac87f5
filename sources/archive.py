"""Zip archives, weighed before anything is taken out of them."""

import io
import zipfile
import zlib

from features.errors import DataError

MOST_ENTRIES = 1_000
MOST_BYTES = 256 << 20
"""Inflated, all entries together."""

STEP = 1 << 20


def check_archive(data: bytes, name: str, *, most_bytes: int = MOST_BYTES, most_entries: int = MOST_ENTRIES) -> None:
    """Refuse an archive that would grow beyond `most_bytes`, by what it says and then by what really comes out.

    What an archive says of its sizes may be a lie, so every entry is inflated once, a megabyte at a time and kept nowhere.

    Raises
    ------
    DataError
        Naming the file, the rule and the size.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > most_entries:
                raise DataError(f"{name}: holds {len(entries)} entries; rule: at most {most_entries}")
            declared = sum(entry.file_size for entry in entries)
            if declared > most_bytes:
                raise DataError(f"{name}: would inflate from {len(data)} to {declared} bytes; rule: at most {most_bytes}; do not open it")
            total = 0
            for entry in entries:
                if entry.flag_bits & 0x1:
                    raise DataError(f"{name}: entry '{entry.filename}' is encrypted; save the file without a password")
                total = _weigh(archive, entry, name, total, most_bytes)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name}: the archive is damaged or cut off: {error}; download it again") from None


def _weigh(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, total: int, most_bytes: int) -> int:
    with archive.open(entry) as stream:
        while piece := stream.read(STEP):
            total += len(piece)
            if total > most_bytes:
                raise DataError(f"{name}: inflates beyond {most_bytes} bytes, though it says less; rule: at most that; do not open it")
    return total
