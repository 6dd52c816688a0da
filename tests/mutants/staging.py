"""Rules about contacts that are staged in blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from contact_sync.base.arrays import Mask
from tests.integration.sending import test_blocks, test_blocks_in_steps
from tests.mutants.mutant import RUN, SENDING, STATE, Mutant, gives, nothing
from tests.unit.run import test_cut_batches


def everybody(_alike: Any, send: pd.DataFrame, *_: Any) -> Mask:
    """Whatever has to be minded of a contact, it is put into a block."""
    return np.ones(len(send), bool)


def each_by_itself(together: Callable[..., Any], plain: Any, blocks: list[Any]) -> Any:
    """Blocks overlap others and rows, and are parted from them all the same."""
    found = together(plain, blocks)
    ids = np.sort(np.concatenate([plain, [block.first_id for block in blocks]]))
    return found._replace(first_id=ids, last_id=ids, contacts=np.ones(len(ids), np.int64))


MUTANTS = [
    Mutant("Contacts in blocks are in the file of their batch",
           {f"{STATE}.batch_contacts.unpacked": lambda open_, *block: open_(*block)[:0]},
           test_blocks.test_a_first_load_is_sent_from_blocks, {"most": 250_000, "batches": 1}),
    Mutant("A batch that isn't applied whole is judged contact by contact",
           {f"{SENDING}.settle_upsert.unpack_unless": nothing},
           test_blocks.test_whatever_becomes_of_a_batch_its_contacts_are_there,
           {"happens": test_blocks.refused}),
    Mutant("Contacts that were there before the first load are looked at one by one",
           {f"{SENDING}.look_before.unpack_run": nothing},
           test_blocks.test_what_has_to_be_looked_at_is_not_sent_from_blocks,
           {"happens": test_blocks.was_there}),
    Mutant("Where a contact may be taken over nobody is sent from a block",
           {f"{STATE}.outbox_blocks.is_fresh": gives(True)},
           test_blocks.test_what_has_to_be_looked_at_is_not_sent_from_blocks,
           {"happens": test_blocks.kept}),
    Mutant("Where a contact was taken over by then nobody is confirmed from a block",
           {f"{STATE}.outbox_blocks.is_fresh": gives(True)},
           test_blocks.test_whatever_becomes_of_a_batch_its_contacts_are_there,
           {"happens": test_blocks.kept}),
    Mutant("A new key reaches into blocks",
           {f"{STATE}.outbox_blocks.unpack_all": nothing},
           test_blocks_in_steps.test_a_new_key_reaches_what_is_staged_in_blocks),
    Mutant("A plan that is repeated leaves what is being sent",
           {f"{STATE}.batches.has_begun_to_send": gives(False)},
           test_blocks_in_steps.test_a_plan_that_is_repeated_leaves_what_is_being_sent),
    Mutant("An erasure reaches into blocks",
           {f"{STATE}.outbox_blocks.unpack_persons": nothing},
           test_blocks_in_steps.test_an_erasure_purges_blocks, {"known_by": "client"}),
    Mutant("Only contacts that have nothing to be minded are in blocks",
           {f"{RUN}.stage_clients._alike": everybody},
           test_blocks_in_steps.test_a_contact_that_goes_by_json_is_in_no_block),
    Mutant("A block is whole in one batch, with all that is between its clients",
           {f"{RUN}.cut_batches.together": each_by_itself},
           test_cut_batches.test_each_contact_is_in_one_batch_and_each_block_whole),
]  # fmt: skip
