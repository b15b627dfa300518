"""The configuration that black-box tests share: a few providers, all of them the mock upstream, and a model for each thing to show."""

from collections.abc import Iterator

HASTY = "timeouts = { connect = 20, first_content = 1, idle = 1, content_idle = 1, total = 30 }"
CALM = "timeouts = { connect = 20, first_content = 60 }"
GOLDEN = (
    '{ prompt = "0.000003", completion = "0.000015", input_cache_read = "0.0000003", '
    'input_cache_write = "0.00000375", internal_reasoning = "0.000020", request = "0.005" }'
)
PLAIN = '{ prompt = "0.000001", completion = "0.000002" }'
FREE = '{ prompt = "0", completion = "0" }'
DEAR = '{ prompt = "0.000001", completion = "0.001" }'
PAIRS = 60
HASTY_PAIRS = 10


def provider(slug: str, url: str) -> str:
    """A provider at this URL."""
    what = f'slug = "{slug}"\nname = "{slug.title()}"\ndialect = "chat"\nbase_url = "{url}"\napi_key = "secret-of-{slug}"'
    return f"[[providers]]\n{what}\n{CALM}\n"


def model(slug: str) -> str:
    """A model."""
    modalities = 'input_modalities = ["text", "image"]\noutput_modalities = ["text"]'
    return f'[[models]]\nid = "{slug}"\nname = "{slug}"\ncontext_length = 128000\n{modalities}\n'


def endpoint(slug: str, provider_slug: str, upstream: str, *, pricing: str = PLAIN, extra: str = "") -> str:
    """The model at the provider, under the name `upstream` there."""
    return f'[[endpoints]]\nmodel = "{slug}"\nprovider = "{provider_slug}"\nupstream_model = "{upstream}"\npricing = {pricing}\n{extra}\n'


def alone(slug: str, upstream: str, *, pricing: str = PLAIN, extra: str = "") -> str:
    """A model with one endpoint, at acme."""
    return model(slug) + endpoint(slug, "acme", upstream, pricing=pricing, extra=extra)


def pair(number: int) -> str:
    """A model with two endpoints: `first-N` at acme, which is impatient in the first HASTY_PAIRS, and `second-N`, dearer, at beta."""
    slug = f"pair/m{number}"
    dearer = PLAIN.replace("0.000001", "0.000004")
    first = endpoint(slug, "acme", f"first-{number}", extra=HASTY if number < HASTY_PAIRS else "")
    return model(slug) + first + endpoint(slug, "beta", f"second-{number}", pricing=dearer)


def town(url: str) -> str:
    """The whole configuration; `url` is the mock's, ending in /v1."""
    return "\n".join(
        [
            provider("acme", url),
            provider("beta", url),
            provider("nowhere", "http://127.0.0.1:1/v1"),
            alone("acme/echo-1", "echo-1"),
            alone("acme/hasty", "hasty", extra=HASTY),
            alone("acme/golden", "golden", pricing=GOLDEN),
            alone("acme/free", "free", pricing=FREE),
            alone("acme/dear", "dear", pricing=DEAR),
            alone("acme/stops", "stops", extra='on_cancel = "stops"'),
            alone("acme/bills-on", "bills-on", extra='on_cancel = "bills_on"'),
            model("nowhere/gone") + endpoint("nowhere/gone", "nowhere", "gone"),
            *(pair(number) for number in range(PAIRS)),
        ]
    )


def fresh_pairs() -> tuple[Iterator[int], Iterator[int]]:
    """Numbers of pairs nobody has used, patient and impatient ones: the outage memory of one test must not order the endpoints of the
    next."""
    return iter(range(HASTY_PAIRS, PAIRS)), iter(range(HASTY_PAIRS))
