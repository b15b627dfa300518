from trunkline.dialects.hub.conversation import Conversation, Image, Text, Turn
from trunkline.inference.prompt import MOST_CHARACTERS, read


def turn(role: str, *texts: str) -> Turn:
    return Turn(role=role, blocks=tuple(Text(text=text) for text in texts))  # type: ignore[arg-type]


def test_the_first_and_the_last_of_what_the_user_says() -> None:
    prompt = read(
        Conversation(
            turns=(turn("system", "Be kind."), turn("user", "Hello", "there"), turn("assistant", "Hi"), turn("user", "Bye" * 1000))
        )
    )
    assert (prompt.system, prompt.first) == ("Be kind.", "Hello\nthere")
    assert prompt.last == ("Bye" * 1000)[:MOST_CHARACTERS]


def test_a_conversation_is_known_by_how_it_began() -> None:
    first = turn("user", "Hello")
    one, later, other = (
        read(Conversation(turns=turns))
        for turns in ((first,), (first, turn("assistant", "Hi"), turn("user", "More")), (turn("system", "x"), first))
    )
    assert one.fingerprint == later.fingerprint != other.fingerprint
    assert (one.continued, later.continued, other.continued) == (False, True, False)


def test_a_conversation_without_words() -> None:
    prompt = read(Conversation(turns=(Turn(role="user", blocks=(Image(url="http://x"),)),)))
    assert (prompt.first, prompt.last, prompt.system) == ("", "", "")
