"""The body of an answer to `POST /embeddings` (contract 5.4)."""

import msgspec

from trunkline.dialects.hub.translation import Identity
from trunkline.dialects.oneshot import OneShotRequest, Result, charges
from trunkline.protocol.usage import Cost, Usage


def write(identity: Identity, _request: OneShotRequest, result: Result, usage: Usage, cost: Cost) -> bytes:
    """The JSON body. `result.content` holds the vectors in the order of the inputs, each as JSON text."""
    details = {"image_tokens": usage.input_image, "audio_tokens": usage.input_audio, "video_tokens": usage.input_video}
    media = {name: count for name, count in details.items() if count}
    account: dict[str, object] = {"prompt_tokens": usage.input_total, "total_tokens": usage.input_total, **charges(usage, cost)}
    text = usage.input_total - sum(media.values())
    if media and text:
        account["prompt_tokens_details"] = {"text_tokens": text, **media}
    body = {
        "id": identity.id,
        "object": "list",
        "model": identity.model,
        "provider": identity.provider,
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(result.content)],
        "usage": account,
    }
    return msgspec.json.encode(body)
