import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.errors import ServingError
from serving.service.tokens import READ, WRITE, TokenFile, digest, holder


@pytest.fixture
def file(tmp_path):
    return TokenFile(tmp_path / "state" / "tokens.json")


def test_token_is_found_by_its_secret_alone(file):
    reader, writer = file.add("desk", READ), file.add("feed", WRITE)
    tokens = file.read()
    assert (holder(tokens, reader).name, holder(tokens, writer).name) == ("desk", "feed")
    assert [each.writes for each in tokens] == [False, True]
    assert [holder(tokens, wrong) for wrong in ("", reader[:-1], reader + "x", digest(reader), "desk", "\udcff")] == [None] * 6
    assert holder((), reader) is None


def test_file_holds_no_secret_and_is_its_owners_alone(file):
    secret = file.add("desk", READ)
    assert secret not in file.path.read_text()
    assert len(secret) >= 43
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    file.path.chmod(0o640)
    with pytest.raises(ServingError, match=r"others may read them \(mode 640\); rule: 600"):
        file.read()


def test_revoked_token_opens_nothing(file):
    secret = file.add("desk", READ)
    file.add("other", READ)
    file.revoke("desk")
    assert holder(file.read(), secret) is None
    with pytest.raises(ServingError, match="token 'desk' is not there; there are: other"):
        file.revoke("desk")


@pytest.mark.parametrize(
    ("name", "role", "said"),
    [("", READ, "token name ''"), ("a b", READ, "rule: up to 64"), ("../x", READ, "token name"), ("desk", "admin", "one of read, write")],
)
def test_names_and_roles_are_checked(file, name, role, said):
    with pytest.raises(ServingError, match=said):
        file.add(name, role)
    assert file.read() == ()


def test_name_is_given_once(file):
    file.add("desk", READ)
    with pytest.raises(ServingError, match="'desk' is there already"):
        file.add("desk", WRITE)


def test_two_that_add_at_once_both_stay(file):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: file.add(f"desk-{k}", READ), range(8)))
    assert sorted(each.name for each in file.read()) == [f"desk-{k}" for k in range(8)]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 2, "tokens": []}', '{"format": 1, "tokens": [{"name": "a"}]}', '{"format": 1, "tokens": 5}']
    + [
        json.dumps({"format": 1, "tokens": [{"name": "a", "role": role, "sha256": kept, "created": ""}]})
        for role, kept in (("x", "0" * 64), ("read", "0"))
    ],
)
def test_file_that_is_none_is_refused(file, text):
    file.path.parent.mkdir()
    file.path.write_text(text)
    file.path.chmod(0o600)
    with pytest.raises(ServingError, match="no file of tokens of format 1"):
        file.read()
