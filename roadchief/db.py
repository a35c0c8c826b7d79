"""The database: sessions, tenants, savepoints, column types, and the bridge to Shapely.

What commits: `Database.transaction` at its end, nothing else. What rolls back: any exception
inside it; `savepoint` rolls back to its own beginning only.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any

import shapely
import uuid_utils
from geoalchemy2 import Geometry
from shapely.geometry.base import BaseGeometry
from sqlalchemy import (
    Date,
    DateTime,
    Engine,
    ForeignKeyConstraint,
    MetaData,
    Uuid,
    create_engine,
    event,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from roadchief.config import Settings

APP_ROLE = "roadchief_app"
SRID = 4326

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Shape(Geometry):
    """A PostGIS column that holds Shapely shapes in Python. WKB goes no further than here."""

    cache_ok = True

    def __init__(self, geometry_type: str, **_copied: Any) -> None:
        # SQLAlchemy copies a type by calling it with all attributes; ours are fixed but one.
        super().__init__(geometry_type=geometry_type, srid=SRID, spatial_index=False)

    # GeoAlchemy2 writes a column's nullability into its type; ours is shared by many columns.
    nullable = property(lambda self: True, lambda self, value: None)

    def bind_expression(self, bindvalue: Any) -> Any:
        return bindvalue

    def column_expression(self, col: Any) -> Any:
        return col

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        return to_hex

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[Any], Any]:
        return from_hex


def to_hex(shape: BaseGeometry | None) -> str | None:
    """A shape as the text that PostGIS reads: hexadecimal EWKB with SRID 4326, flat."""
    if shape is None:
        return None
    flat = shapely.set_srid(shapely.force_2d(shape), SRID)
    return str(shapely.to_wkb(flat, hex=True, include_srid=True))


def from_hex(raw: str | bytes | None) -> BaseGeometry | None:
    return None if raw is None else shapely.from_wkb(raw)


point = Annotated[shapely.Point, mapped_column(Shape("POINT"))]
line = Annotated[shapely.LineString, mapped_column(Shape("LINESTRING"))]
polygon = Annotated[shapely.Polygon, mapped_column(Shape("POLYGON"))]
multipolygon = Annotated[shapely.MultiPolygon, mapped_column(Shape("MULTIPOLYGON"))]
geometry = Annotated[BaseGeometry, mapped_column(Shape("GEOMETRY"))]
instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
day = Annotated[date, mapped_column(Date)]


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: DateTime(timezone=True), uuid.UUID: Uuid}  # noqa: RUF012


def new_id() -> uuid.UUID:
    """A UUIDv7: sorts by time, made by us or by a device."""
    return uuid.UUID(bytes=uuid_utils.uuid7().bytes)


def new_ids(count: int) -> bytes:
    """Many of them for COPY, 16 bytes each."""
    return b"".join([uuid_utils.uuid7().bytes for _ in range(count)])


class Tenant:
    """Mixed into every table of a sub-district: the key begins with it and it never changes."""

    subdistrict_id: Mapped[int] = mapped_column(primary_key=True, sort_order=-2)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)


def tenant_fk(column: str, table: str) -> ForeignKeyConstraint:
    """A foreign key inside one sub-district: `(subdistrict_id, column)` to `table`'s key."""
    return ForeignKeyConstraint(
        ["subdistrict_id", column], [f"{table}.subdistrict_id", f"{table}.id"]
    )


class Database:
    """One pool of connections in the app role, and the only commit of the house."""

    def __init__(self, settings: Settings) -> None:
        self.engine = make_engine(settings.database_url, settings)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self, subdistrict_id: int | None) -> Iterator[Session]:
        """One act. Rows of `subdistrict_id` alone are in reach; with None, shared tables alone."""
        with self._sessions() as session, session.begin():
            enter_tenant(session, subdistrict_id)
            yield session

    def tenants(self) -> list[int]:
        """The codes of all sub-districts, for work that is done for one after the other."""
        with self.transaction(None) as session:
            return list(session.scalars(text("SELECT id FROM subdistrict ORDER BY id")))

    @contextmanager
    def streaming(self, subdistrict_id: int) -> Iterator[Session]:
        """A read-only transaction for answers that are sent while they are read."""
        with self.transaction(subdistrict_id) as session:
            session.execute(text("SET TRANSACTION READ ONLY"))
            yield session


def enter_tenant(session: Session, subdistrict_id: int | None) -> None:
    """Open row-level security for one sub-district until the transaction ends.

    A literal SET LOCAL, not set_config(): the latter is not carried to the nodes of a
    distributed PostgreSQL and would show nothing there.
    """
    value = "" if subdistrict_id is None else str(int(subdistrict_id))
    session.execute(text(f"SET LOCAL roadchief.subdistrict = '{value}'"))
    session.info["subdistrict_id"] = subdistrict_id


def tenant_of(session: Session) -> int:
    """The sub-district that this transaction is open for."""
    subdistrict_id = session.info.get("subdistrict_id")
    if subdistrict_id is None:
        raise LookupError("this transaction is open for no sub-district")
    return int(subdistrict_id)


@contextmanager
def savepoint(session: Session) -> Iterator[None]:
    """A part of an act that may fail alone."""
    with session.begin_nested():
        session.connection()  # SAVEPOINT is sent only when the connection is asked for
        yield


def in_turn(session: Session, matter: str, *, together: bool = False) -> None:
    """Wait until others of this sub-district who do the same are done; ours until the commit.

    Those who come `together` wait for the lone ones, and these for them, but not for each other.
    """
    lock = "pg_advisory_xact_lock_shared" if together else "pg_advisory_xact_lock"
    session.execute(
        text(f"SELECT {lock}(:here, hashtext(:matter))"),
        {"here": tenant_of(session), "matter": matter},
    )


def driver_connection(session: Session) -> Any:
    """The psycopg connection of this transaction, for COPY and jobs. Ask inside a savepoint."""
    return session.connection().connection.driver_connection


def make_engine(url: str, settings: Settings) -> Engine:
    """Connections as the app role, whoever the address signs in as."""
    timeout_ms = settings.statement_timeout_s * 1000
    engine = create_engine(
        with_driver(url),
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_pre_ping=True,
        pool_use_lifo=True,  # the connection used last knows its tables and projections already
        connect_args={
            "options": f"-c statement_timeout={timeout_ms} -c timezone=UTC",
            "connect_timeout": 5,
        },
    )
    event.listen(engine, "connect", _take_app_role)
    return engine


def with_driver(url: str) -> Any:
    """`postgresql://…` as SQLAlchemy wants it: with psycopg 3 named."""
    parts = make_url(url)
    return parts.set(drivername="postgresql+psycopg")


def _take_app_role(connection: Any, _record: Any) -> None:
    """Row-level security does not bind the owner of a table, so we never work as owner."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        if cursor.fetchone()[0] != APP_ROLE:
            cursor.execute(f"SET ROLE {APP_ROLE}")
    connection.commit()
