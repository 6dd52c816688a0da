"""Rules about what goes along to a new address, and about values that nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from contact_sync.base.json_columns import Belongings
from tests.integration.changes import test_moved_people, test_moves_in_doubt, test_values_before
from tests.integration.sending import test_group_unsubscribes
from tests.mutants.mutant import RUN, SENDING, STATE, Mutant, gives, nothing


def as_it_is(_look: Any, _sync: Any, _run: Any, plan: Any, **_how: Any) -> Any:
    """Nobody is looked at."""
    return plan


def none_waits(_original: Any, *_: Any) -> dict[str, bool]:
    """Former contacts go at once."""
    return {}


def all_there(belongings: Callable[..., Belongings], *args: Any) -> Belongings:
    """What is at the new address already is overwritten."""
    mover, found, *rest = args
    return belongings(mover, {mover.former: found.get(mover.former, {})}, *rest)


def nobody_leaves(
    belongings: Callable[..., Belongings], mover: Any, found: Any, _leaving: Any, *rest: Any
) -> Belongings:
    """What another client leaves at an address is taken for somebody else's."""
    return belongings(mover, found, (), *rest)


def with_names(plan: Callable[..., Any], *args: Any) -> Any:
    """What can't be moved isn't counted."""
    planned = plan(*args)
    return replace(planned, counts=planned.counts | {"unmovable": 0})


MUTANTS = [
    Mutant("What others have put on a contact goes along to the new address",
           {f"{RUN}.plan_batches.plan_moves": as_it_is},
           test_moved_people.test_B21_lists_and_foreign_values_go_along,
           {"lane": "csv", "policy": "unlist"}),
    Mutant("The former contact stays until the new one shows what it held",
           {f"{STATE}.moves.waiting_removals": none_waits},
           test_moves_in_doubt.test_B21_the_old_contact_stays_until_the_new_one_shows_all,
           {"trouble": "refused"}),
    Mutant("A move is believed when it is seen",
           {f"{SENDING}.move_person.holds": gives(True)},
           test_moves_in_doubt.test_B21_the_old_contact_stays_until_the_new_one_shows_all,
           {"trouble": "not stored"}),
    Mutant("What is at the new address isn't overwritten",
           {f"{SENDING}.move_person.belongings": all_there},
           test_moved_people.test_B21_what_is_at_the_new_address_already_is_not_overwritten),
    Mutant("Nobody keeps what another client takes along",
           {f"{SENDING}.move_person.belongings": nobody_leaves},
           test_moved_people.test_B21_B02_a_swap_of_addresses_swaps_what_is_on_the_contacts,
           {"lane": "json"}),
    Mutant("What another sync fills is left to it",
           {f"{STATE}.moves.other_destinations": gives(())},
           test_moved_people.test_B21_what_another_sync_fills_is_left_to_it),
    Mutant("What can't be moved is told",
           {f"{RUN}.plan_batches.plan_moves": with_names},
           test_moved_people.test_B21_what_cannot_be_moved_is_named_before_anything_is_deleted),
    Mutant("A first load looks at contacts that were there before",
           {f"{RUN}.plan_batches.look_before": as_it_is},
           test_values_before.test_B22_a_contact_that_was_there_before_the_first_load_is_made_equal,
           {"lane": "csv", "empty_cell": "keep"}),
    Mutant("Unsubscribes from groups follow to the new address",
           {f"{SENDING}.prepare._suppress_in": nothing},
           test_group_unsubscribes.test_B03_the_unsubscribe_of_a_group_follows_the_client,
           {"lane": "json"}),
]  # fmt: skip
