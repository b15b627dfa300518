import inspect

from trunkline.dialects.chat.reply import ChatReply
from trunkline.dialects.chat.stream import ChatStream
from trunkline.dialects.hub.translation import StreamTranslator, WholeTranslator


def test_the_chat_pass_through_has_what_the_shapes_name() -> None:
    for protocol, made in ((StreamTranslator, ChatStream), (WholeTranslator, ChatReply)):
        for name, member in inspect.getmembers(protocol, inspect.isfunction):
            if not name.startswith("_"):
                assert inspect.signature(member).parameters.keys() == inspect.signature(getattr(made, name)).parameters.keys()
