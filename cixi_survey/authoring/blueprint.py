"""The blueprint that the view modules of this room share."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint('authoring', __name__, url_prefix='/staff/questionnaires')
