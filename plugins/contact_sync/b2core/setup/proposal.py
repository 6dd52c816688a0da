"""Propose how contacts are made of a database's tables. Pure: a catalog in, a proposal out.

What the names, types, keys and samples don't say is a doubt in the proposal, never a guess without
a word.
"""

from __future__ import annotations

from contact_sync.b2core.setup import finding, shapes
from contact_sync.b2core.setup import spellings as names
from contact_sync.b2core.setup.addresses import PARTS as ADDRESS
from contact_sync.b2core.setup.addresses import address_of_row
from contact_sync.b2core.setup.children import address_rows, country_rows, phone_rows
from contact_sync.b2core.setup.finding import named, text_value
from contact_sync.b2core.setup.parts import REF, Child, Hop, Key, Proposal, Value
from contact_sync.b2core.setup.phones import phones_of_row
from contact_sync.b2core.setup.rules import consent_rules, deleted_rules, unused_marks
from contact_sync.b2core.setup.tables import INTEGERS, Catalog, Column, Relation
from contact_sync.base.errors import ConfigError
from contact_sync.base.numbers import count

PLAIN = ("status", "client_type", "verification_level", "jurisdiction")
KEYS = ("id", "uuid", "guid", "key", "pk", "code", "no", "number", "ref")
MOST_TOLD = 10  # names


def priority(relation: Relation) -> float:
    """How much a relation's rows may tell, by its names alone; below zero: nothing."""
    if not any(column.is_text or column.is_json or column.category == "A"
               for column in relation.columns):  # fmt: skip
        return 0 if names.CONSENT_TABLES.search(names.snaked(relation.name)) else -1
    score = 10.0 * (next(named(relation, names.COLUMNS["email"]), None) is not None)
    score += 5 * (names.singular(relation.name).split("_")[-1] in names.OWNERS)
    score += 5 * any(names.PHONES.fullmatch(names.letters(c.name)) for c in relation.columns)
    score += 3 * (next(named(relation, names.COLUMNS["city"]), None) is not None)
    score += 3 * bool(names.CONSENT_TABLES.search(names.snaked(relation.name)))
    score += 2 * (0 <= relation.rows < 1_000 and len(relation.columns) < 10)
    score -= 6 * bool(names.NOT_CLIENTS.search(names.snaked(relation.name)))
    return max(score, 0)


def email_of(relation: Relation) -> Column | None:
    """The column with addresses of mail: called so and not full of something else, else one that
    holds them."""
    called = [c for c in named(relation, names.COLUMNS["email"])
              if c.is_text and (not c.values or shapes.are_emails(c, _least(c)))]  # fmt: skip
    return next(iter(called), None) or next(filter(shapes.are_emails, relation.columns), None)


def _least(column: Column) -> float:
    """How many of the values have to be addresses: a login may be none, and what is called e-mail
    is meant to be one, however badly it is kept."""
    return shapes.MOST if names.letters(column.name) in ("login", "username") else shapes.FEW


def candidates(catalog: Catalog) -> list[Relation]:
    """Relations that may hold the clients, likeliest first."""
    scored = []
    for relation in catalog.relations:
        email = email_of(relation)
        if email is None or key_of(relation) is None:
            continue
        referred = sum(
            key.schema == relation.schema and key.name == relation.name
            for other in catalog.relations for key in other.foreign_keys
        )  # fmt: skip
        called = names.singular(relation.name)
        score = 4.0 * (called in names.OWNERS) + 3 * (called.split("_")[-1] in names.OWNERS)
        score -= 8 * bool(names.NOT_CLIENTS.search(names.snaked(relation.name)))
        score += 3 * bool(email.values) + min(referred, 4)
        score += 2 * any(next(named(relation, names.COLUMNS[name]), None) is not None
                         for name in ("first_name", "full_name"))  # fmt: skip
        score += (relation.kind in "rp") + min(max(relation.rows, 1), 10**6) ** 0.1
        score += 0.2 * len(relation.columns) ** 0.5
        scored.append((-score, str(relation), relation))
    return [relation for _, _, relation in sorted(scored, key=lambda each: each[:2])]


