"""Every text of a questionnaire that residents read, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cixi_survey.authoring.reading import Reading
from cixi_survey.questionnaire.editing import REMOVED, Change
from cixi_survey.questionnaire.source import Data, Path
from cixi_survey.questionnaire.verify import TRANSLATED


@dataclass(frozen=True)
class Text:
    """One text: where it stands and how it reads in each language."""

    path: Path
    by_language: Mapping[str, str]

    def missing(self, language: str) -> bool:
        """Whether it is not there in a language."""
        return not self.by_language.get(language, '').strip()


def every(reading: Reading) -> Iterator[Text]:
    """The texts of a draft; what is not a text by language is passed over."""
    yield from _walk(dict(reading.data), ())


def without_language(reading: Reading, language: str) -> dict[Path, Change]:
    """The changes that take away the texts in one language."""
    return {
        (*text.path, language): REMOVED
        for text in every(reading)
        if language in text.by_language
    }  # fmt: skip


def _walk(data: Data, path: Path) -> Iterator[Text]:
    if isinstance(data, dict):
        if path and path[-1] in TRANSLATED and all(_is_text(each) for each in data.values()):
            yield Text(path, {key: str(each or '') for key, each in data.items()})
            return
        for key, each in data.items():
            yield from _walk(each, (*path, key))
    elif isinstance(data, list):
        for index, each in enumerate(data):
            yield from _walk(each, (*path, index))


def _is_text(found: Data) -> bool:
    return found is None or isinstance(found, str | int | float)
