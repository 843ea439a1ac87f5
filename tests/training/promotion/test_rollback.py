import pytest
from click.testing import CliRunner

import appetite
from tests.training.promotion.test_promote import RULES, champion, registry
from training.errors import JobError
from training.promotion.promote import promote_version
from training.promotion.reigns import Reign, reigns, succeed
from training.promotion.rollback import roll_back

__all__ = ["registry"]


def test_rollback_gives_the_alias_back_and_leaves_the_reason(registry):
    client, _ = registry
    promote_version("2", RULES)
    done = roll_back("flows were counted twice")
    assert (done.champion, done.taken_back, champion(client)) == ("1", "2", "1")
    taken, again = (client.get_model_version("appetite", version).tags for version in "21")
    assert taken["rolled_back"].endswith("Z: flows were counted twice")
    assert again["promotion"] == "rolled back to, from version 2: flows were counted twice"
    assert not done.labels.failed


def test_version_that_was_taken_back_is_not_promoted_again_until_the_tag_is_gone(registry):
    client, _ = registry
    promote_version("2", RULES)
    roll_back("wrong")
    refused = promote_version("2", RULES)
    assert not refused.promoted
    for word in ("rolled back", "wrong", "take the tag 'rolled_back' off"):
        assert word in refused.reason
    client.delete_model_version_tag("appetite", "2", "rolled_back")
    assert promote_version("2", RULES).promoted


def test_dry_run_of_a_rollback_moves_nothing(registry):
    client, _ = registry
    promote_version("2", RULES)
    before = client.get_model_version("appetite", "2").tags
    done = roll_back("to see", dry_run=True)
    assert (done.champion, done.labels, champion(client)) == ("1", None, "2")
    assert client.get_model_version("appetite", "2").tags == before


def test_labels_say_that_the_version_was_taken_back(registry):
    client, _ = registry
    promote_version("1", RULES)
    promote_version("2", RULES)

    def listed() -> str:
        done = CliRunner().invoke(appetite.main, ["labels"])
        assert done.exit_code == 0, done.stderr
        return " ".join(done.stdout.split())

    assert "taken back" not in listed()
    roll_back("flows were counted twice")
    why = client.get_model_version("appetite", "2").tags["rolled_back"]
    assert f"version 2 was taken back ({why}); what it published stays" in listed()


def test_labels_of_a_market_that_nothing_is_published_of_end_with_one_line(registry):
    promote_version("1", RULES)
    for words in (["labels"], ["labels", "--verify"], ["labels", "--json"]):
        done = CliRunner().invoke(appetite.main, [*words, "--market", "nope"])
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert "of a market 'nope'" in done.stderr


def test_rollback_names_what_it_cannot_do(registry):
    client, _ = registry
    with pytest.raises(JobError, match=r"no champion before version 1 is left; rule: .*\(none\)"):
        roll_back("first")
    promote_version("2", RULES)
    with pytest.raises(JobError, match=r"version 7 was never champion; rule: .*\(1\)"):
        roll_back("other", "7")
    with pytest.raises(JobError, match="version 2 is the champion already"):
        roll_back("other", "2")
    with pytest.raises(JobError, match="needs a reason"):
        roll_back("  ")
    roll_back("wrong")
    with pytest.raises(JobError, match="no champion before version 1 is left"):  # 2 was taken back itself
        roll_back("again")
    client.delete_registered_model_alias("appetite", "champion")
    with pytest.raises(JobError, match="no champion to roll back from"):
        roll_back("nothing")


def test_reigns_are_kept_in_order(registry):
    client, _ = registry
    succeed(client, "1", "2", "2025-01-01T00:00:00Z")  # 1 was champion before reigns were written
    succeed(client, "2", "1", "2025-02-01T00:00:00Z")
    succeed(client, "1", "2", "2025-03-01T00:00:00Z")
    assert reigns(client) == [
        Reign("1", "", "2025-01-01T00:00:00Z"),
        Reign("2", "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z"),
        Reign("1", "2025-02-01T00:00:00Z", "2025-03-01T00:00:00Z"),
        Reign("2", "2025-03-01T00:00:00Z", None),
    ]
