"""What residents' pages may use, so that the browsers of docs/browsers.md understand them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from jsbeautifier.javascript.options import BeautifierOptions
from jsbeautifier.javascript.tokenizer import TOKEN, Tokenizer

ROOT = Path(__file__).parent.parent
STATIC = ROOT / 'static'
ROOMS = ('components', 'contacts', 'errors', 'home', 'respond', 'results', 'verify')
TEMPLATES = [ROOT / 'templates/layout.html', *(ROOT / 'templates').glob('*/*.html')]
NAMED = {
    name
    for path in TEMPLATES
    if path.parent.name in {'templates', *ROOMS}
    for name in re.findall(r"static_url\('([\w-]+\.(?:js|css))'\)", path.read_text('utf-8'))
}
# Only staff pages of these rooms have them
STAFF = {'paper.css', 'slips.css', 'staff.css'}
SCRIPTS = sorted({name for name in NAMED if name.endswith('.js')} | {'worker.js', 'no-worker.js'})
STYLES = sorted(name for name in NAMED - STAFF if name.endswith('.css'))

# Of ECMAScript 2015; a browser that knows less shows the plain form
OPERATORS = re.compile(r'[!=]==?|&&|\|\||=>|<=?|>=?|<<|>>>?|\+\+|--|[-+*/%&|]=?|[!?:^~]|in')
LATER_WORDS = frozenset({'async', 'await'})
LATER_PATTERN = re.compile(r'/.*(?:\(\?<|/\w*[sdv]\w*$)')
# Of later than Chrome 61 and Safari 11, below which respond.js leaves the form as it is
LATER_NAMES = frozenset(
    [
        *('AbortController', 'IntersectionObserver', 'globalThis', 'queueMicrotask'),
        *('structuredClone', 'allSettled', 'any', 'finally', 'fromEntries', 'hasOwn', 'matchAll'),
        *('at', 'findLast', 'flat', 'flatMap', 'toReversed', 'toSorted', 'replaceAll'),
        *('trimStart', 'trimEnd', 'randomUUID', 'checkVisibility', 'getAnimations'),
        *('replaceChildren', 'showModal', 'toggleAttribute'),
    ]
)
LATER_CSS = (
    r':(?:has|is|where|focus-within)\(',
    r'@(?:layer|container|property|scope|starting-style)\b',
    r'(?<![\w-])(?:clamp|min|max|color-mix|light-dark|oklch|lab|lch)\(',
    r'\d(?:dvh|svh|lvh|dvw|cqw|cqi)\b',
    r'(?<![\w.-])(?:inset|aspect-ratio|translate|scale|rotate)\s*:',
    r'(?<![\w-])(?:margin|padding|border|inset)-(?:inline|block)',
    r'(?m)^\s*&',
    r'\((?:width|height)\s*[<>]',
)


def tokens(name: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each token of a script."""
    stream = Tokenizer((STATIC / name).read_text('utf-8'), BeautifierOptions()).tokenize()
    while stream.hasNext():
        token = stream.next()
        yield token.type, token.text


def later_syntax(name: str) -> Iterator[str]:
    read = list(tokens(name))
    for at, (kind, text) in enumerate(read):
        following = read[at + 1][1] if at + 1 < len(read) else ''
        later = (
            (kind == TOKEN.OPERATOR and not OPERATORS.fullmatch(text))
            or (kind == TOKEN.DOT and text != '.')
            or (kind == TOKEN.WORD and re.match(r'#|\d+_', text))
            or (kind == TOKEN.STRING and LATER_PATTERN.match(text))
            or text in LATER_WORDS
            or (text == 'catch' and read[at - 1][1] != '.' and following != '(')
        )
        if later:
            yield f'{text} {following}'


@pytest.mark.parametrize('name', SCRIPTS)
def test_scripts_of_residents_are_read_by_old_browsers(name: str) -> None:
    assert list(later_syntax(name)) == []
    read = [text for _kind, text in tokens(name)]
    asked = {text for before, text in pairwise(read) if before == '.' or text[:1].isupper()}
    assert sorted(LATER_NAMES & asked) == []


@pytest.mark.parametrize('name', STYLES)
def test_style_sheets_of_residents_are_read_by_old_browsers(name: str) -> None:
    text = re.sub(r'(?s)/\*.*?\*/', '', (STATIC / name).read_text('utf-8'))
    assert [found[0] for rule in LATER_CSS for found in re.finditer(rule, text)] == []


@pytest.mark.parametrize('name', ['style.css', 'respond.css'])
def test_the_questionnaire_needs_no_gap_between_boxes(name: str) -> None:
    """Chrome learned it for flex boxes with 84, years after grids."""
    assert not re.search(r'(?<![\w-])gap\s*:', (STATIC / name).read_text('utf-8'))


def test_the_lists_are_of_the_pages() -> None:
    assert {'respond.js', 'sending.js', 'site.js', 'aloud.js', 'worker.js'} < set(SCRIPTS)
    assert {'style.css', 'respond.css', 'pages.css', 'results.css'} <= set(STYLES)


def test_what_is_too_new_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f'{__name__}.STATIC', tmp_path)
    expressions = ('a?.b', 'a ?? b', '({...a})', 'a ** 2', 'a ??= 2', '/(?<n>a)/', '/a/s', '1_000')
    lines = [f'x = {each};' for each in expressions]
    for line in [*lines, 'try { a(); } catch { b(); }', 'async () => 1']:
        (tmp_path / 'new.js').write_text(line)
        assert list(later_syntax('new.js')), line
