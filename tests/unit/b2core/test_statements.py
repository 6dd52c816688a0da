"""What is seen to be wrong with a statement: the quick look passes over nothing of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from contact_sync.b2core import statements

PIECES = (
    "SELECT 1", ";", "--", "'", "/*", "*/", "\n", " ", "%", "%s", "%(", "%(first_id)s",
    "%(last_id)s", "%(ids)s", "%(first)s", '"a;b"', "$$;$$", "é",
)  # fmt: skip
WANTED = "%(first_id)s %(last_id)s %(ids)s "


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["", WANTED]), st.lists(st.sampled_from(PIECES), max_size=9))
def test_what_the_quick_look_finds_sound_is_sound(begins: str, pieces: list[str]) -> None:
    """By the library that reads the others; comments and texts hide placeholders and semicolons."""
    text = begins + "".join(pieces)
    for name in ("clients", "scan"):
        if statements._is_sound(text, name):
            assert list(statements._told(text, name)) == []


def test_the_quick_look_finds_ordinary_statements_sound() -> None:
    """With comments and texts in them; else it would be of no use."""
    text = f"SELECT 'a;%s' AS x -- %(first)\n/* ; */ WHERE {WANTED}"
    assert statements._is_sound(text, "clients")
    assert not statements._is_sound("-- nothing\n", "scan")
