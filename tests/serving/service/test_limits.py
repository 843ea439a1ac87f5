import pytest

from serving.service.limits import Rate


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_burst_is_let_through_and_then_the_rate(clock):
    rate = Rate(60.0, 3.0, clock)
    assert [rate.wait_s("a") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert rate.wait_s("a") == pytest.approx(1.0)
    clock.now = 0.5
    assert rate.wait_s("a") == pytest.approx(0.5)
    clock.now = 1.0
    assert rate.wait_s("a") == 0.0
    assert rate.wait_s("a") == pytest.approx(1.0)


def test_one_does_not_wait_for_another(clock):
    rate = Rate(60.0, 1.0, clock)
    assert (rate.wait_s("a"), rate.wait_s("b")) == (0.0, 0.0)
    assert rate.wait_s("a") > 0


def test_no_more_than_a_burst_is_saved_up(clock):
    rate = Rate(6000.0, 2.0, clock)
    clock.now = 1e6
    assert [rate.wait_s("a") > 0 for _ in range(3)] == [False, False, True]
