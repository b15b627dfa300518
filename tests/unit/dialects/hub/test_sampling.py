from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.hub.conversation import Sampling
from trunkline.dialects.hub.sampling import fitted, left_out

NAMES = ("temperature", "top_p", "top_k")
ASKED = st.builds(
    Sampling,
    temperature=st.none() | st.floats(0, 2),
    top_p=st.none() | st.floats(0, 1),
    top_k=st.none() | st.integers(0, 100),
)


def every(_name: str) -> bool:
    return True


def test_a_temperature_rules_out_top_p_and_is_at_most_one() -> None:
    asked = Sampling(temperature=1.7, top_p=0.5, top_k=3, seed=1)
    sent = fitted(asked, every, thinks=False)
    assert sent == Sampling(temperature=1.0, top_k=3)
    assert left_out(asked, sent) == {"top_p"}


def test_top_p_stands_in_for_a_temperature_that_the_endpoint_lacks() -> None:
    sent = fitted(Sampling(temperature=0.7, top_p=0.5), lambda name: name != "temperature", thinks=False)
    assert sent == Sampling(top_p=0.5)


def test_a_model_that_thinks_takes_nothing_but_a_top_p_near_one() -> None:
    asked = Sampling(temperature=0.7, top_p=0.96, top_k=3)
    assert fitted(asked, every, thinks=True) == Sampling()
    kept = fitted(asked, every, thinks=True, least_top_p=0.95)
    assert kept == Sampling(top_p=0.96)
    assert left_out(asked, kept) == {"temperature", "top_k"}


def test_a_top_k_of_nothing_is_no_wish() -> None:
    assert left_out(Sampling(top_k=0), fitted(Sampling(top_k=0), every, thinks=True)) == frozenset()


@given(ASKED, st.booleans(), st.sampled_from([0.95, 2.0]))
def test_what_was_asked_for_is_sent_or_named(asked: Sampling, thinks: bool, least: float) -> None:
    sent = fitted(asked, every, thinks=thinks, least_top_p=least)
    named = left_out(asked, sent)
    wished = {name for name in NAMES if getattr(asked, name) is not None and (name != "top_k" or asked.top_k)}
    assert {name for name in NAMES if getattr(sent, name) is not None} == wished - named
