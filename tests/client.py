"""A test client that checks every page that any test opens."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

VOID = frozenset(
    ['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'wbr']
)
SELF_CLOSING_ANCESTORS = frozenset({'svg'})


class Page(HTMLParser):
    """The elements of a page, and what is wrong with it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.ids: Counter[str] = Counter()
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.references: list[str] = []
        self.open: list[str] = []
        self.titles = 0
        self.lang: str | None = None
        self.posts_without_token = 0
        self._form: dict[str, Any] | None = None
        self.feed(html)
        self.close()
        self._conclude()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        for name in given:
            if name == 'style' or name.startswith('on'):
                self.faults.append(f'<{tag}> has an inline {name}')
        if given.get('id'):
            self.ids[str(given['id'])] += 1
        self.references += str(given.get('aria-describedby') or '').split()
        self._look_at(tag, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.faults.append(f'</{tag}> closes {self.open[-1:] or "nothing"}')
            return
        self.open.pop()
        if tag == 'form' and self._form is not None:
            if self._form['method'] == 'post' and not self._form['token']:
                self.faults.append('a POST form without csrf_token')
            self._form = None

    def _look_at(self, tag: str, given: dict[str, str | None]) -> None:
        if tag == 'html':
            self.lang = given.get('lang')
        elif tag == 'title' and 'svg' not in self.open:
            self.titles += 1
        elif tag == 'script' and not given.get('src') and given.get('type') != 'application/json':
            self.faults.append('an inline script')
        elif tag == 'label':
            self.labelled.add(str(given.get('for')))
        elif tag == 'form':
            self._form = {'method': str(given.get('method', 'get')).lower(), 'token': False}
        elif tag in {'input', 'select', 'textarea'}:
            if given.get('name') == 'csrf_token' and self._form is not None:
                self._form['token'] = True
            if given.get('type') not in {'hidden', 'submit', 'button'}:
                self.fields.append({**given, '_in_label': 'yes' if 'label' in self.open else None})
        for name in ('src', 'href'):
            address = str(given.get(name) or '')
            loaded = tag in {'script', 'link', 'img'} and given.get('rel') not in {
                'alternate',
                'canonical',
            }
            if loaded and re.match(r'(https?:)?//', address):
                self.faults.append(f'a third-party request: {address}')

    def _conclude(self) -> None:
        if self.open:
            self.faults.append(f'not closed: {self.open}')
        if self.titles != 1:
            self.faults.append(f'{self.titles} titles')
        if not self.lang:
            self.faults.append('no language on <html>')
        self.faults += [
            f'id {name} stands {count} times' for name, count in self.ids.items() if count > 1
        ]
        self.faults += [
            f'aria-describedby names no id {name}'
            for name in self.references
            if name not in self.ids
        ]
        for field in self.fields:
            named = field.get('aria-label') or field.get('aria-labelledby') or field['_in_label']
            if not named and str(field.get('id')) not in self.labelled:
                self.faults.append(f'a field without label: {field.get("name")}')


class CheckingClient(FlaskClient):
    """Checks the HTML, the headers and the absence of bugs of every page it opens."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        assert response.status_code != 500, response.get_data(as_text=True)
        for header in ('Content-Security-Policy', 'X-Frame-Options', 'Referrer-Policy'):
            assert header in response.headers, f'{header} is missing'
        assert response.headers['X-Content-Type-Options'] == 'nosniff'
        assert 'unsafe-inline' not in response.headers['Content-Security-Policy']
        for cookie in response.headers.getlist('Set-Cookie'):
            assert 'HttpOnly' in cookie, cookie
            assert 'SameSite' in cookie, cookie
        if response.mimetype == 'text/html' and response.status_code not in {301, 302, 303}:
            faults = Page(response.get_data(as_text=True)).faults
            assert not faults, f'{response.request.path}: {faults}'
        return response

    def token(self) -> str:
        """A CSRF token of this client's session, for hand-made POSTs."""
        self.get('/i')
        with self.session_transaction() as session:
            raw = session['csrf_token']
        from itsdangerous import URLSafeTimedSerializer

        secret = self.application.secret_key
        return URLSafeTimedSerializer(str(secret), salt='wtf-csrf-token').dumps(raw)  # type: ignore[return-value]
