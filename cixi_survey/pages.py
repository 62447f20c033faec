"""What every page has: context of the layout, static addresses, headers, cookies."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import brotli
import sqlalchemy as sa
from flask import Flask, Response, current_app, g, request, url_for
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_compress import Compress
from flask_login import current_user

from cixi_survey import clock, codes, database, i18n
from cixi_survey.models import Wave

HEADERS = {
    'Content-Security-Policy': (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
    'Cross-Origin-Opener-Policy': 'same-origin',
}
# Parts of addresses that are everybody's; any other part (a code, a receipt) is somebody's own
SHAREABLE = frozenset({'slug', 'rule', 'address'})
COMPRESSED = [
    'text/html',
    'text/css',
    'text/javascript',
    'text/csv',
    'application/json',
    'image/svg+xml',
]


P = ParamSpec('P')
T = TypeVar('T')


def framed(view: Callable[P, T]) -> Callable[P, T]:
    """State of a view that pages of this site, and no others, may show it in a frame."""
    policy = HEADERS['Content-Security-Policy'].replace(
        "frame-ancestors 'none'", "frame-ancestors 'self'"
    )
    return _with_headers(view, {'Content-Security-Policy': policy, 'X-Frame-Options': 'SAMEORIGIN'})


def frames(view: Callable[P, T]) -> Callable[P, T]:
    """State of a view that it shows another page of this site in a frame."""
    policy = f"{HEADERS['Content-Security-Policy']}; frame-src 'self'"
    return _with_headers(view, {'Content-Security-Policy': policy})


def unlisted(view: Callable[P, T]) -> Callable[P, T]:
    """State of a view that no search engine may list it or follow its links."""
    return _with_headers(view, {'X-Robots-Tag': 'noindex, nofollow'})


def _with_headers(view: Callable[P, T], headers: dict[str, str]) -> Callable[P, T]:
    view.headers = headers  # type: ignore[attr-defined]
    return view


class _SessionCookie(SecureCookieSessionInterface):
    """The session cookie is Secure whenever the request came by https, and no matter of files."""

    def get_cookie_secure(self, app: Flask) -> bool:
        del app
        return request.is_secure

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        # Else they would vary with the cookie, and a browser that has them would ask again
        if request.endpoint != 'static':
            super().save_session(app, session, response)


def static_url(filename: str) -> str:
    """Address of a static file that changes with its content, so that it may be kept for a year."""
    folder = Path(str(current_app.static_folder))
    return url_for('static', filename=filename, v=_content_hash(folder / filename))


@cache
def _content_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def site_url() -> str:
    """Address of this site as printed and linked: the setting, or that of the request."""
    return str(current_app.config['SITE_URL'] or request.host_url.rstrip('/'))


def shared_path() -> str:
    """Where this page leads when passed on: to itself, or from one's own to the first page."""
    shareable = request.url_rule is not None and SHAREABLE.issuperset(request.view_args or ())
    return request.path if shareable else '/'


def demonstration() -> bool:
    """Whether this database holds demonstration data; asked once a process."""
    if 'demonstration' not in current_app.extensions:
        if g.get('without_database'):
            return False
        with database.reading() as session:
            found = session.scalar(sa.select(Wave.id).where(Wave.demonstration).limit(1))
        current_app.extensions['demonstration'] = found is not None
    return bool(current_app.extensions['demonstration'])


def _staff_navigation() -> list[tuple[str, str, bool]]:
    """Rooms announce their entries as (permission, endpoint, text) in ``staff_navigation``."""
    entries = current_app.extensions['staff_navigation']
    return [
        (url_for(endpoint), str(text), request.endpoint == endpoint)
        for permission, endpoint, text in entries
        if current_user.may(permission)
    ]


def _context() -> dict[str, Any]:
    staff = None
    if not g.get('without_database') and current_user.is_authenticated:
        staff = current_user
    return {
        'lang': i18n.language(),
        'languages': i18n.known(),
        'elder': i18n.elder(),
        'static_url': static_url,
        'site_url': site_url,
        'shared_path': shared_path(),
        'demo': demonstration(),
        'current_staff': staff,
        'staff_nav': _staff_navigation() if staff else [],
        'contact': current_app.config['CONTACT'],
        'program_version': current_app.config['VERSION'],
        'now': clock.now(),
    }


def _finish(response: Response) -> Response:
    if request.is_secure:
        response.headers['Strict-Transport-Security'] = 'max-age=31536000'
    if request.endpoint == 'static':
        return _finish_static(response)
    view = current_app.view_functions.get(request.endpoint or '')
    for name, value in {**HEADERS, **getattr(view, 'headers', {})}.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault('Cache-Control', 'no-store')
    return response


def _finish_static(response: Response) -> Response:
    """A style sheet or script in its smallest form, made once, with no header that says nothing."""
    response.headers['X-Content-Type-Options'] = 'nosniff'
    for name in ('Accept-Ranges', 'Content-Disposition', 'Expires', 'Last-Modified'):
        response.headers.pop(name, None)
    if 'v' not in request.args:
        response.headers['Cache-Control'] = 'no-cache'
    accepted = request.accept_encodings
    encoding = next((name for name in ('br', 'gzip') if accepted[name] > 0), None)
    if response.status_code == 200 and response.mimetype in COMPRESSED and encoding:
        filename = (request.view_args or {})['filename']
        response.close()  # the file as it lies there
        response.direct_passthrough = False
        response.set_data(_packed(Path(str(current_app.static_folder)) / filename, encoding))
        response.headers['Content-Encoding'] = encoding
        response.set_etag(f'{response.get_etag()[0]}:{encoding}')
        response.make_conditional(request)
    return response


def _without_comments(path: Path) -> str:
    """A text file without its comments and indents, a twelfth of a first view.

    In scripts only lines that are nothing but a comment go.  Hence no text of several lines in a
    script may hold such a line, or need its indents.
    """
    text = path.read_text(encoding='utf-8')
    if path.suffix not in {'.css', '.js'}:
        return text
    comment = r'(?m)^\s*//.*$' if path.suffix == '.js' else r'(?s)/\*.*?\*/'
    return re.sub(r'(?m)^\s+', '', re.sub(comment, '', text))


@cache
def _packed(path: Path, encoding: str) -> bytes:
    data = _without_comments(path).encode()
    return brotli.compress(data) if encoding == 'br' else gzip.compress(data, 9, mtime=0)


def init_app(app: Flask) -> None:
    app.session_interface = _SessionCookie()
    app.config |= {
        'SESSION_COOKIE_NAME': 'cixi',
        'SESSION_COOKIE_HTTPONLY': True,
        'SESSION_COOKIE_SAMESITE': 'Lax',
        'SEND_FILE_MAX_AGE_DEFAULT': 365 * 24 * 3600,
        'COMPRESS_MIMETYPES': COMPRESSED,
    }
    Compress(app)
    app.extensions['staff_navigation'] = []
    app.context_processor(_context)
    app.jinja_env.filters['grouped'] = codes.grouped
    app.after_request(_finish)
