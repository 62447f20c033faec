"""Public functions are held to their own signatures.

A function under ``checked`` gets only arguments of the kinds that its annotations name; anything
else is a ``BadOption`` that says which argument, what it must be and what it is.  Numbers of
numpy become plain ones, a pandas Series or a data frame passes for a mapping.  Columns are
annotated ``Any``: ``analysis.columns`` looks at those.  What values are allowed (a level from
0.5 to below 1) each function says itself.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal, ParamSpec, TypeVar, Union

import numpy as np

from analysis.errors import BadOption, listed

# Beyond this floats are not exact, and no survey counts so far.
LARGEST = 2**53

P = ParamSpec('P')
R = TypeVar('R')


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function with its arguments fitted to the kinds in its signature."""
    signature = inspect.signature(function)
    kinds: dict[str, Any] = {}

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if not kinds:
            kinds.update(typing.get_type_hints(function))
        _refuse_unknown(function.__name__, signature, kwargs)
        bound = _bound(function.__name__, signature, args, kwargs)
        for name, value in bound.arguments.items():
            kind = kinds.get(name, Any)
            if kind is Any:
                continue
            if signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
                bound.arguments[name] = tuple(fitted(one, kind, name) for one in value)
            else:
                bound.arguments[name] = fitted(value, kind, name)
        return function(*bound.args, **bound.kwargs)

    return call


# Words of R's survey and of other packages, and what they are here.
OTHER_WORDS = {
    'fpc': ('population', 'rate'),
    'id': ('ids',),
    'cluster': ('psu',),
    'clusters': ('psu',),
    'stratum': ('strata',),
    'wgt': ('weights',),
    'weight': ('weights',),
    'pweights': ('weights',),
    'probs': ('probabilities',),
    'prob': ('probabilities',),
    'lonely': ('lonely_psu',),
    'conf': ('level',),
    'alpha': ('level',),
    'domain': ('by', 'where'),
    'subset': ('where',),
    'denominator': ('x',),
}
# What people call the table that Design.from_table takes.
TABLES = ('data', 'df', 'frame', 'table')


def _refuse_unknown(name: str, signature: inspect.Signature, given: Iterable[str]) -> None:
    """BadOption for an argument that the function does not have, with the one that is meant."""
    known = signature.parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values()):
        return
    for word in given:
        if word not in known:
            close = [other for other in OTHER_WORDS.get(word, ()) if other in known]
            close = close or difflib.get_close_matches(word, known, 1)
            what = _called(name)
            if what == 'Design' and word in TABLES:
                raise BadOption(
                    f'Design has no argument {word}: it takes columns.',
                    f"Design.from_table({word}, weights='w', strata='s') takes their names.",
                )
            raise BadOption(
                f'{what} has no argument {word}.',
                f'It is called {" or ".join(close)} here.'
                if close
                else f'There are: {listed([each for each in known if each != "self"], 20)}.',
            )


def _bound(
    name: str, signature: inspect.Signature, args: Sequence[Any], given: Mapping[str, Any]
) -> inspect.BoundArguments:
    """The arguments by name; too few or too many are a BadOption that shows the call."""
    try:
        return signature.bind(*args, **given)
    except TypeError as error:
        plain = [each for each in signature.parameters.values() if each.name != 'self']
        alone = next((i for i, each in enumerate(plain) if each.kind is each.KEYWORD_ONLY), None)
        words = [each.name if each.default is each.empty else f'{each.name}=…' for each in plain]
        words = words if alone is None else [*words[:alone], '*', *words[alone:]]
        raise BadOption(
            f'{_called(name)}: {error}.', f'It is called as {_called(name)}({", ".join(words)}).'
        ) from error


def _called(name: str) -> str:
    return 'Design' if name == '__init__' else name


def check_fields(made: Any) -> None:
    """The same for the fields of a frozen data class, from its ``__post_init__``."""
    kinds = typing.get_type_hints(type(made))
    for field in fields(made):
        value = fitted(getattr(made, field.name), kinds[field.name], field.name)
        object.__setattr__(made, field.name, value)


def real(value: Any, name: str) -> float:
    """A number, not NaN, as float."""
    if type(value) is float and not math.isnan(value):
        return value
    plain = (
        value.item() if isinstance(value, np.generic | np.ndarray) and value.ndim == 0 else value
    )
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise _misfit(value, float, name)
    try:
        number = float(plain)
    except OverflowError as error:
        raise _misfit(value, float, name) from error
    if math.isnan(number):
        raise _misfit(value, float, name)
    return number


def whole(value: Any, name: str) -> int:
    """A whole number (3, or 3.0), as int."""
    number = real(value, name)
    if not number.is_integer() or abs(number) > LARGEST:
        raise _misfit(value, int, name)
    return int(number)


