"""What one worker knows of one limited key, and the arithmetic on it. Memory only; money is pico-dollars, times are Unix milliseconds."""

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from trunkline.accounts.leases_store import Ask, Grant
from trunkline.accounts.windows import next_reset
from trunkline.errors import ApiError
from trunkline.protocol.money import usd, usd_text

EXPIRY_MARGIN_MS = 2_000
FREE_REQUEST_MS = 5_000
REFUSAL_MS = 1_000
_PERIOD: Mapping[str | None, str] = {None: "total", "daily": "daily", "weekly": "weekly", "monthly": "monthly"}


class Hold(Struct, gc=False):
    """What one running request reserves. It is settled once. `account` None = the key has no limit; `last` = it runs on the key's last
    money."""

    account: "Account | None" = None
    amount: int = 0
    last: bool = False
    settled: bool = False


class Account:
    """A key's lease in memory: `free` is over, `held` is reserved by `running` requests, `left` is the limit less all that was charged."""

    def __init__(self, key_hash: str, now_ms: int) -> None:
        self.key_hash = key_hash
        self.lock = asyncio.Lock()
        self.pending: asyncio.Future[Grant] | None = None
        self.free = 0
        self.held = 0
        self.running = 0
        self.last_running = False
        self.left = 0
        self.charged = 0
        self.used_ms = now_ms
        self.checked_ms = 0
        self.lease_until_ms = 0
        self.stale = True
        self.outage_until_ms = 0
        self.refused_until_ms = 0
        self.refused_estimate = 0
        self.terms = Grant("unlimited")

    def is_valid(self, now_ms: int) -> bool:
        """Whether what memory knows may still be used: no change of the key, lease not run out, same window."""
        return not self.stale and now_ms < self.lease_until_ms - EXPIRY_MARGIN_MS and now_ms < self.terms.window_end_ms

    def take(self, estimate: int, now_ms: int) -> Hold | None:
        """Reserves from what memory holds; None = the database must be asked."""
        if not self.is_valid(now_ms):
            return None
        if self.terms.verdict == "unlimited":
            return Hold()
        if estimate <= 0:
            return self._hold(0, now_ms) if self.left > 0 and now_ms < self.checked_ms + FREE_REQUEST_MS else None
        return self._hold(estimate, now_ms) if self.free >= estimate else None

    def take_last(self, now_ms: int) -> Hold | None:
        """Reserves all that is free for a request that may cost more; None when another request was faster."""
        if self.held or self.free <= 0:
            return None
        self.last_running = True
        return self._hold(self.free, now_ms, last=True)

    def _hold(self, amount: int, now_ms: int, *, last: bool = False) -> Hold:
        self.free -= amount
        self.held += amount
        self.running += 1
        self.used_ms = now_ms
        return Hold(self, amount, last)

    def put_back(self, hold: Hold, cost: int, now_ms: int) -> None:
        """Ends a reservation with what the request really cost."""
        self.free += hold.amount - cost
        self.held -= hold.amount
        self.running -= 1
        self.charged += cost
        self.left -= cost
        self.used_ms = now_ms
        if hold.last:
            self.last_running = False
        if not self.held or self.free >= self.refused_estimate:
            self.refused_until_ms = 0

    def ask(self, estimate: int = 0, *, give_back: bool = False) -> Ask:
        """The question to the database as of now."""
        return Ask(self.free, self.held, estimate, not self.held, self.last_running, give_back, fresh=not self.checked_ms)

    def learn(self, ask: Ask, charged_then: int, grant: Grant, now_ms: int) -> None:
        """Applies the answer to `ask`, asked when `charged` was `charged_then`; what has happened since then is kept."""
        self.free += grant.free - ask.free
        self.left = grant.left - (self.charged - charged_then)
        self.lease_until_ms = grant.expires_ms
        self.checked_ms = now_ms
        self.outage_until_ms = 0
        self.terms = grant
        if grant.verdict == "refused":
            self.refused_until_ms = now_ms + REFUSAL_MS
            self.refused_estimate = ask.estimate

    def is_refused(self, estimate: int, now_ms: int) -> bool:
        """Whether a request like this one was refused a moment ago and nothing has changed since."""
        return not self.stale and now_ms < self.refused_until_ms and estimate >= self.refused_estimate and now_ms < self.terms.window_end_ms

    def refusal(self, now_ms: int) -> ApiError:
        """The 402 of the contract (2.12): which limit, how much of it is left, when it resets."""
        limit, reset = self.terms.limit or 0, self.terms.reset
        resets_at = next_reset(reset, now_ms)
        name = f"{_PERIOD[reset]} limit of ${usd_text(limit)}"
        metadata = {
            "limit_source": "key",
            "limit": usd(limit),
            "limit_remaining": usd(max(0, self.left)),
            "limit_reset": reset,
            "resets_at": resets_at,
        }
        if self.left > 0:
            left = f"${usd_text(self.left)} of this key's {name}"
            message = f"Key limit reached: what is left, {left}, is reserved by requests that are running. Try again."
            return ApiError("payment_required", message, metadata=metadata, headers=(("Retry-After", "1"),))
        advice = (
            f"The limit resets at {resets_at}." if resets_at else "It does not reset by itself: raise the key's limit or use another key."
        )
        return ApiError("payment_required", f"Key limit exceeded: this key has spent its {name}. {advice}", metadata=metadata)
