"""TLS for the doors of others' autoscalers: our certificate, and who is let in."""

from __future__ import annotations

import datetime
import ssl
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LASTS = datetime.timedelta(days=3650)  # of one that is made at every start and that nobody checks


class Keyring:
    """A TLS context whose certificate and authorities may change while it serves."""

    def __init__(self, certificate: Path | None, key: Path | None, now: float) -> None:
        """Without files a certificate is made. Raises OSError, ssl.SSLError for files that cannot be used."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.verify_mode = ssl.CERT_OPTIONAL  # whoever has none may show a token
        self._files = (certificate, key) if certificate is not None and key is not None else None
        self._stamps = (0, 0)
        self._authorities: set[str] = set()
        if self._files is None:
            with tempfile.TemporaryDirectory(prefix="podium-tls-") as folder:
                self.context.load_cert_chain(_self_signed(Path(folder) / "both.pem", now))
        self.renew()

    def renew(self) -> bool:
        """Take the files up again where they have changed, for connections from now on; whether they had."""
        if self._files is None:
            return False
        stamps = (self._files[0].stat().st_mtime_ns, self._files[1].stat().st_mtime_ns)
        if stamps == self._stamps:
            return False
        self.context.load_cert_chain(*self._files)
        self._stamps = stamps
        return True

    def trust(self, authority: str) -> None:
        """Let in whoever shows a certificate that these (PEM) have signed. Raises ssl.SSLError for another text."""
        if authority and authority not in self._authorities:
            self.context.load_verify_locations(cadata=authority)
            self._authorities.add(authority)


def _self_signed(path: Path, now: float) -> Path:
    """A certificate for `podium` and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "podium")])
    begun = datetime.datetime.fromtimestamp(now, datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun - datetime.timedelta(hours=1))
        .not_valid_after(begun + LASTS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("podium")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.touch(mode=0o600)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
