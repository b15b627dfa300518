"""What is read of generations and their roll-ups: one function a question."""

from typing import Final

from msgspec import Struct, structs
from sqlalchemy import ColumnElement, Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trunkline.analytics.rows import COLUMNS, from_row
from trunkline.protocol.generation import GenerationRecord
from trunkline.protocol.traffic import Traffic, Use
from trunkline.storage.connection import Connection
from trunkline.storage.schema.telemetry import model_day, task_day

DAYS_A_WEEK: Final = 7
_FIND: Final = f"SELECT {', '.join(COLUMNS)} FROM generations WHERE id = ?"  # noqa: S608 - column names are field names


class ModelTotals(Struct, frozen=True, gc=False):
    """Sums of one model over a range of days: tokens, requests, errors among them, and pico-dollars charged."""

    requests: int = 0
    errors: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cost: int = 0


def find_generation(connection: Connection, id: bytes) -> GenerationRecord | None:
    """The stored generation with these 16 bytes as its id. Raises what `connection` raises."""
    row = connection.execute(_FIND, (id,)).fetchone()
    return None if row is None else from_row(row)


async def weekly_tokens(connection: AsyncConnection, *, today: int) -> dict[str, int]:
    """Prompt plus completion tokens of each model used in the seven UTC days that end with `today` (days since 1970-01-01)."""
    query = (
        select(model_day.c.model, func.sum(model_day.c.prompt_tokens + model_day.c.completion_tokens))
        .where(_of_the_week(model_day, today))
        .group_by(model_day.c.model)
    )
    return {model: int(tokens) for model, tokens in await connection.execute(query)}


async def weekly_traffic(connection: AsyncConnection, *, today: int) -> Traffic:
    """What was used in the seven UTC days that end with `today` (days since 1970-01-01)."""
    by_model = select(model_day.c.model, *_use(model_day)).where(_of_the_week(model_day, today)).group_by(model_day.c.model)
    models = {model: Use(*map(int, sums)) for model, *sums in await connection.execute(by_model)}
    of = task_day.c
    by_task = (
        select(of.routed, of.task, of.model, *_use(task_day)).where(_of_the_week(task_day, today)).group_by(of.routed, of.task, of.model)
    )
    tasks: dict[str, dict[str, Use]] = {}
    for routed, task, model, *sums in await connection.execute(by_task):
        use = Use(*map(int, sums))
        if not routed:
            tasks.setdefault(task, {})[model] = use
        elif model in models:
            models[model] = structs.replace(models[model], spent=models[model].spent - use.spent)
    return Traffic(models, tasks)


async def model_totals(connection: AsyncConnection, *, first_day: int, last_day: int) -> dict[str, ModelTotals]:
    """Totals of each model that was used from `first_day` to `last_day`, both included (days since 1970-01-01)."""
    sums = [func.sum(model_day.c[name]) for name in ModelTotals.__struct_fields__]
    query = select(model_day.c.model, *sums).where(model_day.c.day.between(first_day, last_day)).group_by(model_day.c.model)
    return {model: ModelTotals(*map(int, values)) for model, *values in await connection.execute(query)}


def _of_the_week(table: Table, today: int) -> ColumnElement[bool]:
    return table.c.day.between(today - DAYS_A_WEEK + 1, today)


def _use(table: Table) -> tuple[ColumnElement[int], ...]:
    """The sums of `Use`, in its order."""
    of = table.c
    spent = func.sum(of.cost + of.byok_cost)
    return func.sum(of.requests - of.errors), func.sum(of.prompt_tokens), func.sum(of.completion_tokens), func.sum(of.cached_tokens), spent
