"""The examples of docs/providers.md are configurations that load."""

import re
from pathlib import Path

import pytest

from trunkline.catalogue.load import load

PAGE = Path(__file__).parents[3] / "docs" / "providers.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
ACME = """
[[providers]]
slug = "acme"
base_url = "http://127.0.0.1:9001/v1"

[[models]]
id = "acme/echo-1"
"""


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_loads(example: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("made-up")
    config = tmp_path / "trunkline.toml"
    config.write_text(ACME + example.replace("/run/secrets/openai", str(tmp_path / "key")))
    catalogue = load(config, {})
    assert "acme" in catalogue.providers


def test_every_special_credential_is_told_of() -> None:
    text = PAGE.read_text(encoding="utf-8")
    catalogue = load(None, {})
    special = [endpoint for endpoint in catalogue.endpoints.values() if endpoint.dialect != "chat" and endpoint.provider != "cohere"]
    assert {name for endpoint in special for name in catalogue.missing_of(endpoint) if f"`{name}`" not in text} == set()
