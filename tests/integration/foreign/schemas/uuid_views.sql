-- A CRM that shows views only: keys are uuids, nothing has a declared key, the clients' names are mixed case.
CREATE SCHEMA core_private;
CREATE SCHEMA "Reporting";
CREATE TABLE core_private.person (
    person_uuid uuid PRIMARY KEY, mail text, given_name text, surname text, status_id int, country_iso char(2),
    registered timestamptz, modified_at timestamptz
);
CREATE TABLE core_private.number (
    id bigserial PRIMARY KEY, person_uuid uuid, msisdn text, is_verified boolean, modified_at timestamptz
);
CREATE TABLE core_private.place (
    id bigserial PRIMARY KEY, person_uuid uuid, kind text, street text, town text, postcode text, country_iso char(2),
    modified_at timestamptz
);
CREATE TABLE core_private.status (id int PRIMARY KEY, title text);
INSERT INTO core_private.status VALUES (1, 'Active'), (2, 'Dormant');
INSERT INTO core_private.person VALUES
('00000000-0000-4000-8000-000000000001', 'ann@example.com', 'Ann', 'Lee', 1, 'CH', '2024-05-01 23:30+00', now()),
('00000000-0000-4000-8000-000000000002', 'bob@example.com', 'Bob', 'Ray', 2, 'DE', '2024-06-02 10:00+00', now()),
('00000000-0000-4000-8000-000000000003', 'cleo@example.com', 'Cleo', NULL, 9, NULL, NULL, NULL);
INSERT INTO core_private.number (person_uuid, msisdn, is_verified, modified_at) VALUES
('00000000-0000-4000-8000-000000000001', '079 000 00 01', false, '2024-01-02'),
('00000000-0000-4000-8000-000000000001', '+41790000002', true, '2024-01-01'),
('00000000-0000-4000-8000-000000000002', '0151 23456789', false, '2024-01-01');
INSERT INTO core_private.place (person_uuid, kind, street, town, postcode, country_iso, modified_at) VALUES
('00000000-0000-4000-8000-000000000001', 'birth', 'Old 1', 'Roma', '00100', 'IT', '2025-01-01'),
('00000000-0000-4000-8000-000000000001', 'billing', 'Bill 1', 'Bern', '3000', 'CH', '2025-01-01'),
('00000000-0000-4000-8000-000000000001', 'home', 'Weg 1', 'Zürich', '8001', 'CH', '2024-01-01'),
('00000000-0000-4000-8000-000000000002', 'mailing', 'Allee 2', 'Berlin', '10115', 'DE', '2024-01-01');
CREATE VIEW "Reporting"."Customers" AS
SELECT
    person_uuid AS "customerUuid", mail AS "eMail", given_name AS "FirstName", surname AS "LastName",
    status_id AS "statusId", registered AS "Created", modified_at AS "Modified", 'x%(y)s' AS "odd %(name)s"
FROM core_private.person;
CREATE VIEW "Reporting"."CustomerPhones" AS
SELECT id, person_uuid AS "customerUuid", msisdn AS "order", is_verified AS "isVerified", modified_at AS "Modified"
FROM core_private.number;
CREATE VIEW "Reporting"."CustomerAddresses" AS
SELECT
    id, person_uuid AS "customerUuid", kind AS "Type", street AS "Street", town AS "City", postcode AS "Postcode",
    country_iso AS "Country", modified_at AS "Modified"
FROM core_private.place;
CREATE VIEW "Reporting"."Statuses" AS
SELECT id, title AS "Title" FROM core_private.status;
CREATE VIEW "Reporting"."Tickets" AS
SELECT mail AS "email", 'a ticket' AS body, 1 AS id FROM core_private.person;
