-- Plausible clients, set by set. The caller has called setseed() and set demo.clients in this transaction.
-- Same seed, same clients: no clock is read, and every random number is drawn in a scan of one fixed order.
-- Proportions are chosen to meet every rule of the sync: see the comments.

-- Bulk load: the keys below are right by construction, and checking them one by one doubles the time.
SET LOCAL session_replication_role = replica;
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL jit = off;

TRUNCATE b2core.client_phones, b2core.client_addresses, b2core.clients RESTART IDENTITY;

-- Where a client comes from: the country, how its mobile numbers look, and what people and places are called.
CREATE TEMPORARY TABLE origins (
    share double precision NOT NULL,
    country_id integer NOT NULL,
    jurisdiction_id integer,
    calling text NOT NULL,
    trunk text NOT NULL,
    mobile text NOT NULL,
    digits integer NOT NULL,
    first_names text [] NOT NULL,
    last_names text [] NOT NULL,
    cities text [] NOT NULL,
    states text [] NOT NULL,
    streets text [] NOT NULL
) ON COMMIT DROP;

-- share is cumulative: an origin is drawn by the first share above a random number.
INSERT INTO origins VALUES
(0.16, 1, 2, '44', '0', '747', 7,
    '{James,Olivia,Seán,Zoë,George,Amelia,"Anne-Marie",Harry,Róisín,Oliver}',
    '{Smith,O''Brien,"Smith, Jr.",Fitzgerald-Jones,MacLeod,Taylor,"Brown, MBA",Ó Súilleabháin,Wright,D’Arcy}',
    '{London,Manchester,"Stoke-on-Trent","King''s Lynn",Edinburgh}', '{England,England,England,England,Scotland}',
    '{High Street,"Queen''s Road",Station Road,"St. John''s Lane"}'),
(0.28, 2, 1, '49', '0', '151', 8,
    '{Jürgen,Björn,Anna,Käthe,Lukas,Mia,Günter,Sören,Lena,Jörg}',
    '{Müller,Weiß,Schröder,Groß,Fuchs,Krüger,"von der Heide",Böhm,Jäger,Schmidt}',
    '{Berlin,München,Köln,"Frankfurt am Main",Düsseldorf}',
    '{Berlin,Bayern,"Nordrhein-Westfalen",Hessen,"Nordrhein-Westfalen"}',
    '{Hauptstraße,"Straße des 17. Juni",Bahnhofstraße,Königsallee}'),
(0.35, 3, 1, '33', '0', '61', 7,
    '{Élodie,François,Chloé,Jérôme,Zoé,Léa,Benoît,Hélène,Loïc,Noël}',
    '{Lefèvre,"d''Ormesson",Garçon,Bézier,"L''Hôpital",Dupont,Béranger,Noël,Gagné,Œuvrard}',
    '{Paris,Lyon,"Saint-Étienne",Nîmes,"L''Haÿ-les-Roses"}',
    '{"Île-de-France","Auvergne-Rhône-Alpes","Auvergne-Rhône-Alpes",Occitanie,"Île-de-France"}',
    '{"rue de l''Église","avenue des Champs-Élysées","place du Général-de-Gaulle"}'),
(0.42, 4, 1, '34', '', '6', 8,
    '{José,"María José",Begoña,Iñaki,Lucía,Ángel,Núria,Íñigo}',
    '{García,Núñez,"Peña López",Ibáñez,Muñoz,Güell,Rodríguez}',
    '{Madrid,Barcelona,Málaga,"A Coruña",Logroño}', '{Madrid,Cataluña,Andalucía,Galicia,"La Rioja"}',
    '{"Calle Mayor","Plaza de España","Avenida de la Constitución"}'),
