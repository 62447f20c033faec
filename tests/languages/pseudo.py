"""A third language made by a program: every message in brackets, with accents and 40 % longer.

What a page shows outside of brackets was never given to a translator.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from cixi_survey.config import ROOT

LOCALE = 'fr'
PLACE = re.compile(r'%\(\w+\)s|%%|https?://\S+|<[^>]+>')
ACCENTS = str.maketrans('aeiouyncAEIOUYNC', 'àéîôûýñçÀÉÎÔÛÝÑÇ')
LONGER = 0.4
METADATA = """\
name = "Þséûdô"
list_comma = " ¦ "
fallback = ["en"]
"""


def extracted(path: Path) -> Catalog:
    """All messages of code and templates, as ``make messages`` collects them into ``path``."""
    command = [
        str(Path(sys.executable).parent / 'pybabel'), '-q', 'extract', '-F', 'babel.cfg',
        '-k', '_l', '-k', 'N_', '-o', str(path), '.',
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    return read_po(BytesIO(path.read_bytes()))


def spoken(message: str) -> str:
    """A message in the made-up language, its places for values as they were."""
    pieces = []
    last = 0
    for place in PLACE.finditer(message):
        pieces += [message[last : place.start()].translate(ACCENTS), place[0]]
        last = place.end()
    pieces.append(message[last:].translate(ACCENTS))
    letters = len(PLACE.sub('', message))
    filler = ' ~' * -(-int(letters * LONGER) // 2)
    return f'⟦{"".join(pieces)}{filler}⟧'


def make(folder: Path, template: Catalog) -> Path:
    """A folder of translations with the languages of the site and the made-up one."""
    shutil.copytree(ROOT / 'translations', folder)
    catalogue = Catalog(locale=LOCALE, fuzzy=False)
    for message in template:
        if message.id:
            catalogue.add(message.id, spoken(str(message.id)))
    messages = folder / LOCALE / 'LC_MESSAGES'
    messages.mkdir(parents=True)
    with (messages / 'messages.mo').open('wb') as file:
        write_mo(file, catalogue)
    (folder / LOCALE / 'language.toml').write_text(METADATA, encoding='utf-8')
    return folder
