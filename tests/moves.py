"""In the test database a delivery makes the moves of the table only: a trigger refuses others."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections
from django.db.models.signals import post_migrate

from newsletter.delivery.transitions import DELIVERY_MOVES
from newsletter.models import Delivery

NAME = "moves_of_the_table_only"


def hold(using: str = "default", **_: Any) -> None:
    """Make the trigger in a database that was migrated, once."""
    pairs = ", ".join(sorted({f"('{move.old}', '{move.new}')" for move in DELIVERY_MOVES}))
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s), to_regproc(%s)", [Delivery._meta.db_table, NAME])
        table, function = cursor.fetchone()
        if table is None or function is not None:
            return
        cursor.execute(
            f"""
            CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF (OLD.state, NEW.state) NOT IN ({pairs}) THEN
                    RAISE EXCEPTION 'no delivery goes from % to %', OLD.state, NEW.state
                        USING ERRCODE = 'check_violation';
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER {NAME} BEFORE UPDATE OF state ON {table} FOR EACH ROW
                WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION {NAME}()
            """
        )


def connect() -> None:
    """Have every database that this process migrates hold the table."""
    post_migrate.connect(hold, dispatch_uid=NAME)


@contextmanager
def any_move() -> Iterator[None]:
    """Let a test put deliveries into the state it begins with."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        yield
        cursor.execute("SET session_replication_role = origin")