(0.50, 6, 1, '48', '', '51', 7,
    '{Łukasz,Małgorzata,Paweł,Świętosława,Grażyna,Michał,Zofia}',
    '{Wiśniewski,Kowalczyk,Dąbrowska,Żółć,Wójcik,Grzęda,Szymański}',
    '{Warszawa,Łódź,Kraków,Wrocław,Gdańsk}', '{Mazowieckie,Łódzkie,Małopolskie,Dolnośląskie,Pomorskie}',
    '{"ul. Długa","ul. Święty Marcin","al. Jerozolimskie"}'),
(0.57, 8, 1, '420', '', '72', 7,
    '{Jiří,Kateřina,Ondřej,Žaneta,Zdeněk,Markéta}', '{Dvořák,Procházková,Říha,Šťastný,Černý,Nováková}',
    '{Praha,Brno,Plzeň,"Ústí nad Labem"}', '{"Hlavní město Praha",Jihomoravský,Plzeňský,Ústecký}',
    '{Václavské náměstí,Dlouhá,"Na Příkopě"}'),
(0.65, 11, 5, '380', '0', '67', 7,
    '{Олександр,Наталія,Юрій,Ярослава,Дмитро,Оксана}', '{Шевченко,Ковальчук,Лук’яненко,Щербина,Бойко}',
    '{Київ,Львів,Одеса,Дніпро}',
    '{"Київська область","Львівська область","Одеська область","Дніпропетровська область"}',
    '{"вулиця Хрещатик","проспект Свободи","вулиця Дерибасівська"}'),
(0.71, 10, 1, '359', '0', '88', 7,
    '{Георги,Мария,Иван,Елена,Цветан,Йордан}', '{Иванов,Петрова,Димитров,Георгиева,Щерев}',
    '{София,Пловдив,Варна,Бургас}', '{"София-град",Пловдив,Варна,Бургас}', '{"бул. Витоша","ул. Граф Игнатиев"}'),
(0.77, 13, 1, '30', '', '694', 7,
    '{Γιώργος,Ελένη,Δημήτρης,Ιωάννα,Αλέξανδρος}', '{Παπαδόπουλος,Οικονόμου,Νικολάου,Αγγελίδης}',
    '{Αθήνα,Θεσσαλονίκη,Πάτρα}', '{Αττική,"Κεντρική Μακεδονία","Δυτική Ελλάδα"}', '{"Οδός Ερμού","Λεωφόρος Συγγρού"}'),
(0.83, 15, 3, '971', '0', '50', 7,
    '{محمد,فاطمة,أحمد,عائشة,"عبد الله",مريم}', '{"آل مكتوم",الهاشمي,النعيمي,"بن سعيد",المنصوري}',
    '{دبي,أبوظبي,الشارقة}', '{دبي,"أبو ظبي",الشارقة}', '{"شارع الشيخ زايد","شارع الخليج العربي"}'),
(0.88, 17, 4, '86', '0', '13', 9,
    '{伟,秀英,敏,丽,建国,志强}', '{王,李,张,刘,欧阳,司马}', '{北京市,上海市,深圳市,广州市}', '{北京市,上海市,广东省,广东省}',
    '{南京东路,人民大道,中山路}'),
(0.92, 18, 4, '81', '0', '901', 7,
    '{さくら,翔太,結衣,大輔,ユウコ}', '{佐藤,鈴木,髙橋,渡邊,齋藤}', '{東京,大阪,横浜,札幌}', '{東京都,大阪府,神奈川県,北海道}',
    '{銀座,道頓堀,"元町1丁目"}'),
(0.94, 20, 4, '84', '0', '90', 7,
    '{Nguyễn Thị,Đức,Hương,Quỳnh}', '{Nguyễn,Trần,Phạm,Đỗ}', '{"Hà Nội","Thành phố Hồ Chí Minh","Đà Nẵng"}',
    '{"Hà Nội","Thành phố Hồ Chí Minh","Đà Nẵng"}', '{"Đường Lê Lợi","Phố Hàng Gai"}'),
(0.97, 21, NULL, '1', '', '2125', 6,
    '{Michael,Jennifer,"Billy \"Bob\"",LaToya,José,Renée}', '{Johnson,"Williams, III",McDonald,"Peña-O''Neal",Davis}',
    '{"New York","St. Louis","Coeur d''Alene",Boston}', '{NY,MO,ID,MA}',
    '{"5th Avenue","Martin Luther King Jr. Blvd","Broadway"}'),
