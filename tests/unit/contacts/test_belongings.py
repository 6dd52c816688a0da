"""What goes along to a new address, and when SendGrid shows it: all cases without a network."""

from __future__ import annotations

from typing import Any

import pytest

from contact_sync.base.json_columns import Belongings
from contact_sync.base.vocabulary import FieldType, SendGridField
from contact_sync.contacts.belongings import (
    Mover,
    Owned,
    belongings,
    contact_of,
    holds,
    possible,
)

FIELDS = [
    SendGridField("city", "_rf6_T", FieldType.TEXT, custom=False),
    SendGridField("line", "_rf12_T", FieldType.TEXT, custom=False),
    SendGridField("Notes", "e1_T", FieldType.TEXT, custom=True),
    SendGridField("Score", "e2_N", FieldType.NUMBER, custom=True),
    SendGridField("Status", "e3_T", FieldType.TEXT, custom=True),
]
OWNED = Owned(frozenset({"city", "status"}), frozenset({"ours"}))
ANN = Mover(1, "a@x.org", "n@x.org")
BOB = Mover(2, "n@x.org", "a@x.org")


def contact(*lists: str, **values: Any) -> dict[str, Any]:
    """A contact as SendGrid shows it; custom fields begin with a capital letter."""
    custom = {name: value for name, value in values.items() if name[0].isupper()}
    own = {name: value for name, value in values.items() if name not in custom}
    return {
        "city": "",
        "alternate_emails": [],
        **own,
        "list_ids": [*lists],
        "custom_fields": custom,
    }


OLD = contact("ours", "vip", city="Bern", line="L", Notes="n", Score=0, Status="s")


def of(mover: Mover, leaving: set[str], **found: dict[str, Any]) -> Belongings:
    """The mover's belongings, with the contacts of these first letters."""
    contacts = {f"{letter}@x.org": each for letter, each in found.items()}
    return belongings(mover, contacts, leaving, OWNED, FIELDS)


def test_only_what_no_sync_fills_goes_along() -> None:
    """A number 0 is a value; an empty text is none; our list is the upsert's business."""
    given = of(ANN, {"a@x.org"}, a=OLD)
    assert given == Belongings({"line": "L", "Notes": "n", "Score": 0}, ("vip",))
    assert of(ANN, {"a@x.org"}, a=contact("ours", city="Bern", Status="s")).is_empty
    assert of(ANN, set()).is_empty


def test_what_is_there_already_stays() -> None:
    """Of values and of lists; also when it is a 0."""
    given = of(ANN, {"a@x.org"}, a=OLD, n=contact("vip", "news", Notes="theirs", Score=0))
    assert given == Belongings({"line": "L"})


def test_who_moves_away_leaves_nothing_behind() -> None:
    """In a swap each contact becomes the other one's; a number that nobody puts there stays."""
    new = contact("ours", "news", Notes="theirs", Score=5)
    both = {"a@x.org", "n@x.org"}
    ann, bob = of(ANN, both, a=OLD, n=new), of(BOB, both, a=OLD, n=new)
    assert ann == Belongings({"line": "L", "Notes": "n", "Score": 0}, ("vip",), (), ("news",))
    assert bob == Belongings({"Notes": "theirs", "Score": 5}, ("news",), ("line",), ("vip",))
    newcomer = of(Mover(3, None, "a@x.org"), both, a=OLD, n=new)
    assert newcomer == Belongings({}, (), ("line", "Notes"), ("vip",), ("Score",))


@pytest.mark.parametrize("name", ["alternate_emails", "external_id", "phone_number_id"])
def test_what_belongs_to_one_contact_only_stays(name: str) -> None:
    """It is named, and nothing has to be sent for it."""
    given = of(ANN, {"a@x.org"}, a=contact(**{name: ["x@x.org"]}))
    assert (given.stays, given.is_empty) == ((name,), True)


GIVEN = Belongings({"Notes": "n", "Score": 1.5, "line": "L"}, ("vip",), ("city",), ("news",))


@pytest.mark.parametrize(
    ("shown", "all_of_it"),
    [
        (contact("vip", Notes="n", Score=1.5, line="L"), True),
        (contact("vip", "other", Notes="n", Score=1.5, line="L", Status="any"), True),
        (contact("vip", Notes="m", Score=1.5, line="L"), False),
        (contact("vip", Notes="n", line="L"), False),
        (contact("vip", Notes="n", Score=1.5), False),
        (contact(Notes="n", Score=1.5, line="L"), False),
        (contact("vip", "news", Notes="n", Score=1.5, line="L"), False),
        (contact("vip", Notes="n", Score=1.5, line="L", city="Bern"), False),
        ({"list_ids": None, "custom_fields": None}, False),
        (None, False),
    ],
)
def test_only_all_of_it_counts(shown: dict[str, Any] | None, *, all_of_it: bool) -> None:
    """Each value, each list, each field that is emptied, each list that is left."""
    assert holds(shown, GIVEN) is all_of_it


def test_the_request_has_custom_fields_by_id() -> None:
    """As SendGrid takes them; what it emptied is an empty text."""
    given = Belongings({"Notes": "n", "line": "L"}, clears=("Status", "city"))
    assert contact_of("n@x.org", given, FIELDS) == {
        "email": "n@x.org", "line": "L", "city": "", "custom_fields": {"e1_T": "n", "e3_T": ""},
    }  # fmt: skip
    assert contact_of("n@x.org", Belongings(), FIELDS) == {"email": "n@x.org"}


def test_what_the_account_has_no_more_is_left_out() -> None:
    """A field or a list that was deleted since would have SendGrid refuse the whole request."""
    left = possible(GIVEN, FIELDS[2:], {"news"})
    assert left == Belongings({"Notes": "n", "Score": 1.5}, (), (), ("news",))
