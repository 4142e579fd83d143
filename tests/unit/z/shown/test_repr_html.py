from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

from circuitz.z.model import AnnotatedModel
from circuitz.z.shown.repr_html import MAX_ROWS


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that tags are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def page(z: AnnotatedModel) -> Page:
    made = Page(z._repr_html_())
    assert made.open == []
    return made


def test_it_says_what_z_is(z: AnnotatedModel) -> None:
    text = page(z).text
    for part in ("husky", "3 classes of dog", "2 layers, 6 units", "conv2", "snow on the ground"):
        assert part in text
    assert "1 flagged of 1 claim tested" in text
    assert "unexplained share" in text
    assert "Snow alone makes husky fire." in text
    assert "stale: weights, concepts changed" in text


def test_whatever_people_write_stays_text(new_z: Callable[..., AnnotatedModel]) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
    z = new_z(name=evil, subject=evil, classes=(evil,), story=evil, findings=(), measurements=None)
    z = z.annotate("conv2:2", evil, concepts=(evil,), author=evil).with_(remarks=(evil,))
    made = page(z)
    assert not {"script", "img"} & set(made.tags)
    assert not [name for name, _ in made.attributes if name.startswith("on")]
    assert made.text.count(evil) >= 6


def test_it_stands_alone(z: AnnotatedModel) -> None:
    html = z._repr_html_()
    assert "http" not in html
    assert "<script" not in html
    assert "prefers-color-scheme" in html
    assert "currentColor" in html


def test_two_on_one_page_do_not_share_styles(z: AnnotatedModel) -> None:
    ids = {value for _ in range(2) for name, value in page(z).attributes if name == "id"}
    assert len(ids) == 2


def test_long_lists_are_cut_with_a_count(new_z: Callable[..., AnnotatedModel]) -> None:
    classes = tuple(f"class {i}" for i in range(30))
    z = new_z(classes=classes, findings=(), measurements=None)
    for name in classes:
        z = z.annotate(f"output:{name}", "x", concepts=())
    text = page(z).text
    assert "and 22 more" in text
    assert f"{31 - MAX_ROWS} more annotations" in text


def test_a_bare_model_says_what_is_missing() -> None:
    text = page(AnnotatedModel("m", ("a",))).text
    assert "Nothing is annotated yet" in text
    assert "Not checked yet" in text
    assert "Session only" in text


def test_rules_are_shown_as_such(z: AnnotatedModel) -> None:
    ruled = z.annotate("conv2:2", "x", concepts=(), author="match", author_kind="rule")
    assert "match (rule)" in page(ruled).text
    assert "rule" in page(z.annotate("conv2:2", "x", concepts=(), author_kind="rule")).text
