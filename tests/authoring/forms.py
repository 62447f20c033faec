"""A form of a page, filled in and sent as a browser would, with what stands beside its fields."""

from __future__ import annotations

from html.parser import HTMLParser


class Form(HTMLParser):
    """The fields of the form with an id, and every error beside them."""

    def __init__(self, html: str, id_: str = 'edit') -> None:
        super().__init__(convert_charrefs=True)
        self.id = id_
        self.fields: dict[str, list[str]] = {}
        self.errors: list[str] = []
        self.action = ''
        self._inside = False
        self._select: str | None = None
        self._first: str | None = None
        self._chosen = False
        self._area: str | None = None
        self._error = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or '' for name, value in attrs}
        if tag == 'form':
            self._inside = given.get('id') == self.id
            if self._inside:
                self.action = given['action']
        if not self._inside:
            return
        name = given.get('name')
        if tag == 'p' and 'error' in given.get('class', '').split():
            self._error = True
            self.errors.append('')
        elif tag == 'input' and name:
            kind = given.get('type')
            if kind not in {'checkbox', 'radio'} or 'checked' in given:
                self.fields.setdefault(name, []).append(given.get('value', 'on'))
        elif tag == 'textarea' and name:
            self._area = name
            self.fields[name] = ['']
        elif tag == 'select' and name:
            self._select, self._first, self._chosen = name, None, False
        elif tag == 'option' and self._select:
            value = given.get('value', '')
            if self._first is None:
                self._first = value
                self.fields[self._select] = [value]
            if 'selected' in given:
                self.fields[self._select] = [value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area][0] += data
        if self._error:
            self.errors[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == 'textarea' and self._area:
            self.fields[self._area][0] = self.fields[self._area][0].removeprefix('\n')
            self._area = None
        elif tag == 'select':
            self._select = None
        elif tag == 'p':
            self._error = False
        elif tag == 'form':
            self._inside = False

    def sent(self, do: str = 'save', **changes: str | list[str] | None) -> dict[str, list[str]]:
        """What a browser sends: ``a__b`` for the field ``a.b``; None leaves a field out."""
        data = {name: list(values) for name, values in self.fields.items()}
        for name, value in changes.items():
            name = name.replace('__', '.')
            if value is None:
                data.pop(name, None)
            else:
                data[name] = [value] if isinstance(value, str) else value
        # browsers send line ends as CR LF
        return {
            name: [value.replace('\n', '\r\n') for value in values]
            for name, values in {**data, '_do': [do]}.items()
        }
