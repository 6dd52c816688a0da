"""The failure scenarios that the project answers for, and the list of the tests that prove them.

A test is named after what it proves: `test_A01_A04_late_commit`. `make docs` finds those names and
writes docs/failure-scenarios.md; tests/project/test_scenarios.py holds both together.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from tests.support.erasure_scenarios import ERASURE
from tests.support.lasting_scenarios import LASTING
from tests.support.not_promised import NOT_PROMISED
from tests.support.probe_scenarios import PROBING
from tests.support.proofs import Proof, proofs_of
from tests.support.shown_scenarios import SHOWN
from tests.support.verify_scenarios import VERIFICATION
from tests.support.watch_scenarios import WATCHING

TESTS = Path(__file__).parents[1]
DOCUMENT = TESTS.parent / "docs" / "failure-scenarios.md"

SECTIONS = {
    "A": "Change detection at the source",
    "B": "Identity and mapping",
    "C": "Submitting a job",
    "D": "Polling and confirming",
    "O": "Order, overlap and repeats",
    "F": "Removal, consent, erasure",
    "P": "Platform",
    "H": "Security",
    "L": "Long life",
    "N": "Nothing waits for ever",
    "R": "Rewound, renamed, replaced",
    "S": "What B2CORE's own connection to SendGrid does, and this project keeps",
    "V": "Verification and repair",
    "E": "Erasure on request",
    "W": "Runs that begin with changes",
    "T": "What a person is told before and after a run",
    "Q": "Probes of an account, and their profiles",
}
ELSEWHERE = VERIFICATION | ERASURE | LASTING | WATCHING | SHOWN | PROBING

SCENARIOS = {
    "A01": "A transaction commits after a run has read past its time → the next run sends it",
    "A02": "Thousands of rows with the same time stamp → nothing is paged by it, each is read once",
    "A03": "Rows come and go while they are read → one snapshot, every client exactly once",
    "A04": "A bulk update leaves `updated_at` as it was → the next run sees it all the same",
    "A05": "Only a phone or an address changed → its client is sent",
    "A06": "A phone or address row is deleted → the contact's value is cleared",
    "A07": "A lookup value is renamed → every client that shows it is sent",
    "A08": "A client's row is deleted → it is noticed, counted and treated by the definition",
    "A09": "A client is excluded or erased without a new time stamp → the next run sees it",
    "A10": "Clocks behind `updated_at` are wrong → no row is lost, no watermark runs ahead",
    "A11": "An hour happens twice at the end of summer time → edits in both are found",
    "A12": "Microseconds are cut from a watermark → nothing is lost, nothing is sent for ever",
    "A13": "`updated_at` is NULL → sent once, and not again",
    "A14": "Several tables change while a run reads → no contact mixes two moments for good",
    "A15": "Transaction numbers wrap around → more is read, never less",
    "A16": "The database fails over to a standby → the next run is a full one",
    "A17": "B2CORE is restored from a backup → old values are sent; vanished clients are held",
    "A18": "A replica lags behind → the run fails as stale and the watermark stays",
    "A19": "A standby cancels our query → it is asked again, never half read",
    "A20": "The connection drops in mid-read → nothing of that read is kept, and it is read again",
    "A21": "A long read would block the CRM → time limits, no transaction open during HTTP calls",
    "A22": "A column is dropped, renamed or retyped → a message names it before anything is sent",
    "A23": "A view suddenly shows fewer rows → updates go on, removals wait for a person",
    "A24": "PostgreSQL's counts tell what was written → no more is read, and the same is found",
    "A25": "These counts come late, are reset, missing or not enough → nothing is lost by them",
    "A26": "Neither rows nor catalogs of B2CORE have changed → it is asked one question",
    "A27": "A phone or an address is given to another client → both are right in the next run",
    "B01": "A client changes its address → the new contact first, then the old one goes",
    "B02": "Clients swap or pass on addresses → all contacts are right, nothing needed is deleted",
    "B03": "An unsubscribed person changes the address → the new one is suppressed first",
    "B04": "Two clients share an address → one winner, whatever the order; an exclusion beats all",
    "B05": "The winner leaves a shared address → the other client's values appear",
    "B06": "An address in other case or with white space → the same contact",
    "B07": "Accents, foreign domains, invisible characters → one key, or rejected with reason",
    "B08": "A value becomes NULL or empty → cleared, or counted as stale where that can't be",
    "B09": "A value doesn't fit its field's type → dropped and counted, or rejected; never silent",
    "B10": "The worker's time zone differs → the same bytes; a date is never shifted",
    "B11": "A value is too long → cut between visible characters and counted, or rejected",
    "B12": "Numbers in odd forms → plain decimals, or dropped and counted",
    "B13": "Quotes, commas, line breaks in a CSV cell → every cell arrives as it was meant",
    "B14": "A value looks like a spreadsheet formula → it changes no command and no file of ours",
    "B15": "A phone isn't in E.164 → normalised, or dropped and counted",
    "B16": "A field is deleted or made again in SendGrid → told before sending, or filled again",
    "B17": "The list is deleted in SendGrid → the run says so; made again, everyone is sent again",
    "B18": "The mapping changes → every client is compared again and sent once",
    "B19": "A join gives a client twice → the run stops and names the client's id",
    "B20": "A value is left out, cut or rounded → whose, which, why, since when, until it fits",
    "B21": "A contact on other lists, or with others' values, gets a new address → they go along",
    "B22": "SendGrid holds a value that B2CORE doesn't → a first load and a resend take it away",
    "C01": "Killed between creating an import and storing its id → an empty job, nothing else",
    "C02": "Killed between upload and record → the stored job is polled, nothing is guessed",
    "C03": "Killed in the middle of an upload → the clients are sent again",
    "C04": "An upload of unknown fate → never repeated into the same job",
    "C05": "The upload URL has expired → a new import with the same rows",
    "C06": "Creating an import fails or times out → repeated, a limited number of times",
    "C07": "SendGrid says 429 → waited as told, with limits",
    "C08": "The key is revoked or too weak → a message for a person; nothing is lost",
    "C09": "SendGrid refuses a batch → the contacts it names are rejected, the rest is sent",
    "C10": "A batch is too large → cut by contacts and bytes before it leaves",
    "C11": "The plan's contact limit is reached → said in those words, tried again later",
    "C12": "Bytes get damaged between database and upload → not sent, or refused",
    "C13": "The storage needs its own headers → exactly those, and never our key",
    "C14": "An answer redirects elsewhere → not followed",
    "C15": "The compressed file is cut short → refused, nothing confirmed",
    "C16": "SendGrid refuses a batch and names none → cut until the contacts are found",
    "C17": "A request or file is larger than SendGrid takes → cut, and the next ones are smaller",
    "C18": "SendGrid refuses a field that was made seconds ago → waited for, for a limited time",
    "D01": "A pending job already shows counts → only a terminal status ends it",
    "D02": "A job takes longer than we wait → neither success nor failure; the next run follows it",
    "D03": "A job never ends → given up at its deadline and sent again",
    "D04": "A job ends with row errors → those rejected with reason, the others confirmed",
    "D05": "The errors file is missing or unreadable → nothing is confirmed, all are sent again",
    "D06": "A job fails as a whole → nothing is confirmed; the bad rows are searched for",
    "D07": "A job's counts don't add up → looked up by address before anything is confirmed",
    "D08": "Unknown fields or words in an answer → tolerated; an unknown status is not an end",
    "D09": "Reading back shows old data for a while → waited for, none is rejected at first sight",
    "D10": "Killed while confirming → all of it or nothing",
    "D11": "A step is repeated → once in its effect",
    "D12": "SendGrid has forgotten the job → unknown, not done",
    "D13": "A trigger runs twice → only the operator writes",
    "D14": "The triggerer is down → the task ends visibly, and a new run continues",
    "D15": "SendGrid refuses a value → left out as the definition says, until the value changes",
    "D16": "Jobs tell nothing of a contact → no try of it; after five it is sent alone",
    "D17": "A look at SendGrid disproves a rejection → it is taken back",
    "O01": "An older job would finish after a newer one → nothing is sent before it has ended",
    "O02": "A scheduled run meets a backfill → one at a time, with a reason",
    "O03": "A run outside Airflow's own limits → the lease in the state database counts",
    "O04": "A paused worker wakes up after another has taken over → it may write nothing more",
    "O05": "A task of an old run is cleared → nothing is sent, the watermark stays",
    "O06": "Airflow keeps or loses what a task stored → nothing that is needed is kept there",
    "O07": "Many runs queue up after a pause → the first one sends, the others find nothing",
    "O08": "Batches run side by side → no two hold the same address",
    "O09": "A person comes back while the removal is still slow → the contact is there at the end",
    "O10": "A backfill crashes → the watermark stays where it was",
    "O11": "Definition or code changes between two tasks → the run stops, the next one uses it",
    "O12": "A run waits → its page and its logs say for what, and until when",
    "O13": "Airflow and the report say different things of a run → its page says who did what",
    "O14": "A task's process is killed, once or each time → it is counted, nothing is lost",
    "F01": "A backfill would add excluded clients again, or they are there already → they leave",
    "F02": "Somebody unsubscribed in SendGrid → suppressions are never removed by us",
    "F03": "An erased person returns in B2CORE → held back",
    "F04": "A client is excluded between reading and sending → it isn't uploaded",
    "F05": "B2CORE is suddenly empty → no one is removed",
    "F06": "A limit blocks removals → everything else goes on, and a person can allow them",
    "F07": "A contact is on other lists too → those memberships stay",
    "F08": "A removal is killed, not served, or changes nothing → looked at, repeated harmlessly",
    "F09": "A contact was made again under another id → ids are looked up right before",
    "F10": "A contact was removed by hand in SendGrid → only a run with mode resend brings it back",
    "F11": "An erased person is still in our own stores → nothing is left there",
    "F12": "An excluded client's address is taken over, or upserts fail → the exclusion goes first",
    "F13": "Somebody unsubscribes, bounces, calls a mail spam → read once, by kind and address",
    "F14": "An opt-out is lifted at SendGrid → seen twice before it counts, and it may come back",
    "F15": "The key may not read suppressions → the run ends before anybody is sent",
    "F16": "SendGrid suppresses an address → not sent where the definition says so, until lifted",
    "F17": "B2CORE excludes a client → unsubscribed at SendGrid first, if the definition says so",
    "F18": "A rule about consent breaks → the audit of all that tests send names it",
    "F19": "People are deleted, banned or never agreed → a recipe, and what the SQL does is told",
    "P01": "No space while a file is written → said plainly; the next run sends it",
    "P02": "A file survives a power cut half → no file outlives the step that writes it",
    "P03": "A worker's files are gone → no step needs a file of another one",
    "P04": "The state database is down at any step → every call is stored first; goes on later",
    "P05": "The state database is restored from a backup → all is sent again, and it converges",
    "P06": "The state database is lost → the first load confirms everyone again, removes no one",
    "P07": "Airflow's database is emptied → ours knows all; a new run continues",
    "P08": "A million clients → slices and streams of bounded size",
    "P09": "Personal data in Airflow's database → ids and counts only",
    "P10": "A value of many megabytes → cut to its field's limit",
    "P11": "A task is stopped or killed → at any point, harmless",
    "P12": "A worker's clock is wrong → decisions use the database's clock",
    "P13": "Two deployments fill one account → each would undo the other's work",
    "P14": "State schema and code don't fit → a clear message; upgrades keep the data",
    "P15": "A task does several steps and is killed → the next try goes on; each can be its own",
    "H01": "A forged URL leads to another host → refused",
    "H02": "A compressed answer would fill the memory → cut off",
    "H03": "Signed URLs in logs or errors → never",
    "H04": "Personal data in a database's error text → never passed on",
    "H05": "Unverified TLS → refused, or allowed only in so many words",
    "H06": "A key that may do too much → said by the check",
    "H07": "Proxies from the environment pick up the traffic → ignored",
    "H08": "SendGrid quotes names, links or line ends → its words are kept without them",
    "H09": "Somebody looks clients up, or downloads them → noted in Airflow's audit log",
    "H10": "A new column holds personal data → it has a class, an end, a place in the documents",
    "R01": "A sync is renamed → it goes on with what it knows; a name that is in use isn't taken",
    "R02": "A key leads to another account → the run stops before anything is sent, and says so",
    "R03": "A table is emptied or replaced while it is read → what was read is dropped, read again",
    "R04": "A client's address becomes empty or invalid → its contact goes, by policy and limits",
    "R05": "One field is emptied in many contacts → a person is asked, with field and numbers",
    "R06": "A server or database comes back with an older state → the next run is a full one",
    "R07": "A table is emptied, replaced or altered between two runs → the next run is full",
    "R08": "Of those who share an address the newest is rejected → the next one represents it",
    "R09": "A client id is given to another person → nothing of the first one goes along",
    "R10": "A definition is deleted → its sync restrains nobody in silence, and can be retired",
    "R11": "The state database went back → noticed; nothing in it is believed, all is repaired",
    "R12": "It was restarted, rewritten, migrated, moved whole → no false alarm",
    "R13": "Two state databases fill one account → noticed where they share the place of marks",
    "S01": "Several connections, each with a unique name → a definition and a DAG for each",
    "S02": "An API URL of the US or the EU region → the connection's region or host",
    "S03": "An API key, full or restricted → what it lacks is named before a run",
    "S04": "A connection that isn't enabled → no schedule, and nothing is sent",
    "S05": "A connection is saved → the first run sends every client, whatever its status",
    "S06": "Any later update of a client → the next run sends it",
    "S07": "E-mail, first name and last name → always mapped",
    "S08": "Address, city, state, postal code, country, phone → sent where there is a value",
    "S09": "Several phone numbers → the confirmed one, else the one updated last",
    "S10": "Custom fields for status, type, level, jurisdiction → mapped by their names",
    "S11": "A field that isn't mapped → in no payload",
    "S12": "A list is chosen, or none → every synced client is on it, or on none",
    "S13": "New clients and later updates → the same list",
    "S14": "The connection's status can be checked → all problems at once, without sending",
} | ELSEWHERE
SCENARIOS = {name: SCENARIOS[name] for part in SECTIONS for name in SCENARIOS if name[0] == part}
"""Id → what breaks (S: what B2CORE does) → what is guaranteed."""

LEFT_OUT: dict[str, str] = {
    "F03": "there are no erasure requests yet: a person who returns in B2CORE is a new client",
    "F11": "there are no erasure requests yet; docs/security.md says which store keeps what and "
    "how long",
}
"""Id → why there is no test."""

GUARANTEES = {
    "G1": ("No silent loss: every client is confirmed, pending, rejected or excluded",
           "A01 A03 A14 A20 B09 B19 C03 C09 C16 D03 D04 D05 D07 D12 D15 D16 D17"),
    "G2": ("Convergence: when edits and faults stop, every contact is what B2CORE says",
           "A04 A05 A06 A07 B01 B02 B05 B08 B18 O09 P05 P06 R08 V10"),
    "G3": ("No stale overwrite: uploads with the same address never overlap",
           "C04 D02 O01 O08 O11"),
    "G4": ("Consent: nothing is uploaded for a client that is excluded",
           "A09 B03 B04 F01 F04 F12 F16 F17"),
    "G5": ("No mass damage: what vanishes is removed with limits and approval only",
           "A17 A23 F05 F06 F07 R05"),
    "G6": ("Crash safety: `kill -9` anywhere, or the loss of a database, is harmless",
           "C01 C02 D10 D11 F08 O10 P01 P04 P11 P15"),
    "G7": ("One run at a time for each sync", "O02 O03 O04 O05 O07"),
    "G8": ("Every wait has a deadline, every retry a cap, every buffer a size",
           "A21 C06 C07 C10 C17 C18 D03 H02 N01 N02 N04 P08 P10"),
    "G9": ("Honest status: success means that all is settled and the books balance",
           "A18 A22 B16 B17 B20 C08 C11 D06 F05"),
    "G10": ("No personal data or secret in logs, XCom, errors", "C13 H03 H04 H08 P09"),
}  # fmt: skip
"""Id → the promise, and the scenarios that prove it."""


def proofs(folder: Path = TESTS) -> dict[str, list[Proof]]:
    """Scenario id → its tests, of all test functions in a folder."""
    return proofs_of(SECTIONS, folder)


def document() -> str:
    """The whole text of docs/failure-scenarios.md."""
    found = proofs()
    lines = [
        "# Failure scenarios",
        "",
        "What goes wrong with such a sync, what the project guarantees, and which tests prove it. "
        "Section S has what B2CORE's own connection does.",
        "Made by `python -m tests.support.scenarios` from `tests/support/scenarios.py` and the "
        "names of the tests.",
    ]
    lines += ["", "## Guarantees", "", "| | Guarantee | Scenarios |", "|---|---|---|"]
    for guarantee, (promise, scenarios) in GUARANTEES.items():
        lines.append(f"| {guarantee} | {promise} | {', '.join(scenarios.split())} |")
    lines += ["", "## What is not promised", "", *(f"- {limit}" for limit in NOT_PROMISED)]
    for letter, title in SECTIONS.items():
        lines += ["", f"## {letter}. {title}", ""]
        lines += ["| | What happens → what is guaranteed | Tests |", "|---|---|---|"]
        for scenario, what in SCENARIOS.items():
            if scenario.startswith(letter):
                lines.append(f"| {scenario} | {what} | {_tests(scenario, found)} |")
    return "\n".join(lines) + "\n"


def _tests(scenario: str, found: dict[str, list[Proof]]) -> str:
    if scenario in LEFT_OUT:
        return f"None: {LEFT_OUT[scenario]}"
    by_file: dict[str, list[str]] = defaultdict(list)
    for proof in found.get(scenario, []):
        by_file[proof.file].append(f"`{proof.name}`")
    return "<br>".join(
        f"[{file}](../tests/{file}): {', '.join(names)}" for file, names in by_file.items()
    )


def main() -> None:
    """Write the document."""
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
