import pytest

from serving.errors import ServingError
from serving.service.config import load_config
from serving.service.settings import ServeConfig
from tests.conftest import ROOT


def test_shipped_file_is_what_holds_without_one():
    assert load_config(ROOT / "conf" / "serve.yaml") == ServeConfig()


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("desk", False)],
)
def test_loopback_is_known(host, own):
    assert ServeConfig(host=host).on_loopback is own


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port: 99999", "port: .*less than or equal to 65535"),
        ("prot: 1", "prot: Extra inputs"),
        ("limits: {rows: 0}", "limits.rows: .*greater than 0"),
        ("watch_s: .inf", "watch_s: .*finite"),
        ("model: ../x", "model: .*pattern"),
        ("- a", "must be a mapping"),
    ],
)
def test_settings_that_break_a_rule_are_named(tmp_path, text, said):
    path = tmp_path / "serve.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ServingError, match=said):
        load_config(path)