def key_of(relation: Relation) -> Key | None:
    """What identifies a row: the primary key, else a unique column, else one that is called so."""
    own = names.letters(names.singular(relation.name))
    called = list(named(relation, (*KEYS, *(f"{own}{key}" for key in KEYS))))
    owners = tuple(f"{owner}{key}" for owner in names.OWNERS for key in KEYS[:3])
    called += list(named(relation, owners))
    column = None
    if len(relation.primary_key) == 1:
        column = relation.get(relation.primary_key[0])
    unique = [c for c in called if c.name in relation.unique]
    column = column or next(iter([*unique, *called]), None)
    if column is None or not (column.type in INTEGERS or column.is_text or
                              column.type in ("uuid", "numeric", "bytea")):  # fmt: skip
        return None
    return Key(column, hashed=column.type not in INTEGERS)


def children_of(
    catalog: Catalog, clients: Relation, key: Key
) -> tuple[dict[str, Column], list[str]]:
    """Relation → its column with the client's key; and what can't be used, in sentences."""
    found: dict[str, Column] = {}
    doubts: list[str] = []
    own = names.singular(clients.name)
    spelled = {f"{owner}{key_name}" for owner in (*names.OWNERS, names.letters(own))
               for key_name in ("id", "uuid", "guid", "key", "no", "ref", "")}  # fmt: skip
    spelled.add(names.letters(key.column.name))
    for relation in catalog.relations:
        if relation is clients:
            continue
        column = _declared(relation, clients, key, doubts)
        if column is None and not _refers_elsewhere(relation, clients, spelled):
            column = _implied(relation, key, spelled)
        if column:
            found[str(relation)] = column
    return found, doubts


def _declared(relation: Relation, clients: Relation, key: Key, doubts: list[str]) -> Column | None:
    """The column with a foreign key to the clients' key; other ones are a doubt."""
    for foreign in relation.foreign_keys:
        if (foreign.schema, foreign.name) != (clients.schema, clients.name):
            continue
        if foreign.target == key.column.name:
            return relation.get(foreign.column)
        doubts.append(
            f"{relation} refers to {foreign.target} of {clients}, not to its key "
            f"{key.column.name}: its rows aren't used"
        )
    return None


def _implied(relation: Relation, key: Key, spelled: set[str]) -> Column | None:
    """The column that is called as if it held the clients' key, and isn't the relation's own."""
    for column in relation.columns:
        if names.letters(column.name) in spelled - set(KEYS) and column.family == key.column.family:
            return column
    return None


def _refers_elsewhere(relation: Relation, clients: Relation, spelled: set[str]) -> bool:
    return any(
        names.letters(key.column) in spelled
        and (key.schema, key.name) != (clients.schema, clients.name)
        for key in relation.foreign_keys
    )


