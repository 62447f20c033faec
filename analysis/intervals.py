"""Confidence bounds from an estimate, its standard error, its sample size and its df.

Every method answers one question: below (above) which value does the truth lie with
probability ``tail``?  A two-sided interval asks it with tail = (1 − level)/2 at both ends, a
one-sided bound with tail = 1 − level.  Shares use the effective sample size p(1 − p)/V, which
is the size of a simple random sample that would be as precise.

Where the sample shows no variance (p = 0 or 1, or every cluster alike) the effective size is
taken as n: an interval of zero width would claim to know.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from analysis.arguments import real, shown
from analysis.errors import BadOption, listed

Method = Literal['wilson', 'korn-graubard', 'nchs', 'logit', 'likelihood', 'arcsine', 'wald', 't']
METHODS: tuple[str, ...] = get_args(Method)
# R's words: svyciprop(method=), svyquantile(interval.type=).
R_NAMES = {'beta': 'korn-graubard', 'xlogit': 'logit', 'asin': 'arcsine', 'mean': 'wald'}
Bounds = tuple[float, float]
NAN_BOUNDS: Bounds = (math.nan, math.nan)
UNIT: Bounds = (0.0, 1.0)

# Above this multiple of n an effective size says "no variance seen", not "very precise".
NO_VARIANCE = 1e9


def check_method(method: str) -> str:
    """The method's name, R's words (beta, xlogit, asin, mean) turned into those of this package."""
    name = R_NAMES.get(method, method) if isinstance(method, str) else ''
    if name not in METHODS:
        raise BadOption(f'Unknown interval method {shown(method)}; use {listed(METHODS, 20)}.')
    return name


def check_level(level: float) -> float:
    """A confidence level as a share; refuses 95 where 0.95 is meant."""
    if not 0.5 <= real(level, 'level') < 1:
        raise BadOption(f'level is {level!r}; it must be a share from 0.5 to below 1, as 0.95.')
    return float(level)


def t_quantile(probability: float, df: float) -> float:
    """Quantile of Student's t; a domain with df below 1 gets the widest there is, df = 1."""
    from scipy.special import stdtrit

    return float(stdtrit(max(df, 1.0), probability))


def shows_variance(p: float, se: float, n: int) -> bool:
    """Whether a share lies inside its scale and has an error above rounding."""
    spread = p * (1.0 - p)
    return spread > 0 and se * se * n * NO_VARIANCE > spread


def effective_size(p: float, se: float, n: int) -> float:
    """p(1 − p)/V, and n where the sample shows no variance (Korn and Graubard 1998)."""
    return p * (1.0 - p) / (se * se) if shows_variance(p, se, n) else float(n)


def bounds(
    est: float,
    se: float,
    *,
    n: int,
    df: float,
    tail: float,
    method: str,
    limits: Bounds | None = None,
    size: float | None = None,
) -> tuple[float, float, str]:
    """Lower and upper bound, each missed with probability ``tail``, and the method used.

    ``limits`` are the ends of the scale, (0, 1) for shares or (0, 100) for scores; the
    methods for shares need them.  ``size`` replaces the effective sample size that follows
    from ``se`` (a design effect borrowed from elsewhere).  The method that is returned differs
    from the one asked for only where that one has no answer (logit and Wald at 0 and 1):
    Korn–Graubard then.
    """
    method = check_method(method)
    if math.isnan(est) or math.isnan(se):
        return (*NAN_BOUNDS, method)
    if limits is None:
        if method not in ('t', 'wald'):
            raise BadOption(
                f'{method} is for shares and bounded scores.', 'Use t, or give the limits.'
            )
        half = t_quantile(1.0 - tail, df) * se
        return est - half, est + half, method
    low, high = limits
    width = high - low
    p = min(max((est - low) / width, 0.0), 1.0)
    sample = _Sample(p, se / width, n, df, tail, size)
    if sample.no_variance and method not in ('wilson', 'nchs', 'korn-graubard'):
        method = 'korn-graubard'
    first, last = _SHARE_METHODS[method](sample)
    return low + width * max(first, 0.0), low + width * min(last, 1.0), method


