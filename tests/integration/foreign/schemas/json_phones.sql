-- Keys are texts, phones are JSON in the client's row, an address is a row that the client refers to.
CREATE TABLE public.country (iso2 char(2) PRIMARY KEY, iso3 char(3), name_en text);
INSERT INTO public.country VALUES ('CH', 'CHE', 'Switzerland'), ('FR', 'FRA', 'France');
CREATE TABLE public.address (
    id int PRIMARY KEY, line1 text, city text, postal_code text, country_code char(2) REFERENCES public.country (iso2)
);
INSERT INTO public.address VALUES (1, 'Weg 1', 'Zürich', '8001', 'CH'), (2, 'Rue 2', 'Paris', '75001', 'FR');
CREATE TABLE public."user" (
    code text PRIMARY KEY,
    email text,
    "firstName" text,
    "lastName" text,
    phones jsonb,
    address_id int REFERENCES public.address (id),
    kyc_level smallint,
    created_at timestamptz,
    updated_at timestamptz
);
CREATE TABLE public.admin_users (id int PRIMARY KEY, email text, name text);
INSERT INTO public.admin_users SELECT n, 'admin' || n || '@example.com', 'Admin' FROM generate_series(1, 50) AS n;
INSERT INTO public."user" VALUES
('C-001', 'ann@example.com', 'Ann', 'Lee',
 '[{"type": "home", "number": "044 000 00 01"}, {"type": "mobile", "number": "+41790000001", "primary": true}]',
 1, 2, '2024-05-01 12:00+00', now()),
('C-002', 'bob@example.com', 'Bob', 'Ray', '[{"type": "mobile", "number": "06 12 34 56 78"}]', 2, 1,
 '2024-06-02 12:00+00', now()),
('C-003', 'cleo@example.com', 'Cleo', 'Dam', '[]', NULL, 0, '2024-07-03 12:00+00', now()),
('C-004', 'dora@example.com', 'Dora', 'Mak', NULL, NULL, NULL, '2024-08-04 12:00+00', now());