(1.01, 24, 5, '225', '', '07', 8,
    '{Aïcha,Koffi,"N''Guessan",Mariam}', '{Traoré,Koné,"N''Dri",Ouédraogo}', '{Abidjan,Bouaké,Yamoussoukro}',
    '{Abidjan,"Vallée du Bandama",Yamoussoukro}', '{"Boulevard de la République","Rue des Jardins"}');
ALTER TABLE origins ADD COLUMN id serial;

-- One row of random numbers per client; every other table is derived from it.
CREATE TEMPORARY TABLE dice ON COMMIT DROP AS
SELECT
    id,
    random() AS origin,
    random() AS name_1,
    random() AS name_2,
    random() AS oddity,
    random() AS email,
    random() AS status,
    random() AS kind,
    random() AS age,
    random() AS touched,
    random() AS phones,
    random() AS confirmed,
    random() AS place
FROM generate_series(1, current_setting('demo.clients')::bigint) AS id;

CREATE TEMPORARY TABLE drawn ON COMMIT DROP AS
SELECT
    dice.*,
    width_bucket(dice.origin, ARRAY(SELECT share FROM origins ORDER BY share)) + 1 AS origin_id,
    -- Ten years up to a fixed day, more of them recently.
    timestamptz '2026-06-30 20:00:00+00' - interval '3650 days' * dice.age ^ 2 AS created_at
FROM dice;

-- A handle that is ASCII, unique by the id and a function of it, so that a shared address can be made from the
-- id of another client.
CREATE FUNCTION pg_temp.email_of(client_id bigint) RETURNS text LANGUAGE sql IMMUTABLE RETURN
(ARRAY['anna', 'marco', 'j.doe', 'office', 'li.wei', 'trade', 'o_brien', 'ivan', 'sara', 'max', 'info'])
[1 + client_id * 7919 % 11]
|| (ARRAY['.', '_', '-', ''])[1 + client_id % 4] || client_id || '@'
|| (ARRAY['example.com', 'example.com', 'example.org', 'example.net', 'mail.example.com', 'post.example.org'])
[1 + client_id * 31 % 6];

