"""Pictures as OpenAI's `POST /images/generations` gives them: one pixel each, in base64 or by address."""

from trunkline.mock.call import Asked, Call
from trunkline.mock.content import CREATED, PIXEL, compose, encode
from trunkline.mock.fields import number, string
from trunkline.mock.operations.inputs import call_of
from trunkline.mock.reply import Reply, json_reply
from trunkline.mock.script import Answer, Pace
from trunkline.mock.writing.stream import headers_of


def read(asked: Asked) -> Call:
    """The call of a request for pictures; its text is the prompt."""
    return call_of(asked, (string(asked.body.get("prompt")),))


def write(call: Call, answer: Answer, _pace: Pace, *, serial: int) -> Reply:
    """The pictures that are asked for; their tokens are counted by the prompt's words, and a hundred for each picture."""
    count = answer.images or number(call.asked.body.get("n")) or 1
    made = {"b64_json": PIXEL}
    if call.asked.body.get("response_format") == "url":
        made = {"url": f"data:image/png;base64,{PIXEL}"}
    prompt = compose(call, answer).spent.prompt
    details = {"text_tokens": prompt, "image_tokens": 0}
    usage = {"input_tokens": prompt, "input_tokens_details": details, "output_tokens": 100 * count, "total_tokens": prompt + 100 * count}
    body: dict[str, object] = {"created": CREATED, "data": [made] * count, "output_format": "png"}
    if answer.usage_place != "never":
        body["usage"] = answer.usage or usage
    return json_reply(encode({**body, **answer.extra}), headers=headers_of(answer, serial))
