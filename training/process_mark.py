"""A name for a process that no later one has."""

import socket
import subprocess
from pathlib import Path


def process_mark(pid: int) -> str:
    """Name a process by host, number and start time: a number alone is given out again."""
    try:
        started = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        started = _started_elsewhere(pid)
    return f"{socket.gethostname()} {pid} {started}"


def _started_elsewhere(pid: int) -> str:
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip().replace(" ", "_") or "gone"
