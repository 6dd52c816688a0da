"""Rules of repairs, rebuilds and shadows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.integration.verify import test_rebuild, test_repair
from tests.mutants.mutant import SENDGRID, STATE, Mutant, gives, nothing
from tests.unit.sendgrid import test_shadow

REPAIR, REBUILD = "contact_sync.verify.repair", "contact_sync.verify.rebuild"


def any_number(take_off: Callable[..., int], *args: Any) -> int:
    """Whatever number a person has named is the right one."""
    *found, approved = args
    return 0 if approved is None else take_off(*found, 1)


MUTANTS = [
    Mutant("Foreign contacts leave the list for their exact number only",
           {f"{REPAIR}._take_foreign_off": any_number},
           test_repair.test_V07_foreign_contacts_are_touched_for_the_exact_number_only),
    Mutant("A repair waits for the run that is at work",
           {f"{STATE}.leases.refuse_at_work": nothing},
           test_repair.test_V08_a_repair_waits_for_the_run_that_is_at_work),
    Mutant("What is forgotten is waited for before an export",
           {f"{STATE}.identity.seconds_since_forgotten": gives(10**9)},
           test_rebuild.test_V11_requests_that_are_forgotten_are_waited_for),
    Mutant("A rebuild trusts no masks of other fields",
           {f"{REBUILD}._keep_fields": nothing},
           test_rebuild.test_V11_fields_that_have_changed_places_are_refused),
    Mutant("A shadow makes no call that may change the account",
           {f"{SENDGRID}.transport.refuse_writing": nothing},
           test_shadow.test_V09_nothing_of_a_writing_call_leaves, {"name": "upsert_contacts"}),
]  # fmt: skip
