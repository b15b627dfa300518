"""Every operation of the API, as one table. Handlers, authentication, CORS, 405 answers and the reference page derive from it.

The rows are those of OpenRouter's OpenAPI document, in its order, followed by our extensions. An operation that is `planned`
answers 501 after authentication, so that a client learns the difference between "not here" and "not yours".
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

Auth = Literal["key", "management", "any", "public", "none"]
State = Literal["live", "planned"]


class Operation(Struct, frozen=True):
    """One row. `path` has its parameters in braces; `tag` is the OpenAPI document's.

    `auth` is the credential it takes (contract, section 7): an inference `key`, a `management` key, `any` of both, none but one is welcome
    (`public`: some fields are null without it), or `none`.
    """

    method: str
    path: str
    auth: Auth
    tag: str
    state: State
    summary: str

    @property
    def browsers(self) -> bool:
        """Whether pages of any origin may call it: inference, the public catalogue, and what a browser app asks about its own key."""
        return self.auth == "public" or self.tag in _INFERENCE_TAGS or self.path in _BROWSER_PATHS

    @property
    def raw(self) -> bool:
        """Whether `api.inference` serves it as bare ASGI, in front of the web framework."""
        return self.state == "live" and self.method == "POST" and self.tag in _INFERENCE_TAGS


_INFERENCE_TAGS = frozenset(
    {
        *("Anthropic Messages", "Chat", "Completions", "Embeddings", "Images", "Rerank", "Responses", "Routing", "STT", "TTS"),
        "Video Generation",
    }
)
_BROWSER_PATHS = frozenset({"/api/v1/key", "/api/v1/auth/keys", "/api/v1/models/user", "/api/v1/generation"})

OPERATIONS = (
    Operation("GET", "/api/v1/activity", "management", "Analytics", "planned", "Get user activity grouped by endpoint"),
    Operation("GET", "/api/v1/analytics/meta", "management", "Analytics", "planned", "Get available analytics metrics and dimensions"),
    Operation("POST", "/api/v1/analytics/query", "management", "Analytics", "planned", "Query analytics data"),
    Operation("POST", "/api/v1/audio/speech", "key", "TTS", "live", "Create speech"),
    Operation("POST", "/api/v1/audio/transcriptions", "key", "STT", "live", "Create transcription"),
    Operation("POST", "/api/v1/auth/keys", "none", "OAuth", "planned", "Exchange authorization code for API key"),
    Operation("POST", "/api/v1/auth/keys/code", "key", "OAuth", "planned", "Create authorization code"),
    Operation("GET", "/api/v1/benchmarks", "key", "Benchmarks", "planned", "List Benchmarks"),
    Operation("GET", "/api/v1/byok", "management", "BYOK", "planned", "List BYOK provider credentials"),
    Operation("POST", "/api/v1/byok", "management", "BYOK", "planned", "Create a BYOK provider credential"),
    Operation("DELETE", "/api/v1/byok/{id}", "management", "BYOK", "planned", "Delete a BYOK provider credential"),
    Operation("GET", "/api/v1/byok/{id}", "management", "BYOK", "planned", "Get a BYOK provider credential"),
    Operation("PATCH", "/api/v1/byok/{id}", "management", "BYOK", "planned", "Update a BYOK provider credential"),
    Operation("POST", "/api/v1/chat/completions", "key", "Chat", "live", "Create a chat completion"),
    Operation("GET", "/api/v1/classifications/task", "key", "Classifications", "planned", "Task classification market share"),
    Operation("GET", "/api/v1/credits", "management", "Credits", "live", "Get remaining credits"),
    Operation("POST", "/api/v1/credits/coinbase", "none", "Credits", "live", "Deprecated Coinbase Commerce charge endpoint"),
    Operation("GET", "/api/v1/datasets/app-rankings", "key", "Datasets", "planned", "Top apps by token usage"),
    Operation("GET", "/api/v1/datasets/rankings-daily", "key", "Datasets", "planned", "Daily token totals for top 50 models"),
    Operation("GET", "/api/v1/datasets/session-cost", "key", "Datasets", "planned", "Cost per session by harness and model"),
    Operation("POST", "/api/v1/embeddings", "key", "Embeddings", "live", "Submit an embedding request"),
    Operation("GET", "/api/v1/embeddings/models", "public", "Embeddings", "live", "List all embeddings models"),
    Operation("GET", "/api/v1/endpoints/zdr", "public", "Endpoints", "live", "Preview the impact of ZDR on the available endpoints"),
    Operation("GET", "/api/v1/files", "key", "Files", "planned", "List files"),
    Operation("POST", "/api/v1/files", "key", "Files", "planned", "Upload a file"),
    Operation("DELETE", "/api/v1/files/{file_id}", "key", "Files", "planned", "Delete a file"),
    Operation("GET", "/api/v1/files/{file_id}", "key", "Files", "planned", "Get file metadata"),
    Operation("GET", "/api/v1/files/{file_id}/content", "key", "Files", "planned", "Download file content"),
    Operation("GET", "/api/v1/generation", "key", "Generations", "live", "Get request & usage metadata for a generation"),
    Operation(
        "GET",
        "/api/v1/generation/content",
        "key",
        "Generations",
        "planned",
        "Get stored prompt, completion, and error content for a generation",
    ),
    Operation("POST", "/api/v1/generation/feedback", "management", "Generations", "planned", "Submit feedback for a generation"),
    Operation("GET", "/api/v1/guardrails", "management", "Guardrails", "planned", "List guardrails"),
    Operation("POST", "/api/v1/guardrails", "management", "Guardrails", "planned", "Create a guardrail"),
    Operation("DELETE", "/api/v1/guardrails/{id}", "management", "Guardrails", "planned", "Delete a guardrail"),
    Operation("GET", "/api/v1/guardrails/{id}", "management", "Guardrails", "planned", "Get a guardrail"),
    Operation("PATCH", "/api/v1/guardrails/{id}", "management", "Guardrails", "planned", "Update a guardrail"),
    Operation(
        "GET", "/api/v1/guardrails/{id}/assignments/keys", "management", "Guardrails", "planned", "List key assignments for a guardrail"
    ),
    Operation("POST", "/api/v1/guardrails/{id}/assignments/keys", "management", "Guardrails", "planned", "Bulk assign keys to a guardrail"),
    Operation(
        "POST",
        "/api/v1/guardrails/{id}/assignments/keys/remove",
        "management",
        "Guardrails",
        "planned",
        "Bulk unassign keys from a guardrail",
    ),
    Operation(
        "GET",
        "/api/v1/guardrails/{id}/assignments/members",
        "management",
        "Guardrails",
        "planned",
        "List member assignments for a guardrail",
    ),
    Operation(
        "POST", "/api/v1/guardrails/{id}/assignments/members", "management", "Guardrails", "planned", "Bulk assign members to a guardrail"
    ),
    Operation(
        "POST",
        "/api/v1/guardrails/{id}/assignments/members/remove",
        "management",
        "Guardrails",
        "planned",
        "Bulk unassign members from a guardrail",
    ),
    Operation("GET", "/api/v1/guardrails/assignments/keys", "management", "Guardrails", "planned", "List all key assignments"),
    Operation("GET", "/api/v1/guardrails/assignments/members", "management", "Guardrails", "planned", "List all member assignments"),
    Operation("POST", "/api/v1/images", "key", "Images", "live", "Generate an image"),
    Operation("GET", "/api/v1/images/models", "public", "Images", "live", "List image generation models"),
    Operation("GET", "/api/v1/images/models/{author}/{slug}/endpoints", "public", "Images", "live", "List endpoints for an image model"),
    Operation("GET", "/api/v1/key", "any", "API Keys", "live", "Get current API key"),
    Operation("GET", "/api/v1/keys", "management", "API Keys", "live", "List API keys"),
    Operation("POST", "/api/v1/keys", "management", "API Keys", "live", "Create a new API key"),
    Operation("DELETE", "/api/v1/keys/{hash}", "management", "API Keys", "live", "Delete an API key"),
    Operation("GET", "/api/v1/keys/{hash}", "management", "API Keys", "live", "Get a single API key"),
    Operation("PATCH", "/api/v1/keys/{hash}", "management", "API Keys", "live", "Update an API key"),
    Operation("POST", "/api/v1/messages", "key", "Anthropic Messages", "live", "Create a message"),
    Operation("GET", "/api/v1/model/{author}/{slug}", "public", "Models", "live", "Get a model by its slug"),
    Operation("GET", "/api/v1/models", "public", "Models", "live", "List all models and their properties"),
    Operation("GET", "/api/v1/models/{author}/{slug}/endpoints", "public", "Endpoints", "live", "List all endpoints for a model"),
    Operation("GET", "/api/v1/models/count", "public", "Models", "live", "Get total count of available models"),
    Operation(
        "GET",
        "/api/v1/models/user",
        "key",
        "Models",
        "live",
        "List models filtered by user provider preferences, privacy settings, and guardrails",
    ),
    Operation("GET", "/api/v1/observability/destinations", "management", "Observability", "planned", "List observability destinations"),
    Operation(
        "POST", "/api/v1/observability/destinations", "management", "Observability", "planned", "Create an observability destination"
    ),
    Operation(
        "DELETE", "/api/v1/observability/destinations/{id}", "management", "Observability", "planned", "Delete an observability destination"
    ),
    Operation(
        "GET", "/api/v1/observability/destinations/{id}", "management", "Observability", "planned", "Get an observability destination"
    ),
    Operation(
        "PATCH", "/api/v1/observability/destinations/{id}", "management", "Observability", "planned", "Update an observability destination"
    ),
    Operation("GET", "/api/v1/organization/members", "management", "Organization", "planned", "List organization members"),
    Operation("GET", "/api/v1/presets", "key", "Presets", "planned", "List presets"),
    Operation("GET", "/api/v1/presets/{slug}", "key", "Presets", "planned", "Get a preset"),
    Operation(
        "POST",
        "/api/v1/presets/{slug}/chat/completions",
        "key",
        "Presets",
        "planned",
        "Create a preset from a chat-completions request body",
    ),
    Operation("POST", "/api/v1/presets/{slug}/messages", "key", "Presets", "planned", "Create a preset from a messages request body"),
    Operation("POST", "/api/v1/presets/{slug}/responses", "key", "Presets", "planned", "Create a preset from a responses request body"),
    Operation("GET", "/api/v1/presets/{slug}/versions", "key", "Presets", "planned", "List versions of a preset"),
    Operation("GET", "/api/v1/presets/{slug}/versions/{version}", "key", "Presets", "planned", "Get a specific version of a preset"),
    Operation("GET", "/api/v1/providers", "public", "Providers", "live", "List all providers"),
    Operation("POST", "/api/v1/rerank", "key", "Rerank", "live", "Submit a rerank request"),
    Operation("POST", "/api/v1/responses", "key", "Responses", "live", "Create a response"),
    Operation("GET", "/api/v1/scim/group-mappings", "management", "SCIM", "planned", "List SCIM group mappings"),
    Operation("POST", "/api/v1/scim/group-mappings", "management", "SCIM", "planned", "Create a SCIM group mapping"),
    Operation("DELETE", "/api/v1/scim/group-mappings/{id}", "management", "SCIM", "planned", "Delete a SCIM group mapping"),
    Operation("GET", "/api/v1/scim/group-mappings/{id}", "management", "SCIM", "planned", "Get a SCIM group mapping"),
    Operation("PATCH", "/api/v1/scim/group-mappings/{id}", "management", "SCIM", "planned", "Update a SCIM group mapping"),
    Operation("GET", "/api/v1/scim/groups", "management", "SCIM", "planned", "List SCIM groups"),
    Operation("POST", "/api/v1/videos", "key", "Video Generation", "planned", "Submit a video generation request"),
    Operation("GET", "/api/v1/videos/{jobId}", "key", "Video Generation", "planned", "Poll video generation status"),
    Operation("GET", "/api/v1/videos/{jobId}/content", "key", "Video Generation", "planned", "Download generated video content"),
    Operation("GET", "/api/v1/videos/models", "public", "Video Generation", "planned", "List all video generation models"),
    Operation("GET", "/api/v1/workspaces", "management", "Workspaces", "planned", "List workspaces"),
    Operation("POST", "/api/v1/workspaces", "management", "Workspaces", "planned", "Create a workspace"),
    Operation("DELETE", "/api/v1/workspaces/{id}", "management", "Workspaces", "planned", "Delete a workspace"),
    Operation("GET", "/api/v1/workspaces/{id}", "management", "Workspaces", "planned", "Get a workspace"),
    Operation("PATCH", "/api/v1/workspaces/{id}", "management", "Workspaces", "planned", "Update a workspace"),
    Operation("GET", "/api/v1/workspaces/{id}/budgets", "management", "Workspaces", "planned", "List workspace budgets"),
    Operation("DELETE", "/api/v1/workspaces/{id}/budgets/{interval}", "management", "Workspaces", "planned", "Delete a workspace budget"),
    Operation("GET", "/api/v1/workspaces/{id}/budgets/{interval}", "management", "Workspaces", "planned", "Get a workspace budget"),
    Operation(
        "PUT", "/api/v1/workspaces/{id}/budgets/{interval}", "management", "Workspaces", "planned", "Create or update a workspace budget"
    ),
    Operation("GET", "/api/v1/workspaces/{id}/members", "management", "Workspaces", "planned", "List workspace members"),
    Operation("POST", "/api/v1/workspaces/{id}/members/add", "management", "Workspaces", "planned", "Bulk add members to a workspace"),
    Operation(
        "POST", "/api/v1/workspaces/{id}/members/remove", "management", "Workspaces", "planned", "Bulk remove members from a workspace"
    ),
)
"""The 97 operations of OpenRouter's OpenAPI document."""

