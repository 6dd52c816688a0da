"""Rules about people who were erased."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from contact_sync.base.errors import ConfigError
from contact_sync.contacts.hash_keys import PLAIN
from contact_sync.contacts.tombstones import NONE
from tests.integration.erasures import (
    test_erasing,
    test_evidence,
    test_hash_keys,
    test_keys_beside_work,
    test_put_back,
    test_several_syncs,
    test_under_fire,
)
from tests.mutants.mutant import Mutant, gives, nothing

ERASING = "contact_sync.run.erasing"


def by_address_only(cover: Callable[..., Any], stones: Any, _ids: Any, hashes: Any) -> Any:
    """A client that has another address by now isn't known again."""
    return cover(replace(stones, groups=tuple(g._replace(ids=g.ids[:0]) for g in stones.groups)),
                 _ids, hashes)  # fmt: skip


def with_what_others_have(_held: Any, *_: Any) -> set[int]:
    """A former address counts as the person's for ever."""
    return set()


def at_once(original: Callable[..., Any], sync: Any, part: Any) -> Any:
    """A miss is final whenever the person was sent."""
    return original(sync, replace(part, seconds_since_sent=None))


def whatever_is_missing(original: Callable[..., Any], *args: Any) -> Any:
    """A key that hashes have and that isn't configured doesn't matter."""
    with suppress(ConfigError):
        return original(*args)
    return False


def the_current_one(_original: Callable[..., Any], keys: Any, *_: Any) -> Any:
    """Tombstones are made with the newest key."""
    return keys.current


MUTANTS = (
    Mutant(
        "whoever was erased is left out of the scan, and of what is staged",
        {"contact_sync.sync.Databases.tombstones": gives(NONE)},
        test_erasing.test_E05_a_person_whom_nobody_knows_yet_never_comes,
    ),
    Mutant(
        "an erased client isn't sent at another address",
        {"contact_sync.contacts.tombstones.Tombstones.cover": by_address_only},
        test_erasing.test_E02_nobody_who_was_erased_comes_back_by_a_run,
        {"kind": "full"},
    ),
    Mutant(
        "whoever was erased after the staging is taken out of the batch",
        {"contact_sync.run.sending.submit.hold_erased": nothing},
        test_under_fire.test_E07_asked_for_during_a_run_it_ends_with_the_next_one,
        {"before": "submit"},
    ),
    Mutant(
        "nothing is purged while something that began before may need it",
        {"contact_sync.state.erasures.is_in_use": gives(False)},
        test_under_fire.test_E07_a_verification_under_way_is_waited_for,
    ),
    Mutant(
        "an address that another client has by now isn't erased",
        {"contact_sync.erasure.request.held_in_b2core": with_what_others_have},
        test_erasing.test_E03_a_former_address_that_is_another_clients_by_now_is_left_alone,
    ),
    Mutant(
        "the same client in another sync isn't another holder of the address",
        {"contact_sync.state.purging.same_clients": lambda _original, _cursor, _person: []},
        test_several_syncs.test_E10_an_address_change_that_not_every_sync_has_seen_splits_nobody,
        {"by": "client", "seen": False},
    ),
    Mutant(
        "a client who was erased in another sync is known here when the address changes",
        {"contact_sync.run.scan_clients._note_erased_elsewhere": nothing},
        test_several_syncs.test_E10_a_sync_that_begins_later_knows_the_client_when_the_address_changes,
    ),
    Mutant(
        "what is put back leaves alone what others have by now",
        {"contact_sync.erasure.transfer.held_in_b2core": with_what_others_have},
        test_put_back.test_E11_an_address_that_was_the_persons_in_the_backup_and_is_anothers_stays,
    ),
    Mutant(
        "nor is one that came to be known since the request",
        {f"{ERASING}.held_in_b2core": with_what_others_have},
        test_erasing.test_E03_a_former_address_that_is_another_clients_by_now_is_left_alone,
    ),
    Mutant(
        "a contact that isn't found is there, for as long as the search may lag",
        {f"{ERASING}._last_look": at_once},
        test_erasing.test_E06_who_was_sent_a_moment_ago_is_looked_for_again,
    ),
    Mutant(
        "no run sends while the state database lacks erasures",
        {"contact_sync.state.erasures.count_known": gives(1 << 40)},
        test_evidence.test_E11_a_restored_state_database_sends_nobody_before_erasures_are_back,
    ),
    Mutant(
        "tombstones get a new key, too",
        {"contact_sync.state.rehashing._tombstones": nothing},
        test_hash_keys.test_E17_nobody_who_was_erased_before_comes_back_with_the_new_key,
    ),
    Mutant(
        "hashes get no key while others are at work",
        {"contact_sync.state.rehashing.all_idle": gives(True)},
        test_hash_keys.test_E17_while_others_are_at_work_hashes_stay_as_they_are,
    ),
    Mutant(
        "a verification that was killed keeps no new key, and no erasure, waiting",
        {"contact_sync.state.verifications.end_dead": nothing},
        test_keys_beside_work.test_E17_a_verification_that_was_killed_keeps_no_key_away,
    ),
    Mutant(
        "while hashes have no key, tombstones have the one that hashes get first",
        {"contact_sync.contacts.hash_keys.HashKeys.for_tombstones": the_current_one},
        test_keys_beside_work.test_E17_erasures_between_two_new_keys_keep_no_key_away,
    ),
    Mutant(
        "no run begins without the keys of the hashes",
        {
            "contact_sync.run.apply_hash_keys.new_keys_wait": whatever_is_missing,
            "contact_sync.contacts.hash_keys.Hashing.of": gives(PLAIN),
        },
        test_hash_keys.test_E12_without_the_key_of_the_hashes_no_run_sends,
    ),
    Mutant(
        "suppressions of erased addresses aren't kept",
        {"contact_sync.run.read_suppressions._not_erased": lambda _original, page, *_: page},
        test_under_fire.test_E15_an_opt_out_stays_at_sendgrid_and_is_not_kept_here,
    ),
)