def propose(catalog: Catalog, clients: Relation | None = None) -> Proposal:
    """How contacts are made of this database; `clients`: the relation that a person has chosen.

    Raises ConfigError when no relation looks like clients.
    """
    relation = clients or next(iter(candidates(catalog)), None)
    key = key_of(relation) if relation else None
    if relation is None or key is None:
        raise ConfigError(
            "No table looks like clients: none that this role may read has a key and a column with "
            "addresses of mail. Grant it SELECT on the clients' table for now, or write the "
            "statements by hand: include/sql/b2core/README.md says how"
        )
    children, doubts = children_of(catalog, relation, key)
    places = _places(catalog, relation, key, children)
    values, more = _values(catalog, places)
    doubts += more
    if key.column.name not in relation.unique:
        doubts.append(
            f"{relation}.{key.column.name} isn't declared unique; check-sql says whether it is"
        )
    own_phones = phones_of_row(places)
    phones = _preferred(phone_rows(catalog, children), ("phone", "mobile", "tel"), bool(own_phones))
    has_address = sum(name in values for name in ADDRESS) > 1
    addresses = _preferred(address_rows(catalog, children), ("address",), has_address)
    if addresses:
        values = {name: value for name, value in values.items() if name not in ADDRESS}
        values.pop("country", None)
    rules = [*deleted_rules(catalog, relation), *consent_rules(catalog, relation, children)]
    doubts += unused_marks(catalog, relation, rules)
    if relation.hidden:
        listed = ", ".join(relation.hidden[:MOST_TOLD])
        doubts.append(
            f"{relation} has {count(len(relation.hidden), 'column')} that this role may not "
            f"read, such as "
            f"{listed}: if one says who is deleted or agreed, grant it and run this again"
        )
    return Proposal(
        relation, key, values, phones, own_phones, addresses,
        country_rows(addresses) if addresses and (phones or own_phones) else None, tuple(rules),
        finding.moment(relation, "updated"), doubts=tuple(doubts),
    )  # fmt: skip


def _preferred(child: Child | None, called: tuple[str, ...], own: bool) -> Child | None:
    """The child, unless the client's row has the same and the child is a table of something else,
    as orders are, which have an address too."""
    if child and own and not any(word in names.snaked(child.relation.name) for word in called):
        return None
    return child


def _places(
    catalog: Catalog, clients: Relation, key: Key, children: dict[str, Column]
) -> list[finding.Place]:
    """The client's row, those that it refers to as `address_id`, and those of one row a client."""
    places: list[finding.Place] = [((), clients)]
    for column, foreign in finding.references(catalog, clients).items():
        target = catalog.get(foreign.schema, foreign.name)
        if target and next(named(target, names.COLUMNS["city"]), None):
            places.append(((Hop(column, target, foreign.target),), target))
    for relation in catalog.relations:
        client = children.get(str(relation))
        if client and client.name in relation.unique:
            places.append(((Hop(key.column.name, relation, client.name),), relation))
    return places


def _values(catalog: Catalog, places: list[finding.Place]) -> tuple[dict[str, Value], list[str]]:
    """The contract's columns as far as the client's row has them, and what is doubtful."""
    doubts: list[str] = []
    clients = places[0][1]
    email = email_of(clients)
    values: dict[str, Value] = {"email": Value(email)} if email else {}
    for place in places:
        for name in ("first_name", "last_name", *PLAIN):
            if name in values:
                continue
            found = text_value(catalog, place, name)
            taken = [value.column.name for value in values.values() if value.hops == place[0]]
            if found and not (found.hops == place[0] and found.column.name in taken):
                values[name] = found
        moment = finding.moment(place[1], "registered_on")
        if moment and "registered_on" not in values:
            values["registered_on"] = Value(moment, place[0], _day(moment))
    values |= address_of_row(catalog, places)
    if "first_name" not in values and "last_name" not in values:
        values |= _split_name(catalog, places)
    doubts += [f"no column looks like {name}" for name in ("first_name", "last_name")
               if name not in values]  # fmt: skip
    return values, doubts


def _day(column: Column) -> str:
    return {
        "timestamp with time zone": f"({REF} AT TIME ZONE 'UTC')::date",
        "timestamp without time zone": f"{REF}::date",
    }.get(column.type, REF)


def _split_name(catalog: Catalog, places: list[finding.Place]) -> dict[str, Value]:
    """Of one column with the whole name: its first word, and the rest."""
    for place in places:
        whole = text_value(catalog, place, "full_name")
        if whole:
            name = f"regexp_replace(btrim({REF}::text), '\\s+', ' ', 'g')"
            rest = f"nullif(substr({name}, strpos({name} || ' ', ' ') + 1), '')"
            return {
                "first_name": Value(whole.column, whole.hops, f"split_part({name}, ' ', 1)"),
                "last_name": Value(whole.column, whole.hops, rest),
            }
    return {}
