"""What each kind of key may do (contract 1.2)."""

from trunkline.errors import ApiError
from trunkline.protocol.principal import Principal


def require_management(principal: Principal) -> None:
    """Raises ApiError `permission_denied` (403) unless the caller holds a management key."""
    if principal.kind != "management":
        raise ApiError("permission_denied", "Only management keys can perform this operation")


def require_inference(principal: Principal) -> None:
    """Raises ApiError `permission_denied` (403) for a management key: it cannot call models."""
    if principal.kind != "inference":
        raise ApiError("permission_denied", "Management keys cannot call models; use an API key")