INSERT INTO b2core.clients
(
    id, email, first_name, last_name, status_id, client_type_id, verification_level_id, jurisdiction_id,
    created_at, updated_at
)
OVERRIDING SYSTEM VALUE
SELECT
    drawn.id,
    CASE
        -- 1.5 % missing or bad
        WHEN drawn.email < 0.003 THEN NULL
        WHEN drawn.email < 0.005 THEN ''
        WHEN drawn.email < 0.008 THEN replace(pg_temp.email_of(drawn.id), '@', '')
        WHEN drawn.email < 0.010 THEN replace(pg_temp.email_of(drawn.id), '@', '@@')
        WHEN drawn.email < 0.012 THEN replace(pg_temp.email_of(drawn.id), '@', ' @ ')
        WHEN drawn.email < 0.013 THEN 'first last ' || pg_temp.email_of(drawn.id)
        WHEN drawn.email < 0.014 THEN split_part(pg_temp.email_of(drawn.id), '@', 1) || '@'
        WHEN drawn.email < 0.015 THEN 'jürgen.' || pg_temp.email_of(drawn.id)
        -- 0.3 % share the address of a client before them
        WHEN drawn.email < 0.018 AND drawn.id > 10
            THEN pg_temp.email_of(drawn.id - 1 - (drawn.email * 1e6)::bigint % 9)
        -- good, but not in the form that is compared
        WHEN drawn.email < 0.028 THEN initcap(pg_temp.email_of(drawn.id))
        WHEN drawn.email < 0.033 THEN upper(pg_temp.email_of(drawn.id))
        WHEN drawn.email < 0.040 THEN '  ' || pg_temp.email_of(drawn.id) || ' '
        WHEN drawn.email < 0.041 THEN replace(pg_temp.email_of(drawn.id), '@', '@bücher.')
        WHEN drawn.email < 0.045 THEN replace(pg_temp.email_of(drawn.id), '@', '+news@')
        ELSE pg_temp.email_of(drawn.id)
    END,
    CASE
        WHEN drawn.oddity < 0.0003 THEN repeat(pick.first_name || ' ', 12)
        WHEN drawn.oddity < 0.0005 THEN pick.first_name || repeat('👩‍👩‍👧‍👦', 9)
        WHEN drawn.oddity < 0.0010 THEN pick.first_name || E'\n' || pick.last_name
        WHEN drawn.oddity < 0.0060 THEN pick.first_name || ' "' || left(pick.last_name, 2) || '"'
        WHEN drawn.oddity < 0.0100 THEN normalize(pick.first_name, NFD)
        WHEN drawn.oddity < 0.0150 THEN ' ' || pick.first_name || '  '
        WHEN drawn.oddity < 0.0170 THEN ''
        WHEN drawn.oddity < 0.0190 THEN NULL
        ELSE pick.first_name
    END,
    CASE
        WHEN drawn.oddity > 0.9995 THEN pick.last_name || repeat('-' || pick.last_name, 15)
        WHEN drawn.oddity > 0.9985 THEN NULL
        WHEN drawn.oddity > 0.9975 THEN pick.last_name || E'\t'
        ELSE pick.last_name
    END,
    CASE WHEN drawn.status < 0.82 THEN 1 WHEN drawn.status < 0.92 THEN 2 WHEN drawn.status < 0.95 THEN 3 ELSE 4 END,
    CASE WHEN drawn.kind < 0.90 THEN 1 WHEN drawn.kind < 0.98 THEN 2 ELSE 3 END,
    CASE WHEN drawn.place < 0.2 THEN 1 WHEN drawn.place < 0.6 THEN 2 WHEN drawn.place < 0.97 THEN 3 ELSE 4 END,
    CASE WHEN drawn.touched < 0.90 THEN pick.jurisdiction_id END,
    drawn.created_at,
    drawn.created_at + (timestamptz '2026-07-01 00:00:00+00' - drawn.created_at) * drawn.touched
FROM drawn
INNER JOIN (
    SELECT o.*, cardinality(o.first_names) AS first_count, cardinality(o.last_names) AS last_count
    FROM origins AS o
) AS origins ON drawn.origin_id = origins.id
CROSS JOIN LATERAL (
    SELECT
        origins.jurisdiction_id,
        origins.first_names[1 + floor(drawn.name_1 * origins.first_count)] AS first_name,
        origins.last_names[1 + floor(drawn.name_2 * origins.last_count)] AS last_name
) AS pick
ORDER BY drawn.id;

-- 4 % of the clients have no phone, 66 % one, 22 % two, 8 % three; of those with a phone 60 % confirmed one.
INSERT INTO b2core.client_phones (client_id, phone, confirmed, updated_at)
SELECT
    slots.client_id,
    CASE
        WHEN slots.format < 0.80 THEN '+' || origins.calling || slots.national
        WHEN slots.format < 0.86
            THEN '+' || origins.calling || ' ' || left(slots.national, 3) || ' ' || substr(slots.national, 4, 3)
                || '-' || substr(slots.national, 7)
        WHEN slots.format < 0.89
            THEN '+' || origins.calling || '.(' || left(slots.national, 3) || ').' || substr(slots.national, 4)
        WHEN slots.format < 0.93 THEN '00' || origins.calling || slots.national
        WHEN slots.format < 0.98 THEN origins.trunk || slots.national
        WHEN slots.format < 0.988 THEN origins.calling || slots.national
        WHEN slots.format < 0.990 THEN '+' || origins.calling || slots.national || ' ext. 5'
        ELSE (ARRAY['n/a', '-', '', 'call the office', '12', '+', '0000000000', NULL])
            [1 + (slots.format * 1e6)::bigint % 8]
    END,
    coalesce(slots.slot = slots.confirmed_slot, false),
    -- 1 % were imported without a time
    CASE WHEN slots.touched < 0.99
        THEN slots.created_at + (timestamptz '2026-07-01 00:00:00+00' - slots.created_at) * slots.touched
    END
