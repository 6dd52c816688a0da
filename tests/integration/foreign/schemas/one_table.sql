-- One wide table with three columns of phones, names of countries and one column of the whole name.
CREATE SCHEMA crm;
CREATE TABLE crm.customers (
    customer_id serial PRIMARY KEY,
    full_name text,
    email_address varchar(200),
    phone1 text,
    phone2 text,
    phone3 text,
    street text,
    zip text,
    city text,
    country text,
    account_type text,
    created date,
    "group" text,
    balance numeric(12, 2),
    last_modified timestamp
);
CREATE TABLE crm.newsletter_log (id serial PRIMARY KEY, email text, sent_at timestamptz);
INSERT INTO crm.newsletter_log (email, sent_at)
SELECT 'reader' || n || '@example.com', now() FROM generate_series(1, 500) AS n;
INSERT INTO crm.customers
(full_name, email_address, phone1, phone2, phone3, street, zip, city, country, account_type, created, "group",
 balance, last_modified)
VALUES
('Ann Marie Lee', 'ann@example.com', NULL, '079 000 00 01', NULL, 'Weg 1', '8001', 'Zürich', 'Switzerland', 'Retail',
 '2024-05-01', 'a', 10.505, '2024-01-01'),
('Bob', 'bob@example.com', 'n/a', '', '(0)151 23456789', 'Allee 2', '10115', 'Berlin', 'GERMANY', 'Corporate',
 '2024-06-02', 'b', NULL, NULL),
('  Cleo   van Dam ', 'cleo@example.com', '+31612345678', NULL, NULL, NULL, NULL, NULL, 'The Netherlands', NULL,
 NULL, NULL, 3, '2024-01-01'),
(NULL, 'dora@example.com', NULL, NULL, NULL, NULL, NULL, NULL, 'Nowhere', NULL, NULL, NULL, NULL, NULL);
