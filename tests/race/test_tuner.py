"""Laws of the tuner: seeded, bounded, never one-sided, and led by what hit."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mailrace.model.operation import Delete, Message, Read, Send
from mailrace.race.tuner import DECOYS, Draw, Tuner

SEED = st.integers(0, 2**31)


def draws(tuner: Tuner, count: int, hit: object = None) -> list[Draw]:
    """So many draws, each learnt from: `hit(draw)` says whether it showed the race."""
    made = []
    for _ in range(count):
        made.append(tuner.draw())
        if callable(hit):
            tuner.learn(made[-1], hit=bool(hit(made[-1])))
    return made


@given(SEED)
@settings(max_examples=20)
def test_the_same_seed_and_the_same_hits_draw_the_same_rounds(seed: int) -> None:
    assert draws(Tuner(seed), 30, lambda d: d.arm % 2) == draws(Tuner(seed), 30, lambda d: d.arm % 2)


@given(SEED)
@settings(max_examples=20)
def test_another_seed_draws_other_rounds(seed: int) -> None:
    assert draws(Tuner(seed), 5) != draws(Tuner(seed + 1), 5)


@given(SEED, st.floats(-500, 0), st.floats(1, 500))
@settings(max_examples=30)
def test_offsets_stay_in_their_range(seed: int, low: float, width: float) -> None:
    for draw in draws(Tuner(seed, (low, low + width)), 20, lambda d: d.shift_us > 0):
        assert low - 1e-9 <= draw.shift_us <= low + width + 1e-9
        assert len(draw.jitter) == 64
        assert all(-1 <= j <= 1 for j in draw.jitter)
        assert draw.decoys in (0, DECOYS)


def test_a_range_of_one_value_is_that_value() -> None:
    assert {draw.shift_us for draw in draws(Tuner(1, (70.0, 70.0)), 20)} == {70.0}


def test_before_anything_is_learnt_every_offset_is_drawn_and_half_have_decoys() -> None:
    made = draws(Tuner(5), 900)
    by_arm = Counter(draw.arm for draw in made)
    assert sorted(by_arm) == list(range(9))
    assert min(by_arm.values()) > 50, "100 expected of each, standard deviation 9"
    # 450 expected, standard deviation 15.
    assert 375 < sum(draw.decoys > 0 for draw in made) < 525
    assert min(draw.shift_us for draw in made) < -400
    assert max(draw.shift_us for draw in made) > 400


def test_parallel_senders_begin_at_a_common_release_and_leave_it_if_it_misses() -> None:
    first = draws(Tuner(5, is_one_party=True), 50)
    assert Counter(draw.arm for draw in first).most_common(1)[0][0] == 4
    later = draws(Tuner(5, is_one_party=True), 400, lambda draw: draw.arm == 7)[-100:]
    assert Counter(draw.arm for draw in later).most_common(1)[0][0] == 7


def test_where_nothing_hits_every_offset_is_drawn_about_as_often() -> None:
    by_arm = Counter(draw.arm for draw in draws(Tuner(5), 1_800, lambda draw: False))
    # 200 expected of each; those that missed less than others are drawn until they have missed as much.
    assert 140 < min(by_arm[arm] for arm in range(9)) <= max(by_arm.values()) < 260


@pytest.mark.parametrize("favourite", [True, False])
def test_decoys_run_in_one_round_of_ten_at_least_and_are_left_out_of_one_in_ten(favourite: bool) -> None:
    made = draws(Tuner(3), 2_000, lambda draw: (draw.decoys > 0) is favourite)
    with_decoys = sum(draw.decoys > 0 for draw in made)
    rarer = min(with_decoys, len(made) - with_decoys)
    assert (with_decoys > 1_000) is favourite
    # A coin in 2/10 of the rounds gives 200 of either kind at least, standard deviation 13.4.
    assert 135 < rarer < 400


@pytest.mark.parametrize("best", [0, 4, 8])
def test_it_goes_to_where_it_hits(best: int) -> None:
    made = draws(Tuner(11), 600, lambda draw: draw.arm == best)
    late = Counter(draw.arm for draw in made[300:])
    assert late[best] > 150, "half of the later rounds; an even draw gives 33"


def test_it_follows_a_window_that_drifts() -> None:
    tuner = Tuner(2)
    draws(tuner, 400, lambda draw: draw.arm == 1)
    late = Counter(draw.arm for draw in draws(tuner, 800, lambda draw: draw.arm == 7)[500:])
    assert late.most_common(1)[0][0] == 7


def test_a_recorded_round_is_drawn_as_it_was() -> None:
    drawn = draws(Tuner(1, None, ((0.0, 25.0, -70.0), 2)), 3, lambda draw: True)
    assert {draw.offsets_us(SENDS[:3]) for draw in drawn} == {(0.0, 25.0, -70.0)}
    assert {draw.decoys for draw in drawn} == {2}


def mail(key: str) -> Message:
    return Message(key=key, domain="x.test", message_id=key, to=("a@x.test",))


SENDS = tuple(Send(key=f"send.{i}", message=mail(str(i))) for i in range(4))


def test_the_second_party_is_the_operations_of_another_kind() -> None:
    draw = Draw(shift_us=400.0, jitter=(0.0,) * 64, decoys=0, arm=0)
    mixed = (SENDS[0], Delete(key="d", messages=("g",)), SENDS[1], Read(key="r", path="/", times=1))
    assert draw.offsets_us(mixed) == (0.0, 400.0, 0.0, 400.0)
    by_rest = Send(key="send.9", message=mail("9"), via="rest")
    assert draw.offsets_us((SENDS[0], by_rest)) == (0.0, 400.0)


def test_of_parallel_senders_the_second_half_is_the_second_party() -> None:
    draw = Draw(shift_us=-90.0, jitter=(0.0,) * 64, decoys=0, arm=0)
    assert draw.offsets_us(SENDS) == (0.0, 0.0, -90.0, -90.0)
    assert draw.offsets_us(SENDS[:3]) == (0.0, 0.0, -90.0)


@given(SEED)
@settings(max_examples=20)
def test_jitter_spreads_a_party_by_a_quarter_of_the_shift_and_20_us_at_most(seed: int) -> None:
    draw = Tuner(seed).draw()
    offsets = draw.offsets_us(SENDS)
    limit = min(20.0, abs(draw.shift_us) / 4)
    assert all(abs(offset) <= limit for offset in offsets[:2])
    assert all(abs(offset - draw.shift_us) <= limit + 1e-9 for offset in offsets[2:])
    assert all(a != b for a, b in pairwise(offsets)), "nobody shares an instant"
