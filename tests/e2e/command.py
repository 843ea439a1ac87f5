"""Running the program as a user does: another process, a folder and a store of its own."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from click.testing import CliRunner, Result

import appetite
from tests.store import import_mlflow, working_in

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "conf" / "promote.yaml"
MLFLOW_OWN = ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")


@dataclass(frozen=True)
class Desk:
    """A folder that is no part of the project, with a small market, a config and a store."""

    folder: Path

    @property
    def market(self) -> Path:
        return self.folder / "market.yaml"

    @property
    def config(self) -> Path:
        return self.folder / "train.yaml"

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.folder / 'mlflow.db'}"

    def environment(self, *, code: bool = True, **more: str) -> dict[str, str]:
        """Environment of a command; without `code` the project is not put on the path."""
        out = {k: v for k, v in os.environ.items() if k not in (*MLFLOW_OWN, "PYTHONPATH")}
        out |= {"MLFLOW_TRACKING_URI": self.uri, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{out['PATH']}"}
        return out | ({"PYTHONPATH": str(ROOT)} if code else {}) | more

    def start(self, *words: object, **options: object) -> subprocess.Popen[str]:
        """Start `appetite` and do not wait for it."""
        command = [sys.executable, "-m", "appetite", *map(str, words)]
        return subprocess.Popen(
            command, cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
        )

    def run(self, *words: object, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `appetite` to its end; `variables` of the environment besides the desk's own."""
        command = [sys.executable, "-m", "appetite", *map(str, words)]
        environment = self.environment(**variables)
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=600)

    def invoke(self, *words: object, **variables: str) -> Result:
        """Run `appetite` in this process: less real than `run`, and seconds faster."""
        with working_in(self.folder, self.uri):
            return CliRunner().invoke(appetite.main, [str(word) for word in words], env=variables)

    def study(self) -> tuple[str, ...]:
        """Words that name this desk's market and config."""
        return ("--market", str(self.market), "--config", str(self.config))

    def client(self):
        """MLflow's client on this desk's store."""
        import_mlflow()
        from mlflow import MlflowClient

        return MlflowClient(self.uri, self.uri)

    def runs(self) -> list:
        """All runs of the store, newest first."""
        client = self.client()
        return list(client.search_runs([each.experiment_id for each in client.search_experiments()]))


def make_desk(folder: Path, store: Path | None = None) -> Desk:
    """Lay out a desk; `store` is an empty database to begin with, which saves making one."""
    folder.mkdir(parents=True, exist_ok=True)
    desk = Desk(folder)
    desk.market.write_text("kind: simulated\nyears: 8\nn_stocks: 40\n", encoding="utf-8")
    desk.config.write_text(yaml.safe_dump(small_config()), encoding="utf-8")
    if store is not None:
        shutil.copy(store, folder / "mlflow.db")
    return desk


def small_config() -> dict:
    """Shrink the project's own config to seconds."""
    tree = yaml.safe_load((ROOT / "conf" / "train.yaml").read_text(encoding="utf-8"))
    tree |= {"assets": ["BTC", "ALT"], "horizons": [5, 21]}
    tree["regime"] |= {"bootstrap": 10, "evidence": 4, "n_init": 2}
    tree["forecast"]["min_rows"] = 250
    tree["walk"] |= {"min_history": 504, "refit_every": 126}
    return tree
