"""What a calibration did, in the form the variance needs: the GREG residual.

Weights that reproduce known totals X of auxiliaries x have the variance of the residuals
e = y − x'B, B from the regression on x with the weights before the step (Deville and Särndal
1992, JASA 87, eq. 3.4; Särndal, Swensson and Wretman 1992, section 6.6).  Post-stratification
and raking are the case where x are indicators of groups.

Trimming has no totals to meet but one, the sum of the weights before it.  A row cut at a limit c
counts c and hands what it had above on to the free rows, so that with w' = t(w) the influence of
row i on Σw'y is

    w'ᵢyᵢ − (w'ᵢ − wᵢ)ȳ,    ȳ the mean of y over the free rows (weighted if shared in proportion),

found by differentiating Σ mᵢw'ᵢyᵢ by mᵢ, how often row i is in the sample (a resampled PSU comes
with its limit and its share, and the numbers of cut and free rows follow).  What the weights
before it carry is ryᵢ + (1 − r)ȳ with the slope r = ∂w'/∂w: the column whose calibration residual
the earlier steps are asked for.  Cut rows have r = 0, free ones 1 (additive) or w'/w (in
proportion).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from analysis.columns import Codes, Floats, Groups, Mask, ratio, sums
from analysis.errors import BadOption

# How far a factor may lie from what it is claimed to be: files hold rounded weights.
ROUNDED = 0.02
# New weights of a replicate, from its weights before the step and from how often it has each row.
Redo: TypeAlias = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, eq=False)
class Block:
    """Auxiliaries that are zero outside their group: x[i] in column codes[i], else 0."""

    codes: Codes
    size: int
    x: Floats | None = None

    def cross(self, values: Floats, domain: Codes | None, domains: int) -> Floats:
        """Σ x·values by auxiliary and domain, an array (size, domains)."""
        key = self.codes if domain is None else self.codes * domains + domain
        weighted = values if self.x is None else values * self.x
        table = sums(key, weighted, self.size * domains)
        return table.reshape(self.size, domains)

    def fitted(self, coefficients: Floats) -> Floats:
        """x'B by row for coefficients (size, k): an array (n, k)."""
        result = coefficients[self.codes]
        return result if self.x is None else result * self.x[:, None]


def cross_cells(margins: Sequence[Groups]) -> tuple[Codes, Codes]:
    """The cell of each row in the cross-table, and each cell's level in every margin."""
    cell = margins[0].codes.copy()
    size, squeezed = len(margins[0]), False
    for margin in margins[1:]:
        if size * len(margin) > 2_000_000:
            squeezed = True
            _, cell = np.unique(cell, return_inverse=True)
            size = int(cell.max()) + 1
        cell *= len(margin)
        cell += margin.codes
        size *= len(margin)
    if size > 4 * len(cell) + 1000:
        _, cell = np.unique(cell, return_inverse=True)
        size = int(cell.max()) + 1
        squeezed = True
    if squeezed:
        cells = np.zeros((size, len(margins)), dtype=np.intp)
        for j, margin in enumerate(margins):
            cells[cell, j] = margin.codes
    else:
        levels = np.unravel_index(np.arange(size), [len(margin) for margin in margins])
        cells = np.stack(levels, axis=1)
    return cell, cells


