"""How databases call what the contract asks for: letters of names, most telling first. Pure."""

from __future__ import annotations

import re

OWNERS = ("client", "customer", "user", "account", "contact", "person", "member", "trader",
          "investor", "profile", "subscriber", "party")  # fmt: skip
"""What one client is called; also the beginning of names such as `client_email`."""
PLURALS = {"person": "people", "party": "parties"}
NOT_CLIENTS = re.compile(
    r"(?:^|_)(?:logs?|audit|history|archive|backups?|tmp|temp|old|staging|admins?|staff|"
    r"employees?|operators?|managers?|leads?|newsletters?|templates?|queues?|jobs?|sessions?|"
    r"tokens?|invites?|invitations?|messages?|emails?|mails?|events?|tickets?|companies|vendors?|"
    r"suppliers?|consents?|addresses|phones?|deleted|test)(?:_|$)"
)
COLUMNS: dict[str, tuple[str, ...]] = {
    "email": ("email", "emailaddress", "mail", "mailaddress", "emailaddr", "primaryemail",
              "emailprimary", "contactemail", "mainemail", "emailid", "correo", "login",
              "username"),
    "first_name": ("firstname", "givenname", "forename", "fname", "namefirst", "first", "vorname",
                   "prenom", "nombre", "givennames", "firstnames", "imya"),
    "last_name": ("lastname", "surname", "familyname", "lname", "namelast", "last", "nachname",
                  "apellido", "apellidos", "secondname", "familiya"),
    "full_name": ("fullname", "name", "displayname", "legalname", "holdername"),
    "address_line_1": ("addressline1", "address1", "line1", "street", "streetaddress", "street1",
                       "streetline1", "addr1", "addressstreet", "addressline", "address", "strasse",
                       "addr", "fulladdress", "residentialaddress"),
    "address_line_2": ("addressline2", "address2", "line2", "street2", "streetline2", "addr2",
                       "apartment", "apt", "suite", "unit", "flat", "building"),
    "city": ("city", "town", "locality", "cityname", "addresscity", "ort", "stadt", "ciudad"),
    "state": ("state", "province", "region", "stateprovince", "stateprovinceregion", "county",
              "stateregion", "addressstate", "administrativearea", "statename", "regionname"),
    "postal_code": ("postalcode", "postcode", "zip", "zipcode", "postal", "plz", "addresszip",
                    "addresspostalcode", "postindex"),
    "country": ("country", "countryname", "addresscountry", "residencecountry", "nation",
                "countryofresidence", "residence", "countrytitle", "land"),
    "country_code": ("countrycode", "countryiso", "countryiso2", "countryiso3", "isocountry",
                     "isocountrycode", "countryalpha2", "countryalpha3", "iso2", "iso3",
                     "residencecountrycode", "countrycode2", "countrycode3", "country",
                     "residencecountry", "countryofresidence", "residence"),
    "status": ("status", "clientstatus", "accountstatus", "statusname", "lifecyclestatus", "state",
               "lifecycle"),
    "client_type": ("clienttype", "type", "accounttype", "customertype", "usertype", "kind",
                    "category", "segment", "clientkind", "legaltype"),
    "verification_level": ("verificationlevel", "kyclevel", "kyctier", "verificationstatus",
                           "kycstatus", "verification", "kyc", "level", "tier"),
    "jurisdiction": ("jurisdiction", "legalentity", "entity", "regulator", "regulation", "branch",
                     "company", "brand"),
    "registered_on": ("registeredat", "registeredon", "registrationdate", "registrationat",
                      "registered", "signedupat", "signupdate", "signupat", "joinedat", "joinedon",
                      "joindate", "createdat", "createdon", "created", "creationdate",
                      "datecreated", "createddate", "insertedat", "regdate", "createtime"),
    "updated": ("updatedat", "updatedon", "updated", "modifiedat", "modifiedon", "modified",
                "lastmodified", "lastmodifiedat", "lastupdated", "lastupdatedat", "datemodified",
                "dateupdated", "changedat", "lastchange", "lastchanged", "mtime", "updateddate",
                "updatetime", "modificationdate", "lastmodifieddate"),
}  # fmt: skip
PHONES = re.compile(
    r"(?:(?:primary|main|home|work|contact|business|private|default|other|alt|alternative|"
    r"secondary|second|daytime)?(?:mobile|cell|cellular)?(?:tele)?phone(?:number|no|nr)?|mobile(?:number|no)?"
    r"|cell(?:number)?|tel(?:number|no)?|msisdn|handy|gsm|contactnumber)s?[0-9]{0,2}"
)
NUMBERS = ("number", "value", "e164", "num", "no", "contact", "data", "content", "full")
"""What the number is called in a table of phones."""
LATER_PHONES = re.compile(r"work|business|other|alt|secondary|second")
CAPTIONS = ("name", "caption", "title", "label", "displayname", "nameen", "english", "description",
            "value", "code", "slug", "key", "iso", "iso2")  # fmt: skip
