"""The clients of a trial, by what a person names or how many are asked for."""

from __future__ import annotations

from collections.abc import Sequence

from contact_sync.base.errors import ConfigError
from contact_sync.lookup.client_keys import clients_named
from contact_sync.lookup.sample_contacts import sample_ids
from contact_sync.sync import Sync


def chosen_clients(
    sync: Sync, names: Sequence[str] | None, sample: int | None
) -> tuple[int, ...] | None:
    """The ids of `sample` clients, or of those called `names` (a key in B2CORE, or an id); None =
    neither is given: it is no trial. Raises ConfigError for a name that nobody has."""
    if sample is not None:
        return tuple(sample_ids(sync.b2core, sample))
    if not names:
        return None
    found = {name: clients_named(sync, name) for name in names}
    if unknown := [name for name, ids in found.items() if not ids]:
        raise ConfigError(
            f"No client of B2CORE has the key or id {', '.join(map(repr, unknown))}. Nothing was "
            f"sent"
        )
    return tuple(dict.fromkeys(client for ids in found.values() for client in ids))
