"""A part of SGQL: comparisons, IN, LIKE, IS NULL and CONTAINS, joined by NOT, AND, OR and brackets.

Enough to find contacts by address, field or list; everything else is refused, so that a query the
emulator does not understand cannot look like one that matches nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NoReturn

from local.sendgrid_emulator.model.account import Account
from local.sendgrid_emulator.model.contacts import Contact
from local.sendgrid_emulator.model.fields import SLOTS
from local.sendgrid_emulator.model.refusal import Refusal

Predicate = Callable[[Contact], bool]
Value = Callable[[Contact], str | None]
TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")
      | (?P<word>[A-Za-z_]\w*)
      | (?P<sign>!=|<>|[=(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
ESCAPED = re.compile(r"\\(.)|''|\"\"", re.DOTALL)


def parse_query(query: str, account: Account) -> Predicate:
    """Return the predicate of a query. Refuse what is not understood."""
    parser = Parser(query, account)
    found = parser.either()
    if parser.kind:
        parser.refuse()
    return found


class Parser:
    """A query, read from left to right; `kind` and `token` are what comes next."""

    def __init__(self, query: str, account: Account) -> None:
        """Begin at the first token."""
        self._query, self._account, self._end = query, account, 0
        self.next()

    def next(self) -> None:
        """Go to the next token; at the end its kind is empty."""
        self._start = self._end
        found = TOKEN.match(self._query, self._end)
        if found is None and self._query[self._end :].strip():
            self.refuse()
        self.kind = "" if found is None else str(found.lastgroup)
        self.token = "" if found is None else found[self.kind]
        self._end = len(self._query) if found is None else found.end()

    def refuse(self) -> NoReturn:
        """Say where the query is not understood. Raises Refusal."""
        raise Refusal(400, f"query is not understood at position {self._start}", "query")

    def took(self, *words: str) -> bool:
        """Whether the next tokens are these keywords or signs; go past the first if it is."""
        if self.kind == "text" or self.token.upper() not in words:
            return False
        self.next()
        return True

    def expect(self, word: str) -> None:
        """Go past a keyword or sign that has to come."""
        if not self.took(word):
            self.refuse()

    def text(self) -> str:
        """Go past a quoted text and return what it says."""
        if self.kind != "text":
            self.refuse()
        quoted = self.token
        self.next()
        return ESCAPED.sub(lambda found: found[1] or found[0][0], quoted[1:-1])

    def either(self) -> Predicate:
        """Terms joined by OR."""
        terms = [self.both()]
        while self.took("OR"):
            terms.append(self.both())
        return lambda contact: any(term(contact) for term in terms)

    def both(self) -> Predicate:
        """Terms joined by AND, which binds tighter."""
        terms = [self.term()]
        while self.took("AND"):
            terms.append(self.term())
        return lambda contact: all(term(contact) for term in terms)

    def term(self) -> Predicate:
        """One comparison, or a query in brackets, or the opposite of one of them."""
        if self.took("NOT"):
            return opposite(self.term())
        if self.took("("):
            found = self.either()
            self.expect(")")
            return found
        if self.took("CONTAINS"):
            return self.contains()
        return self.comparison(self.value())

    def contains(self) -> Predicate:
        """What follows CONTAINS: (list_ids, 'id')."""
        for word in ("(", "LIST_IDS", ","):
            self.expect(word)
        list_id = self.text()
        self.expect(")")
        return lambda contact: list_id in contact.list_ids

    def value(self) -> Value:
        """A field's value of a contact, or LOWER of one."""
        if self.took("LOWER"):
            self.expect("(")
            value = self.value()
            self.expect(")")
            return lambda contact: (value(contact) or "").lower()
        name = self.token
        if self.kind != "word":
            self.refuse()
        self.next()
        if name in ("contact_id", "id"):
            return lambda contact: contact.id
        slot = slot_of(name, self._account)

        def of(contact: Contact) -> str | None:
            held = contact.values[slot] if slot < len(contact.values) else None
            return None if held is None else str(held)

        return of

    def comparison(self, value: Value) -> Predicate:
        """What a value is compared with. An unset text counts as empty [I]."""
        if self.took("IS"):
            negated = self.took("NOT")
            self.expect("NULL")
            return lambda contact: (value(contact) is None) is not negated
        negated = self.took("NOT")
        if self.took("IN"):
            found = one_of(value, self.texts())
        elif self.took("LIKE"):
            found = like(value, self.text())
        elif negated or self.token not in ("=", "!=", "<>"):
            self.refuse()
        else:
            negated = not self.took("=") and self.took("!=", "<>")
            found = one_of(value, {self.text()})
        return opposite(found) if negated else found

    def texts(self) -> set[str]:
        """Texts in brackets, with commas between them."""
        self.expect("(")
        found = {self.text()}
        while self.took(","):
            found.add(self.text())
        self.expect(")")
        return found


def one_of(value: Value, wanted: set[str]) -> Predicate:
    """Whoever's value is one of these texts."""
    return lambda contact: (value(contact) or "") in wanted


def like(value: Value, pattern: str) -> Predicate:
    """Whoever's value is like a pattern, in which % stands for anything."""
    compiled = re.compile(".*".join(map(re.escape, pattern.split("%"))), re.DOTALL)
    return lambda contact: compiled.fullmatch(value(contact) or "") is not None


def opposite(predicate: Predicate) -> Predicate:
    """Whoever the predicate isn't true of."""
    return lambda contact: not predicate(contact)


def slot_of(name: str, account: Account) -> int:
    """Return the slot of a field by name."""
    if name in SLOTS:
        return SLOTS[name]
    for field in account.fields.custom.values():
        if field.name == name:
            return field.slot
    raise Refusal(400, f"unknown field {name}", "query")
