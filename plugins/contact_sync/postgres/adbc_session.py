"""A session of ADBC's driver for PostgreSQL, by the calls of its driver manager.

Its module `dbapi` has the same behind Python's usual methods, but loads pyarrow.dataset and with it
pandas: 0.2 s and 55 MB, also for a run that finds nothing to read.
"""

from __future__ import annotations

import adbc_driver_postgresql
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_manager._lib import ArrowArrayStreamHandle


class Session:
    """A session that begins a transaction with the next statement. Raises what the driver does."""

    def __init__(self, dsn: str) -> None:
        self._database = adbc_driver_postgresql.connect(dsn)
        try:
            self._connection = AdbcConnection(self._database)
        except BaseException:
            self._database.close()
            raise
        self._connection.set_autocommit(False)
        self._statements: set[AdbcStatement] = set()

    def statement(self) -> AdbcStatement:
        """A statement for `streamed`, to be closed by `close_statement`."""
        statement = AdbcStatement(self._connection)
        self._statements.add(statement)
        return statement

    def close_statement(self, statement: AdbcStatement) -> None:
        """Close it; harmless if it is closed."""
        self._statements.discard(statement)
        statement.close()

    def rollback(self) -> None:
        """End the transaction."""
        self._connection.rollback()

    def close(self) -> None:
        """Close the session; what is still open of it first, which the driver asks for."""
        for statement in [*self._statements]:
            self.close_statement(statement)
        self._connection.close()
        self._database.close()


def streamed(statement: AdbcStatement, sql: str) -> ArrowArrayStreamHandle:
    """Begin to execute; the rows come by the stream."""
    statement.set_sql_query(sql)
    statement.prepare()
    stream: ArrowArrayStreamHandle
    stream, _ = statement.execute_query()
    return stream
