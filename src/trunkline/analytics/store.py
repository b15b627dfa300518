"""What is read of generations and their roll-ups: one function a question."""

from typing import Final

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trunkline.analytics.rows import COLUMNS, from_row
from trunkline.protocol.generation import GenerationRecord
from trunkline.storage.connection import Connection
from trunkline.storage.schema.telemetry import model_day

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
        .where(model_day.c.day.between(today - DAYS_A_WEEK + 1, today))
        .group_by(model_day.c.model)
    )
    return {model: int(tokens) for model, tokens in await connection.execute(query)}


async def model_totals(connection: AsyncConnection, *, first_day: int, last_day: int) -> dict[str, ModelTotals]:
    """Totals of each model that was used from `first_day` to `last_day`, both included (days since 1970-01-01)."""
    sums = [func.sum(model_day.c[name]) for name in ModelTotals.__struct_fields__]
    query = select(model_day.c.model, *sums).where(model_day.c.day.between(first_day, last_day)).group_by(model_day.c.model)
    return {model: ModelTotals(*map(int, values)) for model, *values in await connection.execute(query)}
