"""The declarative base: names of constraints, and the columns that every noun uses."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, mapped_column

from cixi_survey.database import UtcDateTime

Key = Annotated[int, mapped_column(primary_key=True)]
Moment = Annotated[datetime, mapped_column(UtcDateTime())]
Sha256 = Annotated[str, mapped_column(sa.String(64))]
TownCode = Annotated[str, mapped_column(sa.String(9))]
VillageCode = Annotated[str, mapped_column(sa.String(12))]
Json = Annotated[dict[str, object], mapped_column(sa.JSON())]


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            'ix': 'ix_%(table_name)s_%(column_0_N_name)s',
            'uq': 'uq_%(table_name)s_%(column_0_N_name)s',
            'ck': 'ck_%(table_name)s_%(constraint_name)s',
            'fk': 'fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s',
            'pk': 'pk_%(table_name)s',
        }
    )


def one_of(column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    """CHECK that ``column`` holds one of ``words``; named after the column."""
    listed = ', '.join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f'{column} IN ({listed})', name=column)
