"""docs/sendgrid-behaviour.md: what nobody documents of SendGrid, from the questions of a probe."""

from __future__ import annotations

from contact_sync.base.account_questions import QUESTIONS, of_part
from contact_sync.probe.run_probe import PARTS
from local.docs_generator.markdown import code, table
from local.stack.directory import ROOT

DOCUMENT = ROOT / "docs" / "sendgrid-behaviour.md"
INTRODUCTION = """\
# What nobody documents of SendGrid

Made by `python -m local.docs_generator` from the questions in
[base/](../plugins/contact_sync/base/account_questions.py): edit those, then `make docs`.

This project has never met a live account. Where documents and recordings say nothing, it makes a
safe choice, which sometimes costs calls and time. Whoever has an account can ask it:

```sh
python -m contact_sync probe sendgrid_default          # asks before, cleans up after itself
python -m contact_sync probe sendgrid_default --clean  # takes away what a killed probe has left
```

`sendgrid_default` is [SendGrid's connection](first-connection.md#3-sendgrid) in Airflow or in
`AIRFLOW_CONN_SENDGRID_DEFAULT`; its key needs *Marketing: Full Access*, and neither B2CORE nor the
state database is needed. The file that is written belongs to the definitions:

```yaml
# include/syncs/NAME.yaml
account: sendgrid_default   # include/accounts/sendgrid_default.yaml
```

`python -m contact_sync validate` says whether it can be read. Runs and verifications tell when
SendGrid does otherwise than it says; then, and once a year, ask again.

It makes contacts at reserved addresses, a list and three custom fields, all with names of their
own, and deletes them at the end. What it makes is noted in a private file before it is made, so
that nothing is left after a kill either. It stops before it begins if something has such a name
or address already. `--addresses` gives the contacts other addresses, `--record` keeps every call
and answer, without secrets and addresses.

Nothing is concluded from a call that fails, a job that isn't over or a search that lags. The
questions of a part that fails stay `unseen`; the reason is told, the exit code is 1, and the next
start asks these alone. A profile that is there isn't replaced by less.

The result is an *account profile*, `include/accounts/CONNECTION.yaml`: each answer with what was
seen. It holds no personal data; keep it beside the definitions. A definition relies on it by
[`account`](reference.md); where it says nothing (`unseen`, `other`), the safe choice stays. The
emulator behaves as a profile says:

```sh
python -m local.sendgrid_emulator --port 8025 --upload-port 8026 \\
  --profile include/accounts/sendgrid_default.yaml
```
"""


def page() -> str:
    """The whole text."""
    lines = [INTRODUCTION]
    for part in PARTS:
        rows = (
            (
                code(question.code),
                question.asks,
                "; ".join(f"{code(key)}: {words}" for key, words in question.answers.items())
                or f"a number of {question.unit}",
                question.documented,
                question.assumed,
                question.observed,
            )
            for question in of_part(part.name)
        )
        titles = ("Code", "Question", "Answers", "Documented", "Until it is known", "Seen by")
        lines += [f"## {part.title[:1].upper()}{part.title[1:]}", "", *table(titles, rows), ""]
    asked = sum(len(of_part(part.name)) for part in PARTS)
    if asked != len(QUESTIONS):
        raise ValueError("A question belongs to no part of a probe")
    return "\n".join(lines)
