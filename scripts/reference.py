"""Writes docs/reference/*.md from the code's own tables. `--check` writes nothing and fails when a page is out of date.

A page whose source module is not there is left out; a test compares the pages with what this script would write.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from msgspec import NODEFAULT, inspect

from trunkline.settings import SETTINGS

SETTING_FLAGS = {setting.flag for setting in SETTINGS}
FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"


class Page(NamedTuple):
    """One page: its file, its title, the module whose table it shows, and how."""

    file: str
    title: str
    module: str
    render: Callable[[ModuleType], list[str]]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines]


def code(text: str) -> str:
    """The text as code, or nothing for none."""
    return f"`{text}`" if text else ""


def settings_page(module: ModuleType) -> list[str]:
    """All settings: variable, flag, default, meaning."""
    rows = [
        (
            code(setting.variable) + (f" or {code(setting.variable + '_FILE')}" if setting.secret else ""),
            code(setting.flag),
            code(setting.default),
            setting.help,
        )
        for setting in module.SETTINGS
    ]
    intro = "A flag of `trunkline serve` wins over the variable, the variable over the default; `_FILE` names a file that holds the value."
    return [intro, "", *table(("variable", "flag", "default", "meaning"), rows)]


def commands_page(module: ModuleType) -> list[str]:
    """The command tree: each command with its arguments and options."""
    lines: list[str] = []
    for name, command in _commands("trunkline", module.cli):
        usage = " ".join(
            [name, *(parameter.human_readable_name for parameter in command.params if parameter.param_type_name == "argument")]
        )
        lines += [f"## `{usage}`", "", *((command.help or "").strip().split("\n")), ""]
        takes_settings = {parameter.opts[0] for parameter in command.params} >= SETTING_FLAGS
        lines += ["It takes the flags of [the settings](settings.md).", ""] if takes_settings else []
        told = SETTING_FLAGS if takes_settings else set()
        options = [option for option in command.params if option.param_type_name == "option" and option.opts[0] not in told]
        rows = [(code(", ".join([*option.opts, *option.secondary_opts])), (option.help or "").strip()) for option in options]
        lines += [*table(("option", "meaning"), rows), ""] if rows else []
    return lines[:-1]


def _commands(name: str, command: Any) -> Iterable[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if not children:
        yield name, command
        return
    for child in sorted(children):
        yield from _commands(f"{name} {child}", children[child])


def operations_page(module: ModuleType) -> list[str]:
    """All operations of the HTTP interface, with the credential each takes and whether it is there yet."""
    header = ("method", "path", "credential", "state", "tag", "what it does")
    rows, more = [
        [
            (code(operation.method), code(operation.path), operation.auth, operation.state, operation.tag, operation.summary)
            for operation in operations
        ]
        for operations in (module.OPERATIONS, module.EXTENSIONS)
    ]
    live = sum(operation.state == "live" for operation in module.OPERATIONS)
    intro = (
        f"{len(rows)} operations, {live} of them live; a `planned` one answers 501 after authentication. "
        "Credential: `key` is an inference key, `management` a management key, `any` one of both, `public` none is needed."
    )
    beside = "Beside them: what clients of other APIs call, and what is only here ([explain.md](../explain.md) tells of `/api/v1/route`)."
    return [intro, "", *table(header, rows), "", beside, "", *table(header, more)]


def errors_page(module: ModuleType) -> list[str]:
    """The error types on the wire and the HTTP status of each."""
    intro = "The values of `error.metadata.error_type` and the HTTP status that goes with each."
    return [intro, "", *table(("error type", "status"), ((code(name), str(status)) for name, status in module.STATUS_OF_TYPE.items()))]


def providers_page(module: ModuleType) -> list[str]:
    """The built-in providers: what each is called, how it is spoken to, and what opens it."""
    rows = [
        (code(provider.slug), provider.name, code(provider.dialect), " ".join(code(name) for name in module.variables_of(provider)))
        for provider in module.built_in({}).values()
        if not provider.launch
    ]
    intro = "The built-in providers. An endpoint is ready when the variables are set; [providers.md](../providers.md) tells more."
    return [intro, "", *table(("slug", "name", "dialect", "variables"), rows)]


def configuration_page(module: ModuleType) -> list[str]:
    """The keys of the tables of `trunkline.toml`, but for the lists of the catalogue, whose keys are in the Structs that read them."""
    lines = [
        "`trunkline.toml` describes providers, models and endpoints in lists of tables, and what follows in single tables. "
        "A running server reads it again after SIGHUP.",
    ]
    for field in inspect.type_info(module.Tables).fields:
        listed = isinstance(field.type, inspect.VarTupleType)
        shape = field.type.item_type if isinstance(field.type, inspect.VarTupleType) else field.type
        if isinstance(shape, inspect.StructType):
            name = f"[[{field.encode_name}]]" if listed else f"[{field.encode_name}]"
            lines += _section(name, shape)
    return lines


def _section(name: str, shape: inspect.StructType) -> list[str]:
    """A table with its keys, and then the tables inside it."""
    inner = {key.encode_name: key.type for key in shape.fields if isinstance(key.type, inspect.StructType)}
    rows = [(code(key.encode_name), _default(key), _description(key)) for key in shape.fields if key.encode_name not in inner]
    lines = ["", f"## {code(name)}", "", (shape.cls.__doc__ or "").strip(), "", *table(("key", "default", "meaning"), rows)]
    for key, struct in inner.items():
        lines += _section(f"{name[:-1]}.{key}]", struct)
    return lines


def _default(field: inspect.Field) -> str:
    if field.required:
        return "needed"
    value = field.default if field.default_factory is NODEFAULT else field.default_factory()
    return code(str(value)) if value else ""


def _description(field: inspect.Field) -> str:
    """What the annotation of a key says of it."""
    parts = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
    return " ".join(
        part.extra_json_schema["description"] for part in parts if isinstance(part, inspect.Metadata) and part.extra_json_schema
    )


PAGES = (
    Page("settings.md", "Settings", "trunkline.settings", settings_page),
    Page("configuration.md", "trunkline.toml", "trunkline.catalogue.config", configuration_page),
    Page("providers.md", "Providers", "trunkline.providers.records", providers_page),
    Page("commands.md", "Commands", "trunkline.cli", commands_page),
    Page("operations.md", "Operations of the API", "trunkline.api.routes", operations_page),
    Page("errors.md", "Error types", "trunkline.errors", errors_page),
)


def pages() -> dict[str, str]:
    """File name -> text of every page whose module exists."""
    written = {}
    for page in PAGES:
        if importlib.util.find_spec(page.module) is not None:
            body = page.render(importlib.import_module(page.module))
            note = f"<!-- Written by `make docs` from {page.module}; edit that instead. -->"
            written[page.file] = "\n".join([f"# {page.title}", "", note, "", *body]).rstrip() + "\n"
    return written


def out_of_date(folder: Path = FOLDER) -> list[str]:
    """Names of the pages in `folder` that differ from what the code says."""
    return [name for name, text in pages().items() if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text]


def main() -> int:
    """Writes the pages, or checks them. Exit code 1 when `--check` finds one out of date."""
    stale = out_of_date()
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/reference/{name} is out of date: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"docs/reference: {len(stale)} pages changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