EXTENSIONS = (
    Operation("POST", "/api/v1/completions", "key", "Completions", "live", "Create a text completion (legacy)"),
    Operation("POST", "/api/v1/cursor", "key", "Chat", "live", "Create a chat completion with Cursor's flat tools"),
    Operation("POST", "/api/v1/cursor/chat/completions", "key", "Chat", "live", "Create a chat completion with Cursor's flat tools"),
    Operation("POST", "/api/v1/messages/count_tokens", "key", "Anthropic Messages", "live", "Count the tokens of a message"),
    Operation("POST", "/api/v1/route", "key", "Routing", "live", "Explain where a request would go, without sending it"),
    Operation("GET", "/health", "none", "Health", "live", "Whether the server is ready"),
)
"""Operations that the document does not have: those that clients of other vendors' APIs call, and our own."""

TABLE = OPERATIONS + EXTENSIONS


def match(path: str, table: Sequence[Operation] = TABLE) -> Mapping[str, Operation]:
    """The operations at a request path, by method; empty when nothing is there. A literal segment wins over a parameter."""
    segments = path.rstrip("/").split("/")
    candidates = [operation for operation in table if _fits(operation.path.split("/"), segments)]
    fewest = min((operation.path.count("{") for operation in candidates), default=0)
    return {operation.method: operation for operation in candidates if operation.path.count("{") == fewest}


def allowed(path: str, table: Sequence[Operation] = TABLE) -> str:
    """The value of `Allow` at a request path (RFC 9110, section 10.2.1); empty when nothing is there."""
    methods = {*match(path, table)}
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join([*sorted(methods), "OPTIONS"]) if methods else ""


def _fits(template: Sequence[str], segments: Sequence[str]) -> bool:
    """Whether a path of these segments is one of the template's. A parameter takes one segment that is not empty."""
    return len(template) == len(segments) and all(
        bool(given) if wanted.startswith("{") else wanted == given for wanted, given in zip(template, segments, strict=True)
    )
