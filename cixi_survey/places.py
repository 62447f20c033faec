"""The towns and the villages and communities of the survey's scope, from ``surveys/frame``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from cixi_survey.config import ROOT
from cixi_survey.languages import CODE, NO_LANGUAGE

FOLDER = ROOT / 'surveys' / 'frame'


@cache
def towns() -> Mapping[str, dict[str, str]]:
    """The name of each town by its 9-digit code, by language, in the plan's order.

    A column ``town_<code>`` has the names in that language.
    """
    with (FOLDER / 'towns.csv').open(encoding='utf-8', newline='') as file:
        return MappingProxyType({row['town_code']: _names(row) for row in csv.DictReader(file)})


def _names(row: Mapping[str, str]) -> dict[str, str]:
    others = {
        column.removeprefix('town_'): name
        for column, name in row.items()
        if column.startswith('town_') and CODE.fullmatch(column.removeprefix('town_')) and name
    }
    return {'zh': row['town'], **others}


def town(code: str, kept: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The name of a town by language; the names that were ``kept`` with a wave come first.

    A town that is not of ours is called by its code.
    """
    return {**towns().get(code, {}), **(kept or {})} or {NO_LANGUAGE: code}


@cache
def villages() -> Mapping[str, tuple[str, str]]:
    """Name and town code of each village or community by its 12-digit code."""
    with (FOLDER / 'cixi-villages.csv').open(encoding='utf-8', newline='') as file:
        return MappingProxyType(
            {
                row['village_code']: (row['village'], row['town_code'])
                for row in csv.DictReader(file)
            }
        )
