"""SQL expressions of typed columns, and what SendGrid's field holds then (None = no value)."""

from __future__ import annotations

NUMERIC: list[tuple[str, float | None]] = [
    ("'NaN'::numeric", None),
    ("'Infinity'::numeric", None),  # psycopg2#1724
    ("'-Infinity'::numeric", None),
    ("1e400::numeric", None),  # sendgrid/docs#2954: 309 digits
    ("-0.0::numeric", 0),
    ("0.00::numeric(10,2)", 0),  # arrow-adbc#1501: leading zero lost
    ("1.0123::numeric(16,5)", 1.01),  # arrow-adbc#1501: garbage at the end
    ("12345.6700::numeric(20,4)", 12345.67),
    ("12345678901234567.89::numeric", 12345678901234567.89),
    ("9223372036854775807::numeric", 9223372036854775807),
    ("-1250.5::numeric", -1250.5),
    ("0.005::numeric", 0),
    ("100000::numeric", 100000),  # arrow-adbc#4523: groups of zeros
    ("20000.0001::numeric", 20000),
    # More kinds
    ("0.00012345::numeric", 0),
    ("0.1::numeric", 0.1),
    ("10000.5::numeric", 10000.5),
    ("10000000000000000::numeric", 10000000000000000),
    ("100000000.01::numeric", 100000000.01),
    ("0.01::numeric(3,2)", 0.01),
    ("-0.01::numeric", -0.01),
    ("-0.004::numeric", 0),
    ("999999999999999.99::numeric", 999999999999999.99),
    ("99.995::numeric", 100),
    ("1e25::numeric", 1e25),
    ("1e-400::numeric", 0),
    ("1::numeric(1000,500)", 1),
    ("'12.34'::money::numeric", 12.34),
    ("extract(epoch FROM interval '1 day 0.5 s')", 86400.5),
    ("0::numeric", 0),
]
FLOAT: list[tuple[str, float | None]] = [
    ("'NaN'::float8", None),
    ("'Infinity'::float8", None),
    ("0.1::float8 + 0.2::float8", 0.3),
    ("1e18::float8", 1e18),
    ("1e308::float8", None),
    ("-0.0::float8", 0),
    ("5e-324::float8", 0),
    ("123456789.125::float8", 123456789.12),
    ("1e16::float8", 1e16),
    # More kinds
    ("'-Infinity'::float8", None),
    ("1e22::float8", 1e22),
    ("1.1::float8 * 3", 3.3),
    ("-2.5::float8", -2.5),
    ("1e-7::float8", 0),
    ("4.35::float8 * 100", 435),
    ("9007199254740993::float8", 9007199254740992),  # as PostgreSQL shows it
    ("0.5::float4", 0.5),
    ("1e5::float8", 100000),
    ("100::float8 / 3", 33.33),
]
DATE: list[tuple[str, str | None]] = [
    ("'0001-01-01'::date", "0001-01-01"),  # .NET DateTime.MinValue
    ("'0999-12-31'::date", "0999-12-31"),
    ("'1899-12-31'::date", "1899-12-31"),
    ("'infinity'::date", None),  # psycopg#1251; airbyte#19952
    ("'-infinity'::date", None),
    ("'9999-12-31'::date", "9999-12-31"),
    ("'10000-01-01'::date", None),
    ("'0044-03-15 BC'::date", None),
    ("'5874897-12-31'::date", None),  # PostgreSQL's last day
    ("'4713-01-01 BC'::date", None),  # its first one
    ("'2024-02-29'::date", "2024-02-29"),
    # More kinds
    ("'0001-12-31 BC'::date", None),  # the day before year 1
    ("'1582-10-10'::date", "1582-10-10"),  # never in the Gregorian calendar of its time
    ("'1900-02-28'::date + 1", "1900-03-01"),
    ("'1970-01-01'::date", "1970-01-01"),
    ("'1969-12-31'::date", "1969-12-31"),
    ("'2000-02-29'::date", "2000-02-29"),
    ("'2038-01-20'::date", "2038-01-20"),
    ("'9999-12-31'::date + 1", None),
    ("'2262-04-12'::date", "2262-04-12"),  # beyond 64 bits of nanoseconds
    ("'1677-09-20'::date", "1677-09-20"),
    ("make_date(2024, 12, 31)", "2024-12-31"),
]
STAMP: list[tuple[str, str | None]] = [
    ("'infinity'::timestamptz", None),
    ("'-infinity'::timestamptz", None),
    ("'294276-12-31 23:59:59+00'::timestamptz", None),  # duckdb-postgres#530 wraps
    ("'4713-01-01 00:00:00 BC'::timestamptz", None),
    ("'1969-12-31 23:59:59.999999+00'::timestamptz", "1969-12-31"),
    ("'1990-05-12 00:00:00+04'::timestamptz", "1990-05-11"),  # the day in UTC
    ("'0001-01-01 00:00:00+00'::timestamptz", "0001-01-01"),
    ("'2024-03-31 02:30:00 Europe/Zurich'::timestamptz", "2024-03-31"),  # it was skipped
    # More kinds
    ("'9999-12-31 23:59:59.999999+00'::timestamptz", "9999-12-31"),
    ("'10000-01-01 00:00:00+00'::timestamptz", None),
    ("'0001-01-01 00:00:00+14'::timestamptz", None),
    ("'9999-12-31 23:30:00-01'::timestamptz", None),
    ("'2024-10-27 02:30:00 Europe/Zurich'::timestamptz", "2024-10-27"),  # it came twice
    ("'2016-12-31 23:59:60+00'::timestamptz", "2017-01-01"),  # a leap second
    ("'2262-04-12 00:00:00+00'::timestamptz", "2262-04-12"),
    ("'1677-09-20 00:00:00+00'::timestamptz", "1677-09-20"),
    ("'2024-01-01 00:30:00'::timestamp AT TIME ZONE 'Asia/Tokyo'", "2023-12-31"),
]
LOCAL_STAMP: list[tuple[str, str | None]] = [
    ("'infinity'::timestamp", None),
    ("'2024-01-01 23:59:59.999999'::timestamp", "2024-01-01"),
    ("'0044-03-15 12:00 BC'::timestamp", None),
    ("'294276-12-31 23:59:59'::timestamp", None),
    ("to_timestamp(0) AT TIME ZONE 'UTC'", "1970-01-01"),
]
