"""Labelled samples from PostgreSQL: one consistent read, streamed, of the table that training/schema.sql describes."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from training.exits import Exit, Failure

ROWS_AT_ONCE = 10_000
COLUMNS = SQL("id::text AS id, product, recipe, asset, sensors, label")


def read_rows(url: str, table: str, patience_s: float, say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Raises Failure. A server that is away is waited for; one that breaks off in the middle is not asked from the start again."""
    try:
        with _connect(url, patience_s, say) as connection, connection.cursor("samples", row_factory=dict_row) as cursor:
            cursor.itersize = ROWS_AT_ONCE
            yield from cursor.execute(SQL("SELECT {} FROM {}").format(COLUMNS, Identifier(*table.split("."))))
    except psycopg.OperationalError as error:
        raise Failure(Exit.DATA, "DATABASE_UNREACHABLE", f"PostgreSQL cannot be read: {_words(error)}.",
                      "Look at the server, and at address, name and password in TRAINING_DATABASE_URL.") from None
    except psycopg.Error as error:
        raise Failure(Exit.DATA, "TABLE_UNFIT", f"The table {table} cannot be read: {_words(error)}.",
                      "Make it with training/schema.sql, or name a view with its columns in TRAINING_TABLE.") from None


def _connect(url: str, patience_s: float, say: Callable[[str], None]) -> psycopg.Connection[tuple[Any, ...]]:
    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        say(f"PostgreSQL does not answer ({_words(error)}); trying again.")

    attempts = Retrying(stop=stop_after_delay(patience_s), wait=wait_exponential_jitter(initial=0.5, max=30), reraise=True,
                        retry=retry_if_exception(_may_pass), before_sleep=tell)
    connection: psycopg.Connection[tuple[Any, ...]] = attempts(psycopg.connect, url, connect_timeout=10,
                                                               application_name="context-edge-training")
    # One snapshot for the whole read, and no chance to change anything.
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def _may_pass(error: BaseException) -> bool:
    """Whether waiting may help: a server that answered and said no (wrong password, no such database) says so again."""
    words = str(error)
    has_refused = "FATAL" in words and not any(passing in words for passing in ("starting up", "shutting down", "recovery", "too many"))
    return isinstance(error, psycopg.OperationalError) and not has_refused


def _words(error: BaseException | None) -> str:
    """The first line of what libpq says; it names host and user, never the password."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
