"""How the service runs."""

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

TOKENS, STORE, MODELS, LAST = "tokens.json", "service.db", "models", "last.json"
"""Files in the folder of the state."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Asked(BaseModel):
    """What a request may take, and how many a token may make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    body_bytes: Annotated[int, Field(gt=0)] = 2_000_000
    rows: Annotated[int, Field(gt=0)] = 10_000
    timeout_s: Positive = 30.0
    per_minute: Positive = 6000.0
    burst: Annotated[float, Field(ge=1)] = 600.0


class ServeConfig(BaseModel):
    """Settings of the service.

    Attributes
    ----------
    model, alias : what is served, as the registry has it
    host, port : where; port 0 takes a free one
    workers : processes that answer
    state : folder of what is kept
    watch_s : seconds between looks at the registry
    start_s : seconds in which a version must be ready to take over
    drain_s : seconds that requests in flight get when a worker goes
    limits : of requests
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "appetite"
    alias: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "champion"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8765
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    state: Path = Path("service")
    watch_s: Positive = 10.0
    start_s: Positive = 120.0
    drain_s: Positive = 30.0
    limits: Asked = Asked()

    @property
    def on_loopback(self) -> bool:
        """Whether it can be reached from this machine alone."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
