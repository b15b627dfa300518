"""The services are what the handlers are built from: none may be left out."""

import pytest

from trunkline.api.services import ApiServices


def test_every_service_is_required() -> None:
    with pytest.raises(TypeError):
        ApiServices()  # type: ignore[call-arg]
    assert set(ApiServices.__struct_fields__) == set(ApiServices.__annotations__)
    assert ApiServices.__struct_defaults__ == ()
