"""Authors, models, providers and endpoints: what can be called, by whom it is served, and what it costs.

An endpoint is one model at one provider. All prices are pico-dollars a unit (see `money`); token limits are tokens; times are seconds.
"""

from typing import Literal

from msgspec import Struct, field

from trunkline.protocol.quirks import Quirks

Dialect = Literal["chat", "responses", "messages", "gemini", "converse", "cohere"]
AuthStyle = Literal["bearer", "header", "google", "aws", "none"]


class PriceOverride(Struct, frozen=True, gc=False):
    """Prices that replace the base while all conditions hold (contract 5.13): a prompt longer than `min_prompt_tokens` (strictly), a UTC
    window `[utc_start, utc_end)` of HHMM that may wrap over midnight. `rates` holds only the keys that change."""

    rates: dict[str, int]
    min_prompt_tokens: int | None = None
    utc_start: int | None = None
    utc_end: int | None = None


class Pricing(Struct, frozen=True):
    """Pico-dollars a unit. None = the provider names no separate price (see `metering.cost` for what then applies)."""

    prompt: int = 0
    completion: int = 0
    request: int = 0
    image: int | None = None
    audio: int | None = None
    web_search: int | None = None
    internal_reasoning: int | None = None
    input_cache_read: int | None = None
    input_cache_write: int | None = None
    input_cache_write_1h: int | None = None
    input_audio_cache: int | None = None
    image_output: int | None = None
    audio_output: int | None = None
    overrides: tuple[PriceOverride, ...] = ()


class DataPolicy(Struct, frozen=True, gc=False):
    """What a provider does with prompts. The default is the cautious reading of an unknown policy: it retains and trains."""

    training: bool = True
    retention_days: int | None = None
    zdr: bool = False


class Timeouts(Struct, frozen=True, gc=False):
    """Deadlines of one attempt in seconds (`idle` between bytes, `content_idle` between content, `total` from the first byte sent)."""

    connect: float = 3.0
    first_content: float = 30.0
    idle: float = 60.0
    content_idle: float = 180.0
    total: float = 900.0


class Auth(Struct, frozen=True, gc=False):
    """How an endpoint's credential is sent. `source` is `env:NAME`, `file:PATH`, a literal, or empty for none; it never holds a resolved
    secret."""

    style: AuthStyle = "bearer"
    header: str = "authorization"
    source: str = ""


class Provider(Struct, frozen=True, kw_only=True):
    """A company or machine that serves models. `region`: where all of its endpoints process prompts, as the operator says: `europe`, `us`,
    `global` for nowhere in particular, empty = nothing was said."""

    slug: str
    name: str
    dialect: Dialect = "chat"
    base_url: str = ""
    auth: Auth = Auth()
    quirks: Quirks = Quirks()
    data_policy: DataPolicy = DataPolicy()
    on_cancel: Literal["stops", "bills_on"] = "bills_on"
    timeouts: Timeouts = Timeouts()
    launch: str = ""
    operator_url: bool = False
    model_prefix: str = ""
    privacy_policy_url: str | None = None
    terms_of_service_url: str | None = None
    status_page_url: str | None = None
    headquarters: str | None = None
    datacenters: tuple[str, ...] | None = None
    region: str = ""
    sources: tuple[str, ...] = ()


class Reasoning(Struct, frozen=True, gc=False):
    """A reasoning model's controls (contract 2.7). `supported_efforts` is in descending order."""

    mandatory: bool = False
    default_enabled: bool = False
    supported_efforts: tuple[str, ...] | None = None
    default_effort: str | None = None
    supports_max_tokens: bool = False


class Model(Struct, frozen=True, kw_only=True):
    """One row of `GET /models`. `created` is Unix seconds; `aliases` are older slugs that still resolve; `successor` is what a caller of a
    retired model should move to; `fast` is the id under which its author serves the same model faster."""

    id: str
    name: str
    author: str
    canonical_slug: str
    created: int
    description: str = ""
    context_length: int | None = None
    knowledge_cutoff: str | None = None
    expiration_date: str | None = None
    retired: bool = False
    successor: str | None = None
    hugging_face_id: str | None = None
    input_modalities: tuple[str, ...] = ("text",)
    output_modalities: tuple[str, ...] = ("text",)
    tokenizer: str = "Other"
    instruct_type: str | None = None
    is_moderated: bool = False
    distillable: bool | None = None
    reasoning: Reasoning | None = None
    fast: str = ""
    default_parameters: dict[str, float | None] | None = None
    aliases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Endpoint(Struct, frozen=True, kw_only=True):
    """One model at one provider: where to send, in which dialect, at which price and with which limits.

    `tag` is OpenRouter's endpoint name: the provider's slug, with `/variant` where a provider serves a model several times.
    `model` is the id that callers use, variant included (`openai/gpt-oss-20b:free`). `launch` names a supervised child that must run first.
    `tier_pricing` holds the prices of other service tiers, by the name under which the upstream reports the tier that served.
    `operator_url` marks a base URL the operator wrote, for which loopback and private addresses are allowed.

    `byok` is the id of the caller's own key that this copy of an endpoint uses, empty for the instance's credential; copies share the
    endpoint's id. `byok_fallback`: the key serves after the instance's capacity, not before it. `byok_only`: its owner wants no other
    capacity of this provider (contract 3.11). `region`: where prompts are processed (`europe`, `us`), empty = not promised.
    """

    id: str
    model: str
    provider: str
    provider_name: str
    tag: str
    dialect: Dialect
    base_url: str
    upstream_model: str
    pricing: Pricing
    auth: Auth = Auth()
    quirks: Quirks = Quirks()
    data_policy: DataPolicy = DataPolicy()
    timeouts: Timeouts = Timeouts()
    on_cancel: Literal["stops", "bills_on"] = "bills_on"
    context_length: int | None = None
    max_completion_tokens: int | None = None
    max_prompt_tokens: int | None = None
    quantization: str | None = None
    supported_parameters: frozenset[str] | None = None
    implicit_caching: bool = False
    operator_url: bool = False
    launch: str = ""
    price_version: str = ""
    extra_headers: dict[str, str] = field(default_factory=dict)
    tier_pricing: dict[str, Pricing] = {}
    region: str = ""
    byok: str = ""
    byok_fallback: bool = False
    byok_only: bool = False

    @property
    def credential(self) -> str:
        """The name of the credential that pays and is limited: the caller's key, else the provider's one. Never a secret."""
        return self.byok or self.provider
