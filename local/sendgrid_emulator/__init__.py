"""A strict local stand-in for SendGrid's Marketing Campaigns contacts API.

It serves the demo, the tests and the benchmarks. It follows Twilio's published API description and
what recordings of the real service show; where nobody knows, it takes a decision that a setting
can turn round (`model/settings.py`). It imports nothing of the product, so a mistake made there
cannot be repeated here. Start it with `python -m local.sendgrid_emulator --help`, or from Python
with `process.start_emulator`.

Marks in the docstrings: [K] known from a named source, [I] a decision of ours, [A] how S3 works.
Sources named there: "API description" is Twilio's OpenAPI description of v3 (sendgrid-oai, January
2026); "Manage contacts", "Formatting a CSV", "Custom fields", "Rate limits" are pages of Twilio's
documentation; "recording 2021" is grouparoo's nock recordings of the real service; "recording
2026" is NangoHQ's; "java#692" and the like are issues of SendGrid's client libraries.
"""