def fitted(value: Any, kind: Any, name: str) -> Any:
    """The value as one of this kind; raises BadOption where it is none."""
    if kind is Any:
        return value
    if kind is float:
        return real(value, name)
    if kind is int:
        return whole(value, name)
    origin, inner = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(value, inner, kind, name)
    if origin is Literal:
        return _choice(value, inner, name)
    if origin is Mapping:
        return _mapping(value, inner, kind, name)
    if origin is tuple:
        return _pair(value, inner, kind, name)
    if origin in (list, Sequence, Iterable):
        return _several(value, inner[0] if inner else Any, kind, name)
    if origin is Callable:
        right = callable(value)
    elif kind is bool:
        right = isinstance(value, bool | np.bool_)
    else:
        right = isinstance(value, kind)
    if not right:
        raise _misfit(value, kind, name)
    return bool(value) if kind is bool else value


def _one_of(value: Any, kinds: Sequence[Any], kind: Any, name: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    left = [one for one in kinds if one is not type(None)]
    mappings = [one for one in left if typing.get_origin(one) is Mapping]
    if mappings and _is_mapping(value):
        left = mappings
    if len(left) == 1:
        return fitted(value, left[0], name)
    for one in left:
        try:
            return fitted(value, one, name)
        except BadOption:
            continue
    raise _misfit(value, kind, name)


def _choice(value: Any, options: Sequence[Any], name: str) -> Any:
    if not isinstance(value, str) or value not in options:
        raise BadOption(f'{name} is {shown(value)}; it must be {listed(options, 20)}.')
    return value


def is_table(value: Any) -> bool:
    """Whether a value holds columns by name: a mapping or a data frame."""
    frame = hasattr(value, 'columns') and hasattr(value, '__getitem__')
    return (isinstance(value, Mapping) or frame) and not isinstance(value, type)


def _is_mapping(value: Any) -> bool:
    series = hasattr(value, 'items') and hasattr(value, 'keys')
    return is_table(value) or (series and not isinstance(value, type))


def as_mapping(value: Any) -> Mapping[Any, Any]:
    """A mapping as it is, a Series or data frame as one."""
    if isinstance(value, Mapping):
        return value
    names = value.columns if hasattr(value, 'columns') else value.keys()
    return {key: value[key] for key in names}


def _mapping(value: Any, inner: Sequence[Any], kind: Any, name: str) -> Any:
    if not _is_mapping(value) or (inner[1] is Any and not is_table(value)):
        raise _misfit(value, kind, name)
    named = as_mapping(value)
    if inner[1] is Any:
        return named
    return {key: fitted(one, inner[1], f'{name}[{key!r}]') for key, one in named.items()}


def _pair(value: Any, inner: Sequence[Any], kind: Any, name: str) -> Any:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence | np.ndarray):
        raise _misfit(value, kind, name)
    if (isinstance(value, np.ndarray) and value.ndim != 1) or len(value) != len(inner):
        raise _misfit(value, kind, name)
    return tuple(fitted(one, k, name) for one, k in zip(value, inner, strict=True))


def _several(value: Any, inner: Any, kind: Any, name: str) -> Any:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise _misfit(value, kind, name)
    if isinstance(value, np.ndarray) and value.ndim != 1:
        raise _misfit(value, kind, name)
    return [fitted(one, inner, name) for one in value]


def shown(value: Any) -> str:
    """A value for a message: itself where it is short, else its kind."""
    if value is None or isinstance(value, str | bytes | bool | float | np.generic):
        text = repr(value)
        return text if len(text) <= 60 else f'{text[:57]}…'
    if isinstance(value, int):
        return str(value) if abs(value) < 1e15 else 'a huge number'
    if isinstance(value, type):
        return f'the class {value.__name__}'
    return _with_article(type(value).__name__)


# What was probably meant by a value of another kind.
_MEANT = {
    ('Estimate', 'Estimates'): 'Take one row, rows[label], or go through them.',
    ('Step', 'Weights'): 'Pass its .step.',
    ('Design', 'ReplicateDesign'): 'Pass its .design.',
}


def _misfit(value: Any, kind: Any, name: str) -> BadOption:
    meant = _MEANT.get((getattr(kind, '__name__', ''), type(value).__name__), '')
    return BadOption(f'{name} must be {_described(kind)}; it is {shown(value)}.', meant)


# What a kind is called: one of them, and several.
_WORDS = {
    float: ('a number', 'numbers'),
    int: ('a whole number', 'whole numbers'),
    bool: ('True or False', 'True or False'),
    str: ('text', 'texts'),
    Any: ('a column', 'columns'),
}


def _described(kind: Any) -> str:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return ' or '.join(_described(one) for one in inner if one is not type(None))
    if origin is Mapping:
        return f'a mapping from names to {_plural(inner[1])}'
    if origin is tuple:
        return f'{len(inner)} {_plural(inner[0])} in brackets'
    if origin in (list, Sequence, Iterable):
        return f'a list of {_plural(inner[0])}'
    if origin is Callable:
        return 'a function'
    return _WORDS[kind][0] if kind in _WORDS else _with_article(kind.__name__)


def _plural(kind: Any) -> str:
    if typing.get_origin(kind) is Mapping:
        return f'mappings to {_plural(typing.get_args(kind)[1])}'
    return _WORDS[kind][1] if kind in _WORDS else f'{_described(kind).split(" ", 1)[-1]}s'


def _with_article(word: str) -> str:
    return f'{"an" if word[0] in "aeiouAEIOU" else "a"} {word}'
