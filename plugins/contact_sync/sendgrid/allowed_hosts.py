"""Which addresses may be called: SendGrid's API, and the storage that its signed URLs name.

A forged answer or a careless connection must not turn a worker against the services around it,
nor send the key or the clients to anybody else.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url  # what opens the connection reads the URL with the same

from contact_sync.base.errors import ConfigError

API_HOSTS = ("api.sendgrid.com", "api.eu.sendgrid.com")
STORAGE_DOMAINS = (
    "amazonaws.com", "sendgrid.com", "sendgrid.net", "twilio.com", "googleapis.com",
)  # fmt: skip
"""SendGrid documents no host for signed URLs; a recorded one was S3's."""

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_PLAIN = re.compile(r"[!-\[\]-~]+")  # printable ASCII without space and backslash
_HOST_NAME = re.compile(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_6TO4 = ipaddress.IPv6Network("2002::/16")


def is_loopback(url: str) -> bool:
    """Whether the URL is of this machine: the emulator, in the demo and in tests."""
    parts = _parsed(url)
    return parts is not None and parts.host in _LOOPBACK


def check_api_url(url: str, allowed_hosts: Sequence[str] = ()) -> None:
    """Raise ConfigError unless the key may be sent there.

    `allowed_hosts`: further hosts that the connection's owner named.
    """
    parts = _checked(url, "SendGrid's API URL", loopback=True)
    if parts.query or parts.fragment:
        raise ConfigError("SendGrid's API URL must have no query and no fragment")
    if parts.host not in (*_LOOPBACK, *API_HOSTS, *allowed_hosts):
        raise ConfigError(
            f"SendGrid's API URL must be on {' or '.join(API_HOSTS)}; it is on {_told(parts)}. If "
            f'that is right, name it in the connection\'s extra: {{"allowed_hosts": ["…"]}}'
        )


def check_storage_url(
    url: str, what: str, allowed_domains: Sequence[str] = (), *, loopback: bool = False
) -> None:
    """Raise ConfigError unless clients' data may be sent to or read from there.

    `what` names the URL in messages. `loopback`: the API itself is on this machine, so its
    storage may be as well. Where the name leads to is checked when it is connected.
    """
    parts = _checked(url, what, loopback=loopback)
    domains = (*STORAGE_DOMAINS, *allowed_domains)
    if loopback and parts.host in _LOOPBACK:
        return
    host = parts.host or ""
    if not any(host == domain or host.endswith(f".{domain}") for domain in domains):
        raise ConfigError(
            f"{what} is on {_told(parts)}, which is not a known storage of SendGrid. If it is one, "
            f'name it in the connection\'s extra: {{"allowed_hosts": ["…"]}}'
        )


def check_public(host: str, addresses: Iterable[str]) -> None:
    """Raise ConfigError unless all addresses that `host` leads to are public."""
    for address in addresses:
        if not _is_public(address):
            raise ConfigError(f"The host {host[:100]} leads to an address that isn't public")


def addresses_of(host: str) -> list[str]:
    """The IP addresses of a name; none if it can't be resolved."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return [str(entry[4][0]) for entry in found]


def _parsed(url: str) -> Url | None:
    try:
        return parse_url(url) if _PLAIN.fullmatch(url) else None
    except LocationParseError:
        return None


def _checked(url: str, what: str, *, loopback: bool) -> Url:
    parts = _parsed(url)
    if parts is not None and parts.auth is None:
        if loopback and parts.host in _LOOPBACK and parts.scheme in ("http", "https"):
            return parts
        name = _HOST_NAME.fullmatch(parts.host or "")
        if parts.scheme == "https" and name and parts.port in (None, 443):
            return parts
    scheme = (parts.scheme if parts else None) or "?"
    raise ConfigError(
        f"{what} must be an https URL with a host name, and without a login or another port; "
        f"it is {scheme[:20]}"
    )


def _told(parts: Url) -> str:
    return (parts.host or "?")[:100]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:  # an IPv4 address in IPv6 clothes
            return _is_public(str(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)))
        if address in _6TO4:
            return False
    return address.is_global and not address.is_multicast