@dataclass(frozen=True)
class _Sample:
    """A share with everything its bounds depend on."""

    p: float
    se: float
    n: int
    df: float
    tail: float
    given_size: float | None = None

    @property
    def no_variance(self) -> bool:
        return not shows_variance(self.p, self.se, self.n)

    @property
    def size(self) -> float:
        if self.given_size is not None:
            return self.given_size
        return effective_size(self.p, self.se, self.n)

    @property
    def adjusted_size(self) -> float:
        """n_eff·(t(n − 1)/t(df))²: the variance itself is known from few PSUs only."""
        if self.no_variance or self.n < 2 or self.tail >= 0.5:
            return self.size
        return self.size * (t_quantile(1.0 - self.tail, self.n - 1) / self.t) ** 2

    @property
    def t(self) -> float:
        return t_quantile(1.0 - self.tail, self.df)


def _wilson(s: _Sample) -> Bounds:
    """Score interval with n_eff and t(df): Wilson 1927 (JASA 22); Dean and Pagano 2015."""
    t2, size = s.t**2, s.size
    shrink = 1.0 + t2 / size
    centre = (s.p + t2 / (2.0 * size)) / shrink
    half = math.sqrt(t2 * s.p * (1.0 - s.p) / size + t2 * t2 / (4.0 * size * size)) / shrink
    # At the ends of the scale the formula is exact there, rounding is not.
    return (0.0 if s.p == 0.0 else centre - half), (1.0 if s.p == 1.0 else centre + half)


def _korn_graubard(s: _Sample) -> Bounds:
    """Clopper–Pearson with n_eff·(t(n − 1)/t(df))²: Korn and Graubard 1998 (Surv. Meth. 24)."""
    return _beta(s.p, s.adjusted_size, s.tail)


def _nchs(s: _Sample) -> Bounds:
    """Korn–Graubard with an effective size not above n (NCHS, Series 2 No. 175, 2017)."""
    return _beta(s.p, min(s.adjusted_size, float(s.n)), s.tail)


def _beta(p: float, size: float, tail: float) -> Bounds:
    from scipy.special import betaincinv

    hits, misses = size * p, size * (1.0 - p)
    low = 0.0 if p == 0.0 else float(betaincinv(hits, misses + 1.0, tail))
    high = 1.0 if p == 1.0 else float(betaincinv(hits + 1.0, misses, 1.0 - tail))
    return low, high


def _logit(s: _Sample) -> Bounds:
    """Symmetric on the log odds (R ``svyciprop(method = "xlogit")``)."""
    from scipy.special import expit

    centre = math.log(s.p / (1.0 - s.p))
    half = s.t * s.se / (s.p * (1.0 - s.p))
    return float(expit(centre - half)), float(expit(centre + half))


def _arcsine(s: _Sample) -> Bounds:
    """Symmetric on arcsin √p, the variance-stabilising scale (R ``"asin"``)."""
    centre = math.asin(math.sqrt(s.p))
    half = s.t * s.se / (2.0 * math.sqrt(s.p * (1.0 - s.p)))
    low, high = max(centre - half, 0.0), min(centre + half, math.pi / 2)
    return math.sin(low) ** 2, math.sin(high) ** 2


def _likelihood(s: _Sample) -> Bounds:
    """Values v whose likelihood ratio 2·n_eff·(l(p) − l(v)) is below t² (R ``"likelihood"``)."""
    from scipy.optimize import brentq

    p, size, limit = s.p, s.size, s.t**2

    def excess(value: float) -> float:
        ratio = p * math.log(p / value) + (1.0 - p) * math.log((1.0 - p) / (1.0 - value))
        return 2.0 * size * ratio - limit

    tiny, almost = 1e-300, math.nextafter(1.0, 0.0)
    low = float(brentq(excess, tiny, p, xtol=1e-14)) if excess(tiny) > 0 else 0.0
    high = float(brentq(excess, p, almost, xtol=1e-14)) if excess(almost) > 0 else 1.0
    return low, high


def _wald(s: _Sample) -> Bounds:
    return s.p - s.t * s.se, s.p + s.t * s.se


_SHARE_METHODS: dict[str, Callable[[_Sample], Bounds]] = {
    'wilson': _wilson,
    'korn-graubard': _korn_graubard,
    'nchs': _nchs,
    'logit': _logit,
    'likelihood': _likelihood,
    'arcsine': _arcsine,
    'wald': _wald,
    't': _wald,
}
