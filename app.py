"""The WSGI application, for ``flask --app app`` and for servers (``gunicorn app:app``)."""

from cixi_survey import create_app
from cixi_survey.errors import ProblemsFound

try:
    app = create_app()
except ProblemsFound as found:
    raise SystemExit('\n'.join(problem.text() for problem in found.problems)) from None
except OSError as error:
    raise SystemExit(
        f'The data folder {error.filename} cannot be used: {error.strerror}. '
        'Set CIXI_DATA to a folder that this account may write.'
    ) from None
