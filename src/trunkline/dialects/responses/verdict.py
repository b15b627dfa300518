"""The end of a response: how it finished or failed, and its usage. A decoder and a pass-through read it alike."""

from trunkline.dialects.hub.events import Failure, Finish
from trunkline.dialects.refusals import refusal_of
from trunkline.dialects.tiers import served
from trunkline.errors import MalformedResponse, UpstreamRefused

Document = dict[str, object]

TERMINALS = frozenset(("response.completed", "response.incomplete", "response.failed", "response.cancelled"))
_WAITING = frozenset(("queued", "in_progress"))
CALLS = frozenset(("function_call", "custom_tool_call"))


def verdict(kind: str, response: Document, *, called: bool) -> Finish | Failure:
    """How a response ended: its status decides, else the name `kind` of the event. `called`: it holds a call of a client's tool."""
    status = response.get("status")
    status = status if isinstance(status, str) else kind.removeprefix("response.")
    if kind == "response.failed" or status in ("failed", "cancelled"):
        return Failure(refusal_of({"error": response.get("error")}) or _nameless(status))
    if kind == "response.incomplete" or status == "incomplete":
        return _cut(response.get("incomplete_details"))
    if status in _WAITING and not response.get("output"):
        return Failure(MalformedResponse(f"The answer is not complete: it is {status}"))
    return Finish("tool_calls" if called else "stop", "completed")


def usage_of(response: Document) -> Document | None:
    """The raw usage object. Web searches, which OpenAI counts elsewhere, are put beside the tokens as OpenRouter has them."""
    usage = response.get("usage")
    if not isinstance(usage, dict) or not usage:
        return None
    searches = _searches(response)
    if not searches or "server_tool_use_details" in usage:
        return usage
    return {**usage, "server_tool_use_details": {"web_search_requests": searches}}


def tier_of(response: Document) -> str | None:
    """The tier that served, where the response says it."""
    return served(response.get("service_tier"))


def _searches(response: Document) -> int:
    """The number that the upstream counted, else the items of searches; opening a page is not one."""
    tools = response.get("tool_usage")
    counted = tools.get("web_search") if isinstance(tools, dict) else None
    number = counted.get("num_requests") if isinstance(counted, dict) else None
    if isinstance(number, int):
        return number
    output = response.get("output")
    return sum(_is_search(item) for item in (output if isinstance(output, list) else ()))


def _is_search(item: object) -> bool:
    action = item.get("action") if isinstance(item, dict) and item.get("type") == "web_search_call" else None
    return isinstance(action, dict) and action.get("type") == "search"


def _cut(details: object) -> Finish:
    reason = details.get("reason") if isinstance(details, dict) else None
    native = reason if isinstance(reason, str) and reason else "incomplete"
    return Finish("content_filter" if native == "content_filter" else "length", native)


def _nameless(status: str) -> UpstreamRefused:
    return UpstreamRefused("server", f"The upstream's answer ended as {status} without an error", status=0)
