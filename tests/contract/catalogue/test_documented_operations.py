"""The commands and tables of docs/operations.md: each request is one that its operation takes, for a model that offers it."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from trunkline.catalogue.load import load
from trunkline.dialects.oneshot import OneShotRequest
from trunkline.inference.operations import OPERATIONS

PAGE = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```console\n\$ (.*?)```", PAGE, re.DOTALL)
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
SHELL = re.compile(r"'\"\$\(.*?\)\"'")
ACME = '[[providers]]\nslug = "acme"\nbase_url = "http://127.0.0.1:9001/v1"\n\n'


def path_of(command: str) -> str:
    found = re.search(r"curl (\S+)", command)
    assert found is not None
    return urlsplit(found[1]).path


def request_of(command: str) -> OneShotRequest:
    """What the command sends, with some sound where it sends a file."""
    given = re.search(r"-d '(.*?)'", SHELL.sub("AAAA", command), re.DOTALL)
    form = dict(re.findall(r"-F (\w+)=(\S+)", command))
    body = given[1].encode() if given else msgspec.json.encode({"model": form["model"], "input_audio": {"data": "AAAA", "format": "mp3"}})
    request = OPERATIONS[path_of(command)].skin.parse(body)
    assert isinstance(request, OneShotRequest)
    return request


def test_each_operation_has_a_command() -> None:
    assert {path_of(command) for command in COMMANDS} == set(OPERATIONS)
    assert [path for path in OPERATIONS if f"`POST {path}`" not in PAGE] == []


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
def test_a_command_is_taken_and_its_model_offers_the_operation(command: str) -> None:
    request, catalogue = request_of(command), load(None, {})
    model = catalogue.models[request.models[0]]
    assert not request.outputs.isdisjoint(model.output_modalities)
    assert request.modalities <= set(model.input_modalities)
    operation = OPERATIONS[path_of(command)]
    assert any(operation.shape(one, catalogue) and operation.fits(request, one) for one in catalogue.endpoints_of(model.id))


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_offers_its_operation(example: str, tmp_path: Path) -> None:
    config = tmp_path / "trunkline.toml"
    config.write_text(ACME + example)
    catalogue = load(config, {})
    (name,) = re.findall(r'^model = "(.*)"', example, re.MULTILINE)
    (endpoint,) = catalogue.endpoints_of(name)
    offered = [one.name for one in OPERATIONS.values() if one.name in catalogue.models[name].output_modalities]
    assert [name for name in offered if endpoint.quirks.operations.get(name)] == offered != []
