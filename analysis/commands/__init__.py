"""The commands behind ``python -m analysis``: each reads, computes, and returns text."""

from __future__ import annotations

from typing import Any

from analysis.commands import estimating, planning, weighting


def add_all(commands: Any) -> None:
    """Register every command with its options."""
    for module in (estimating, planning, weighting):
        module.add(commands)
