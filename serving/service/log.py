"""What the service logs: a JSON object a line on standard error, without tokens and without what was sent."""

import datetime
import json
import sys
from typing import Any


def log(event: str, **known: Any) -> None:
    """Write one line."""
    line = {"at": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"), "event": event} | known
    sys.stderr.write(json.dumps(line, default=str) + "\n")
    sys.stderr.flush()
