"""What a page of HTML holds, read by Python's own parser."""

import base64
import html.parser
import io

import numpy as np
import PIL.Image

_EMPTY = {"meta", "img", "link", "br"}


def decoded(source):
    """The picture of a data URI, uint8 [H, W, 3], and its format."""
    head, _, data = source.partition(";base64,")
    with PIL.Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as image:
        assert head == f"data:image/{image.format.lower()}"
        return np.asarray(image.convert("RGB")), image.format


class Page(html.parser.HTMLParser):
    """A page that is well-formed: every element is closed in its order.

    Attributes:
        tags: list of (name, dict of attributes), in order.
        texts: list of (name of the innermost element, text).
        table: list of rows of the cells' texts.
    """

    def __init__(self, path):
        super().__init__()
        self.tags, self.texts, self.table, self._open = [], [], [], []
        self.feed(path.read_text("utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.table.append([])
        elif tag in ("th", "td"):
            self.table[-1].append("")
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] in ("th", "td"):
            self.table[-1][-1] += data
        if data.strip():
            self.texts.append((self._open[-1], data.strip()))

    def all(self, tag):
        """The texts of all elements of a name."""
        return [text for name, text in self.texts if name == tag]

    def pictures(self):
        """A list of (label, uint8 [H, W, 3], format); each decodes and has the stated shape."""
        found = []
        for attributes in (attributes for tag, attributes in self.tags if tag == "img"):
            picture, kind = decoded(attributes["src"])
            scale = int(attributes["width"]) / picture.shape[1]
            assert int(attributes["height"]) == scale * picture.shape[0]
            found.append((attributes["alt"], picture, kind))
        return found
