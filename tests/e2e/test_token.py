"""Tokens through the command line: shown once, listed without them, revoked; faults end with 2."""

import json

import pytest
import yaml
from click.testing import CliRunner

from appetite import main
from serving.service.settings import TOKENS
from serving.service.tokens import TokenFile, holder


@pytest.fixture
def word(tmp_path):
    config = tmp_path / "serve.yaml"
    config.write_text(yaml.safe_dump({"state": str(tmp_path / "state")}), encoding="utf-8")
    return lambda *words: CliRunner().invoke(main, ["token", *words, "--config", str(config)])


def test_token_is_shown_once_and_opens_until_it_is_revoked(word, tmp_path):
    secret = word("add", "desk", "--role", "read").stdout.strip()
    tokens = TokenFile(tmp_path / "state" / TOKENS).read()
    assert holder(tokens, secret).name == "desk"
    told = json.loads(word("list", "--json").stdout)
    assert [(each["name"], each["role"]) for each in told] == [("desk", "read")]
    assert secret not in word("list").stdout
    assert word("revoke", "desk").stdout == "revoked: desk\n"
    assert holder(TokenFile(tmp_path / "state" / TOKENS).read(), secret) is None
    assert word("list").stdout == "there is none\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "a b"), "token name 'a b'; rule"),
        (("add", "desk", "--role", "admin"), "role 'admin'; rule: one of read, write"),
        (("revoke", "desk"), "token 'desk' is not there; there are: none"),
    ],
)
def test_faults_end_with_two(word, words, said):
    done = word(*words)
    assert done.exit_code == 2
    assert said in done.stderr
