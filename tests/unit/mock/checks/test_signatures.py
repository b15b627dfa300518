from trunkline.mock.checks.signatures import is_sealed, is_signed
from trunkline.mock.script import Answer, Rule, Scene
from trunkline.mock.seals import envelope, seal

SCENE = Scene(rules=(Rule(answer=Answer(signature="scripted")),))


def test_its_own_and_the_scripts_are_known() -> None:
    assert is_signed(SCENE, seal("t", kind="k"), "t", kind="k")
    assert is_signed(SCENE, "scripted", "anything", kind="k")
    assert is_sealed(SCENE, envelope("t", kind="k"), kind="k")
    assert is_sealed(SCENE, "scripted", kind="k")


def test_all_others_are_foreign() -> None:
    for signature, text in (("", "t"), ("foreign", "t"), (None, "t"), (seal("t", kind="k"), None), (seal("u", kind="k"), "t")):
        assert not is_signed(SCENE, signature, text, kind="k")
    assert not is_signed(Scene(realm="other"), seal("t", kind="k"), "t", kind="k")
    for data in ("", None, "foreign", envelope("t", kind="j")):
        assert not is_sealed(SCENE, data, kind="k")