FROM (
    SELECT
        drawn.id AS client_id,
        drawn.created_at,
        slot,
        CASE WHEN drawn.confirmed < 0.60 THEN 1 + (drawn.confirmed * 1e6)::bigint % phone_count.value END
            AS confirmed_slot,
        numbers.mobile || lpad(floor(random() * 10 ^ numbers.digits)::bigint::text, numbers.digits, '0') AS national,
        random() AS format,
        random() AS touched,
        drawn.origin_id
    FROM drawn
    INNER JOIN origins AS numbers ON drawn.origin_id = numbers.id
    CROSS JOIN LATERAL (
        SELECT width_bucket(drawn.phones, ARRAY[0.04, 0.70, 0.92]::double precision []) AS value
    ) AS phone_count
    CROSS JOIN LATERAL generate_series(1, phone_count.value) AS slot
) AS slots
INNER JOIN origins ON slots.origin_id = origins.id;

-- 7 % have no address. Most have a residential one, companies a legal one, and 2 % name no country.
INSERT INTO b2core.client_addresses
(client_id, type, country_id, city, state, postal_code, line1, line2, updated_at)
SELECT
    slots.client_id,
    slots.type,
    CASE WHEN slots.oddity >= 0.02 THEN origins.country_id END,
    CASE
        WHEN slots.oddity > 0.9995
            THEN 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch by ' || slots.city || ' upon the water'
        ELSE slots.city
    END,
    CASE WHEN slots.type <> 'birth_place' AND slots.touched < 0.8 THEN slots.state END,
    CASE WHEN slots.type <> 'birth_place' THEN lpad((slots.number * 37 % 99999)::text, 5, '0') END,
    CASE
        WHEN slots.type = 'birth_place' THEN NULL
        WHEN slots.oddity BETWEEN 0.020 AND 0.021 THEN slots.street || ' ' || slots.number || E'\r\nc/o ' || slots.city
        ELSE slots.street || ' ' || slots.number
    END,
    CASE WHEN slots.type <> 'birth_place' AND slots.touched < 0.15 THEN 'Apt ' || slots.number % 90 END,
    CASE WHEN slots.touched < 0.99
        THEN slots.created_at + (timestamptz '2026-07-01 00:00:00+00' - slots.created_at) * slots.touched
    END
FROM (
    SELECT
        drawn.id AS client_id,
        drawn.created_at,
        drawn.origin_id,
        kinds.type,
        names.cities[1 + floor(drawn.place * cardinality(names.cities))] AS city,
        names.states[1 + floor(drawn.place * cardinality(names.cities))] AS state,
        names.streets[1 + floor(drawn.name_2 * cardinality(names.streets))] AS street,
        1 + floor(random() * 400)::bigint AS number,
        random() AS oddity,
        random() AS touched
    FROM drawn
    INNER JOIN origins AS names ON drawn.origin_id = names.id
    CROSS JOIN LATERAL (
        VALUES
        ('residential', drawn.place < 0.85),
        ('mailing', drawn.place BETWEEN 0.80 AND 0.90),
        ('billing', drawn.place BETWEEN 0.75 AND 0.92),
        ('legal', drawn.kind BETWEEN 0.90 AND 0.98 AND drawn.place < 0.93),
        ('birth_place', drawn.place BETWEEN 0.30 AND 0.50 OR drawn.place > 0.98)
    ) AS kinds (type, has)
    WHERE kinds.has
) AS slots
INNER JOIN origins ON slots.origin_id = origins.id;

SELECT setval(pg_get_serial_sequence('b2core.clients', 'id'), current_setting('demo.clients')::bigint);
