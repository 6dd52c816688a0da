"""The contacts of a JSON batch, as they are read for a request."""

from __future__ import annotations

import numpy as np

from contact_sync.contacts.refused_values import Contact
from contact_sync.state.batch_contacts import BatchColumns
from tests.support.samples import payload


def test_a_block_is_its_contacts_one_after_the_other() -> None:
    """Whatever ends a line elsewhere, or has a meaning in CSV."""
    emails = ["a@example.com", '"c\t, d"@example.com', "zoë@example.com"]
    texts = ["", 'O"Neill, \u2028\u0085\x0b\x1c\\', "Zoë"]
    sent = [
        Contact(number, email, payload(email, last_name=text))
        for number, (email, text) in enumerate(zip(emails, texts, strict=True), start=4)
    ]
    together = "".join(one.payload for one in sent).encode()
    assert BatchColumns([4, 5, 6], together, np.zeros(3, np.int64)).contacts() == sent
