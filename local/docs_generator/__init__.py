"""docs/reference.md, made from the code: definition keys, the DAG's params, commands, tables.

`python -m local.docs_generator` (`make docs`) writes it; a test compares the file with the code.
"""
