import pytest
from msgspec.structs import replace

from trunkline.auth.permissions import require_inference, require_management
from trunkline.errors import ApiError
from trunkline.protocol.principal import Principal

INFERENCE = Principal("h", "inference", "n", "l", "w")
MANAGEMENT = replace(INFERENCE, kind="management")


def test_each_kind_of_key_may_do_its_own() -> None:
    require_inference(INFERENCE)
    require_management(MANAGEMENT)


def test_the_other_kind_is_refused() -> None:
    with pytest.raises(ApiError, match="Only management keys can perform this operation") as refused:
        require_management(INFERENCE)
    assert (refused.value.status, refused.value.error_type) == (403, "permission_denied")
    with pytest.raises(ApiError, match="cannot call models") as refused:
        require_inference(MANAGEMENT)
    assert refused.value.status == 403
