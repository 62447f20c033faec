"""The towns and the villages and communities of the survey's scope, from ``surveys/frame``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from cixi_survey.config import ROOT

FOLDER = ROOT / 'surveys' / 'frame'


@cache
def towns() -> Mapping[str, dict[str, str]]:
    """The name of each town by its 9-digit code, by language, in the plan's order."""
    with (FOLDER / 'towns.csv').open(encoding='utf-8', newline='') as file:
        return MappingProxyType(
            {
                row['town_code']: {'zh': row['town'], 'en': row['town_en']}
                for row in csv.DictReader(file)
            }
        )


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
