"""Certificates of servers for TLS: right ones, and each that a client has to refuse."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local.postgres.account import os_user

PEM = serialization.Encoding.PEM
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate with its key; `text` is the PEM."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def text(self) -> bytes:
        """As a server or a client's sslrootcert has it."""
        return self.certificate.public_bytes(PEM)

    def write(self, folder: Path, *chain: Signed) -> tuple[Path, Path]:
        """Files of the certificate, with `chain` after it, and of its key, for the account that
        servers run as."""
        certificate, own = folder / "server.crt", folder / "server.key"
        certificate.write_bytes(b"".join(each.text for each in (self, *chain)))
        secret = serialization.NoEncryption()
        own.write_bytes(self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, secret))
        own.chmod(0o600)
        if user := os_user():
            shutil.chown(own, user)
        return certificate, own


def signed(
    name: str, by: Signed | None = None, *, authority: bool = False, begins: int = -1, days: int = 2
) -> Signed:
    """For the host `name`, or of an authority of that name; signed by itself unless `by` is given.
    Valid from `begins` days from now on for so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = datetime.now(UTC) + begins * DAY
    issuer = by.certificate.subject if by else subject
    number = x509.random_serial_number()
    unsigned = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), number)
        .not_valid_before(begin)
        .not_valid_after(begin + days * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return Signed(unsigned.sign(by.key if by else key, hashes.SHA256()), key)


def revocations(by: Signed, *revoked: Signed) -> bytes:
    """An authority's list of the certificates that it takes back, as sslcrl names one."""
    now = datetime.now(UTC)
    made = x509.CertificateRevocationListBuilder(by.certificate.subject, now - DAY, now + DAY)
    for each in revoked:
        entry = x509.RevokedCertificateBuilder(each.certificate.serial_number, now - DAY)
        made = made.add_revoked_certificate(entry.build())
    return made.sign(by.key, hashes.SHA256()).public_bytes(PEM)
