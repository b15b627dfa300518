from trunkline.catalogue import router_rows
from trunkline.catalogue.vocabulary import TOKENIZERS
from trunkline.protocol.catalogue import Model


def test_routers_have_the_context_of_the_largest_model() -> None:
    models = [Model(id=f"a/{size}", name="", author="a", canonical_slug="", created=1, context_length=size) for size in (10, 30, 20)]
    rows = router_rows.rows(models)
    assert set(rows) == router_rows.SLUGS
    assert {row.context_length for row in rows.values()} == {30}
    assert {row.tokenizer for row in rows.values()} <= TOKENIZERS
    assert router_rows.rows([])[router_rows.AUTO].context_length is None


def test_the_kinds_of_routers_are_routers() -> None:
    assert router_rows.FREE_OF_CHARGE | router_rows.SELF_MADE <= router_rows.SLUGS
