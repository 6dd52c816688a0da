"""From the tables of a database to a folder of statements: read the catalog, propose, write."""
