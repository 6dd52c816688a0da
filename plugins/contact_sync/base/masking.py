"""E-mail addresses and other values for eyes that need not see them. Pure."""

from __future__ import annotations


def masked(address: str | None) -> str:
    """`john@example.com` as `j***@e***.com`; of a long ending only the last part shows.

    The stars say nothing about the length. What is no address becomes `***`; no address, "".
    """
    if not address:
        return ""
    name, at, domain = address.rpartition("@")
    if not (name and at and domain):
        return "***"
    host, dot, ending = domain.rpartition(".")
    return f"{name[0]}***@{host[0]}***.{ending}" if dot and host else f"{name[0]}***@***"


def veiled(value: str | None) -> str:
    """Any value: an address as `masked` has it, of everything else the first character; a `+` of a
    phone number doesn't count. No value, ""."""
    text = (value or "").strip()
    if "@" in text:
        return masked(text)
    shown = text[:2] if text.startswith("+") else text[:1]
    return f"{shown}***" if text else ""