CODES = ("code", "iso", "iso2", "iso3", "alpha2", "alpha3", "isocode", "countrycode", "iso31661",
         "alpha2code", "alpha3code", "isoalpha2", "isoalpha3", "shortcode", "abbr",
         "id")  # fmt: skip
CONFIRMED = ("confirmed", "isconfirmed", "verified", "isverified", "confirmedat", "verifiedat",
             "validated", "isvalid", "validatedat")  # fmt: skip
PREFERRED = ("primary", "isprimary", "main", "ismain", "default", "isdefault", "preferred",
             "ispreferred", "current", "iscurrent")  # fmt: skip
KINDS = ("type", "kind", "category", "purpose", "label", "channel", "usage", "contacttype",
         "addresstype", "phonetype", "topic", "scope", "consenttype", "name", "code")  # fmt: skip
ADDRESS_KINDS: tuple[tuple[int, re.Pattern[str]], ...] = (
    (0, re.compile(r"birth")),
    (1, re.compile(r"resid|home|living|private|primary|main|permanent|domicile|current")),
    (2, re.compile(r"mail|post|corresp|shipping|deliver|contact")),
    (3, re.compile(r"legal|regist|official")),
    (4, re.compile(r"bill|invoice|work|business|office|company")),
)
"""The order of the contract; 0 = never. What isn't named here comes last."""
LAST_KIND = 5
DELETED = re.compile(
    r"(?:is)?(?:soft)?(?:deleted|erased|anonymi[sz]ed|purged|removed|archived|destroyed)"
    r"(?:at|on|date|time|flag)?|deletion(?:at|date|time)|date(?:deleted|removed)"
)
CONSENT = re.compile(
    r"(?:has|is|gdpr|email|mail|marketing|accepts?|allow|allows|receives?|wants?|newsletter)*"
    r"(?:consent(?:ed|s|given)?|optin|optedin|subscribed|subscription|marketing|newsletter|gdpr|"
    r"promotions?|promo|mailing|mailings|emails?allowed|marketingallowed|marketingemails?|"
    r"marketingok|contactable)(?:given|status|granted|flag|at|on|date|consent|optin|email|emails)*"
)
NO_CONSENT = re.compile(
    r"(?:has|is|email|mail|marketing|newsletter|gdpr)*(?:unsubscribed|unsubscribe|optout|optedout|"
    r"donotcontact|donotmail|donotemail|dnc|nomarketing|nomail|noemail|blacklisted|suppressed|"
    r"consentwithdrawn|consentrevoked|withdrewconsent|marketingblocked)(?:at|on|date|flag)*"
)
CONSENT_TABLES = re.compile(
    r"consent|opt_?ins?(?:_|$)|opt_?outs?(?:_|$)|subscription|gdpr|permission|preference|unsubscri|"
    r"suppress|marketing"
)
NO_CONSENT_TABLES = re.compile(r"opt_?outs?(?:_|$)|unsubscri|suppress|do_not|blacklist")
GRANTED = ("granted", "isgranted", "given", "consent", "consented", "accepted", "isaccepted",
           "agreed", "allowed", "optin", "optedin", "subscribed", "issubscribed", "enabled",
           "active", "isactive", "status", "state", "value", "decision", "answer")  # fmt: skip
REVOKED = ("revokedat", "withdrawnat", "revokedon", "withdrawnon", "unsubscribedat", "optedoutat",
           "endedat", "expiredat", "cancelledat", "revoked", "withdrawn", "isrevoked",
           "deletedat")  # fmt: skip
MARKETING = re.compile(r"market|mail|newsletter|promo|news|advert|all")
OTHER_CHANNELS = re.compile(r"sms|phone|call|push|postal|whatsapp|telegram")
MADE = ("createdat", "grantedat", "givenat", "decidedat", "recordedat", "changedat", "at", "date",
        "consentedat", "acceptedat", "timestamp", "created")  # fmt: skip


def letters(name: str) -> str:
    """A name's letters and digits in lower case: `First_Name` and `firstName` are `firstname`."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def variants(name: str) -> tuple[str, ...]:
    """The letters, and those without the beginning that says whose it is: `client_email`."""
    whole = letters(name)
    if whole == "username":  # it isn't the name of a user
        return (whole,)
    short = [whole.removeprefix(owner) for owner in OWNERS if whole.startswith(owner)]
    return (whole, *(each for each in short if each))


def snaked(name: str) -> str:
    """`ClientPhones` and `client-phones` as `client_phones`."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())


def singular(name: str) -> str:
    """An English table's name for one row; a guess, only compared."""
    name = snaked(name)
    for one, many in PLURALS.items():
        if name.endswith(many):
            return name.removesuffix(many) + one
    if name.endswith("ies"):
        return name[:-3] + "y"
    if name.endswith(("sses", "uses", "xes", "ches", "shes")):
        return name[:-2]
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "us")) else name
