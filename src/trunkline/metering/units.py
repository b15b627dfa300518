"""What an operation beside chat costs: integer arithmetic in pico-dollars, with what each operation is charged by as a table.

The contract's price list has no key for a character, a second or a search. So `prompt` is the price of one unit of input: a character of
text to speak, a second of sound heard (`per_unit`), else a token; `request` that of a search unit or a call; and `image_output` that of an
image (`per_unit`), else of one of its tokens.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from trunkline.metering.cost import MAX_COST, price
from trunkline.protocol.catalogue import Endpoint, Pricing
from trunkline.protocol.usage import Cost, Units, Usage

TOKENS: Final = "tokens"
Tariff = Callable[[Usage, Units, Pricing, bool], Cost]


def price_operation(operation: str, usage: Usage, units: Units, pricing: Pricing, *, per_unit: bool = False, utc_hhmm: int = 0) -> Cost:
    """The cost of one answer to `operation` (`embeddings`, `rerank`, `images`, `speech`, `transcription`)."""
    tariff = TARIFFS.get(operation)
    if tariff is None:
        return price(usage, pricing, utc_hhmm=utc_hhmm)
    return tariff(usage, units, pricing, per_unit)


def input_unit(endpoint: Endpoint, outputs: Sequence[str]) -> str:
    """What `prompt` is the price of, for a model with these output modalities: `tokens`, `characters` or `seconds`."""
    if "speech" in outputs:
        return "characters"
    quirks = endpoint.quirks.operations.get("transcription")
    return "seconds" if "transcription" in outputs and quirks is not None and quirks.per_unit else TOKENS


def _rerank(usage: Usage, units: Units, pricing: Pricing, _per_unit: bool) -> Cost:
    tokens = price(usage, pricing)
    return _sum(tokens.prompt, tokens.completion, pricing.request * max(units.searches, 1))


def _speech(_usage: Usage, units: Units, pricing: Pricing, _per_unit: bool) -> Cost:
    return _sum(units.characters * pricing.prompt, 0, pricing.request)


def _transcription(usage: Usage, units: Units, pricing: Pricing, per_unit: bool) -> Cost:
    if not per_unit:
        return price(usage, pricing)
    return _sum(-(-units.milliseconds * pricing.prompt // 1000), 0, pricing.request)


def _images(usage: Usage, units: Units, pricing: Pricing, per_unit: bool) -> Cost:
    if not per_unit:
        return price(usage, pricing)
    tokens = price(Usage(input_total=usage.input_total, input_image=usage.input_image), pricing)
    return _sum(tokens.prompt, units.images * (pricing.image_output or 0), pricing.request)


TARIFFS: Final[Mapping[str, Tariff]] = {
    "rerank": _rerank,
    "speech": _speech,
    "transcription": _transcription,
    "images": _images,
}
"""Operations that are not charged by tokens alone."""


def _sum(prompt: int, completion: int, rest: int) -> Cost:
    prompt, completion = min(prompt, MAX_COST), min(completion, MAX_COST)
    return Cost(min(prompt + completion + rest, MAX_COST), prompt, completion)