@dataclass(frozen=True, eq=False)
class Step:
    """One adjustment of the weights: auxiliaries, weights before, weights after.

    ``from_sample`` marks totals that were estimated from the sample itself (non-response
    adjustment): they vary from sample to sample, so their part is added back.  ``redo`` makes
    the same adjustment in a replicate, from its weights and from how often it has each row.

    ``slope`` marks a trimming (r above) and ``metric`` gives the weights of its mean ȳ; those of
    a regression are the weights before the step.  ``parts`` are the steps of one that was made of
    several.
    """

    blocks: tuple[Block, ...]
    before: Floats
    after: Floats
    from_sample: Floats | None = None
    redo: Redo | None = None
    slope: Floats | None = None
    metric: Floats | None = None
    parts: tuple[Step, ...] = ()

    @classmethod
    def on_groups(
        cls,
        margins: Sequence[Groups],
        *,
        before: Floats,
        after: Floats,
        from_sample: Floats | None = None,
        redo: Redo | None = None,
    ) -> Step:
        """A step whose totals were counts of groups (cells, or the margins of a raking)."""
        blocks = tuple(Block(margin.codes, len(margin)) for margin in margins)
        return cls(blocks, before, after, from_sample, redo)

    @classmethod
    def of_trimming(
        cls, before: Floats, after: Floats, free: Mask, *, additive: bool, redo: Redo
    ) -> Step:
        """A step that cut weights at limits and shared the rest among the ``free`` rows."""
        if additive:
            slope = free.astype(np.float64)
            metric = slope
        else:
            metric = np.where(free, before, 0.0)
            slope = ratio(np.where(free, after, 0.0), metric, 0.0)
        everybody = Block(np.zeros(len(before), dtype=np.intp), 1)
        return cls((everybody,), before, after, redo=redo, slope=slope, metric=metric)

    @classmethod
    def in_turn(cls, parts: Sequence[Step]) -> Step:
        """Several steps, each from the weights of the one before, as one."""

        def redo(start: Floats, times: Floats) -> Floats:
            for part in parts:
                assert part.redo is not None
                start = part.redo(start, times)
            return start

        return cls((), parts[0].before, parts[-1].after, redo=redo, parts=tuple(parts))

    @property
    def regression_weights(self) -> Floats:
        return self.before if self.metric is None else self.metric

    @cached_property
    def cells(self) -> tuple[Codes, Codes] | None:
        """Cell of each row in the cross-table of the margins and the cells' levels.

        None when an auxiliary is not just a group.
        """
        if any(block.x is not None for block in self.blocks):
            return None
        return cross_cells([Groups(block.codes, range(block.size)) for block in self.blocks])

    def fitted_cells(self, coefficients: Floats) -> Floats:
        """x'B for each cell, (cells, k)."""
        assert self.cells is not None
        start, result = 0, np.zeros((1, coefficients.shape[1]))
        for j, block in enumerate(self.blocks):
            result = result + coefficients[start + self.cells[1][:, j]]
            start += block.size
        return result

    @property
    def size(self) -> int:
        return sum(block.size for block in self.blocks)

    def cross(self, values: Floats, domain: Codes | None = None, domains: int = 1) -> Floats:
        """Σ x·values for all auxiliaries, (size, domains)."""
        if self.cells is None or len(self.blocks) == 1:
            return np.vstack([block.cross(values, domain, domains) for block in self.blocks])
        cell, levels = self.cells
        if len(levels) * domains > len(values):
            return np.vstack([block.cross(values, domain, domains) for block in self.blocks])
        # The rows are read once, into the cross-table; the margins are sums over that small table.
        key = cell if domain is None else cell * domains + domain
        table = sums(key, values, len(levels) * domains).reshape(len(levels), domains)
        parts = [np.zeros((block.size, domains)) for block in self.blocks]
        for j, part in enumerate(parts):
            np.add.at(part, levels[:, j], table)
        return np.vstack(parts)

    def fitted(self, coefficients: Floats) -> Floats:
        """x'B by row, (n, k)."""
        start, result = 0, np.zeros((1, coefficients.shape[1]))
        for block in self.blocks:
            result = result + block.fitted(coefficients[start : start + block.size])
            start += block.size
        return result

    def cross_with(self, other: Step, weights: Floats) -> Floats:
        """Σ w·x·x' between the auxiliaries of two steps, (size, other.size)."""
        columns = [
            self.cross(weights if b.x is None else weights * b.x, b.codes, b.size)
            for b in other.blocks
        ]
        return np.hstack(columns)

    @cached_property
    def inverse(self) -> Floats:
        """Generalised inverse of Σ q·x·x', q the regression weights.

        Margins overlap: each adds up to everybody.
        """
        gram = self.cross_with(self, self.regression_weights)
        scale = np.sqrt(np.where(np.diag(gram) > 0, np.diag(gram), 1.0))
        scaled = np.linalg.pinv(gram / np.outer(scale, scale), rcond=1e-10, hermitian=True)
        return np.asarray(scaled / np.outer(scale, scale))


def refuse_untrue(step: Step) -> None:
    """Raises BadOption where weights cannot have come from the base weights by these groups.

    g = after/before is the same within the cells of one margin; over several it is a product of
    their levels (raking) or a sum (linear calibration), up to the rounding of files.
    """
    bare = np.flatnonzero((step.before == 0) & (step.after != 0))
    if bare.size:
        raise BadOption(
            f'The base weight is 0 and the final one is not: row {bare[0] + 1}.',
            'Name the weights before the adjustment.',
        )
    factor = ratio(step.after, step.before)
    gap = _misfit(step, factor)
    row = int(gap.argmax())
    if gap[row] > ROUNDED:
        what = (
            'is not the same for all rows of a group'
            if len(step.blocks) == 1
            else 'is neither a product nor a sum over the levels of these columns'
        )
        raise BadOption(
            'The weights were not made from the base weights by these columns: final/base '
            f'{what} (furthest off in row {row + 1}: {factor[row]:.4g}).',
            'Name the columns and the base weights of that very adjustment.',
        )


def _misfit(step: Step, factor: Floats) -> Floats:
    """By row, how far the factor is from the nearer of a sum and a product over the groups."""
    used = (step.before > 0).astype(np.float64)
    probe = Step(step.blocks, used, step.after)
    claims = [(factor, np.maximum(np.abs(factor), ROUNDED))]
    if factor.min() > 0:
        claims.append((np.log(factor), np.ones(len(factor))))
    gaps = []
    for claimed, scale in claims:
        fitted = probe.fitted(probe.inverse @ probe.cross(used * claimed))[:, 0]
        gaps.append(used * np.abs(claimed - fitted) / scale)
    return min(gaps, key=lambda gap: float(gap.max()))
