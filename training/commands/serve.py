"""`serve`: the champion over HTTP."""

import os
from pathlib import Path

import click

from training.commands.answers import show
from training.commands.faults import told

SERVE = "conf/serve.yaml"


@click.command()
@click.option("--config", default=SERVE, show_default=True, type=click.Path(path_type=Path), help="File of the service.")
@click.option("--host", default=None, help="Address, if not as configured.")
@click.option("--port", default=None, type=click.IntRange(0, 65535), help="Port, if not as configured; 0 takes a free one.")
@click.option("--no-auth", is_flag=True, help="Ask for no token; on loopback alone.")
def serve(config: Path, host: str | None, port: int | None, no_auth: bool) -> None:
    """Answer over HTTP with the champion; a new one takes over without a pause once it has shown that it answers rightly."""
    with told("requests in flight were answered"):
        from serving.service.config import load_config
        from serving.service.log import log
        from serving.service.supervisor import Supervisor, check_address, listen
        from training.tracking import tracking_uri

        asked = {"host": host, "port": port}
        settings = load_config(config).model_copy(update={name: value for name, value in asked.items() if value is not None})
        settings = settings.model_copy(update={"state": settings.state.absolute()})
        check_address(settings, not no_auth)
        settings.state.mkdir(parents=True, exist_ok=True)
        os.environ["MLFLOW_TRACKING_URI"] = tracking_uri()  # for the workers
        listening = listen(settings)
        show(f"http://{settings.host}:{listening.getsockname()[1]}")
        raise SystemExit(Supervisor(settings, not no_auth, listening, log).run())
