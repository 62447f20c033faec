"""cixi_survey: the public survey and participation platform of Cixi."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from cixi_survey import access, config, database, error_pages, i18n, limits, pages

MAXIMUM_BODY_BYTES = 8 * 1024 * 1024
MAXIMUM_FORM_BYTES = 1024 * 1024


def create_app(settings: config.Config | None = None) -> Flask:
    """Build the application: settings, database, what every page has, the rooms, the commands.

    Raises ProblemsFound when a setting cannot be used, OSError when the data folder cannot be
    written.
    """
    settings = config.make_data_folder(settings or config.load())
    app = Flask(
        __name__,
        template_folder=str(config.ROOT / 'templates'),
        static_folder=str(config.ROOT / 'static'),
    )
    app.config |= {
        'ROOT': config.ROOT,
        'SETTINGS': settings,
        'SECRET_KEY': settings.secret_key,
        'LANGUAGE': settings.language,
        'SITE_URL': settings.site_url,
        'OFFLINE': settings.offline,
        'CONTACT': settings.contact,
        'VERSION': config.VERSION,
        'MAX_CONTENT_LENGTH': MAXIMUM_BODY_BYTES,
        'MAX_FORM_MEMORY_SIZE': MAXIMUM_FORM_BYTES,
        'WTF_CSRF_TIME_LIMIT': None,
        'WTF_CSRF_SSL_STRICT': False,  # some phones send no Referer; the token says enough
    }
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.url_map.strict_slashes = False  # people type a slash at the end
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions['cixi_database'] = database.Database(settings.database_url)
    for part in (pages, i18n, access, limits, error_pages):
        part.init_app(app)
    _open_rooms(app)
    return app


def _open_rooms(app: Flask) -> None:
    from cixi_survey import commands, home
    from cixi_survey.authoring import views as authoring
    from cixi_survey.contacts import views as contacts
    from cixi_survey.respond import views as respond
    from cixi_survey.results import views as results
    from cixi_survey.staff import views as staff
    from cixi_survey.verify import views as verify
    from cixi_survey.waves import views as waves

    for room in (home, verify, respond, contacts, waves, authoring, results, staff):
        app.register_blueprint(room.bp)
    for room in (staff, waves, authoring, results):
        app.extensions['staff_navigation'] += getattr(room, 'NAVIGATION', ())
    commands.register(app)
