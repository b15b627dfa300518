"""Which stages a request needs, and what has to be known for them: files are loaded and read before the plan is made (contract 4.1).

Requests without plugins and files never come here.
"""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.dialects.hub.conversation import Conversation, File
from trunkline.errors import ApiError
from trunkline.inference.call import Call
from trunkline.inference.media import inlined
from trunkline.metering.estimates import Estimates
from trunkline.plugins.compression import SMALL_CONTEXT, Compression, fitting
from trunkline.plugins.files.engines import LOCAL, NATIVE, Engines, chosen
from trunkline.plugins.files.parsing import FileParsing
from trunkline.plugins.files.reading import FileReader
from trunkline.plugins.healing import Healing, heals
from trunkline.plugins.stage import Stage
from trunkline.plugins.staged import Staged
from trunkline.plugins.wanted import FileParserOptions, wanted
from trunkline.protocol.catalogue import Endpoint
from trunkline.protocol.request import InboundRequest
from trunkline.protocol.routing import Plan
from trunkline.transport.client import Client
from trunkline.transport.downloads import Downloads

Candidates = list[tuple[Endpoint, ...]]
Load = Callable[[Conversation], Awaitable[Conversation]]
"""Puts the bytes of a conversation's files by URL into it."""


class Begun(Struct, frozen=True):
    """The stages of a request, None where it needs none, and the endpoints that remain for it."""

    staged: Staged | None
    candidates: Candidates


def file_loader(client: Client) -> Load:
    """Loads documents by way of `inference.media`, and no pictures or videos, which no stage reads."""
    downloads = Downloads(client)

    async def load(conversation: Conversation) -> Conversation:
        return await inlined(conversation, _over_http, downloads, kinds=(File,))

    return load


class Staging:
    """Begins the stages of requests. `catalogue` returns the catalogue in force."""

    def __init__(self, catalogue: Callable[[], Catalogue], estimates: Estimates, engines: Engines, load: Load) -> None:
        self._catalogue = catalogue
        self._estimates = estimates
        self._engines = engines
        self._load = load
        self._reader = FileReader()

    async def begin(self, call: Call, request: InboundRequest, candidates: Candidates) -> Begun:
        """Read what has to be read. Raises ApiError for plugins that cannot be had, and for files that cannot be read."""
        options = wanted(request)
        base = call.skin.conversation(request)
        stages: list[Stage] = []
        if options.healing is not None and options.healing.enabled is not False and not request.stream and heals(base.format):
            assert base.format is not None  # noqa: S101 - `heals` has seen it
            stages.append(Healing(base.format))
        base, files, candidates = await self._files(options.file_parser, request, base, candidates)
        more_bytes = 0 if files is None else files.text_bytes
        most_tokens = None
        asked = options.compression is not None and options.compression.enabled is not False
        if asked and not all(self._only_draws(one) for group in candidates for one in group):
            tokens = self._estimates.tokens(candidates[0][0].model, request.prompt_bytes + more_bytes)
            candidates = fitting(candidates, tokens + (request.max_tokens or 0))
            most_tokens = _least_context(candidates)
            stages.append(Compression(self._estimates.tokens))
        if not stages and files is None:
            return Begun(None, candidates)
        return Begun(Staged(base, stages, files=files, more_bytes=more_bytes, most_tokens=most_tokens), candidates)

    def rescue(self, call: Call, request: InboundRequest, plan: Plan, staged: Staged | None) -> Begun | None:
        """Compression for endpoints that do it without being asked, when a request is too long for all there are; None where none does."""
        long = [one.endpoint for one in plan.excluded if one.rule == "prompt"]
        small = tuple([one for one in long if (one.context_length or 0) in _SMALL and not self._only_draws(one)])
        compression = wanted(request).compression
        if not small or compression is not None or (staged is not None and staged.most_tokens is not None):
            return None
        stage = Compression(self._estimates.tokens, only_small=True)
        if staged is None:
            return Begun(Staged(call.skin.conversation(request), [stage], most_tokens=_least_context([small])), [small])
        return Begun(staged.with_stage(stage, most_tokens=_least_context([small])), [small])

    async def _files(
        self, options: FileParserOptions | None, request: InboundRequest, base: Conversation, candidates: Candidates
    ) -> tuple[Conversation, FileParsing | None, Candidates]:
        """The conversation with its files loaded and read, where an endpoint needs that."""
        if "file" not in request.modalities or (options is not None and options.enabled is False):
            return base, None, candidates
        asked = None if options is None or options.pdf is None else options.pdf.engine
        engine = chosen(asked, self._engines)
        if engine == NATIVE:
            return base, None, self._native(candidates)
        reads = self._reads_files if asked is None else _never
        if all(reads(one) for group in candidates for one in group):
            return base, None, candidates
        base = await self._load(base)
        reading = await self._reader.read(base, self._engines[engine], engine)
        return base, FileParsing(reading, reads=reads, sees=self._sees) if reading.files else None, candidates

    def _native(self, candidates: Candidates) -> Candidates:
        kept = [kept for group in candidates if (kept := tuple([one for one in group if self._reads_files(one)]))]
        if not kept:
            raise ApiError("invalid_request", f"plugins: pdf.engine: No model of the request reads files itself; {LOCAL!r} works with any")
        return kept

    def _takes(self, endpoint: Endpoint, modality: str) -> bool:
        model = self._catalogue().models.get(endpoint.model)
        return model is not None and modality in model.input_modalities

    def _only_draws(self, endpoint: Endpoint) -> bool:
        """Whether nothing but images comes of it: then no word of the prompt may be lost (contract 4.2)."""
        model = self._catalogue().models.get(endpoint.model)
        return model is not None and model.output_modalities == _IMAGES

    def _reads_files(self, endpoint: Endpoint) -> bool:
        return self._takes(endpoint, "file")

    def _sees(self, endpoint: Endpoint) -> bool:
        return self._takes(endpoint, "image")


def _over_http(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _never(_endpoint: Endpoint) -> bool:
    """The caller wants files read here, whatever the model takes."""
    return False


def _least_context(candidates: Sequence[Sequence[Endpoint]]) -> int | None:
    """Tokens of the smallest context among endpoints."""
    return min((one.context_length for group in candidates for one in group if one.context_length is not None), default=None)


_SMALL = range(1, SMALL_CONTEXT + 1)
_IMAGES = ("image",)
