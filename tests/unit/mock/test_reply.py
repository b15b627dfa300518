from trunkline.mock.reply import Part, json_reply


def test_a_json_reply_is_one_part_with_its_type_first() -> None:
    reply = json_reply(b"{}", status=404, headers=(("x-a", "1"),))
    assert reply.parts == (Part("body", b"{}"),)
    assert (reply.status, reply.stream) == (404, False)
    assert reply.headers == (("content-type", "application/json"), ("x-a", "1"))
