"""A signing certificate of an authority of our own, good for a month: for tests of credentials alone."""

import datetime
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def make(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Certificates (own first) and key, as PEM files."""
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ski = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    root = (
        _certificate("Test authority", "Test authority", authority)
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(_usage(certificates=True), True)
        .add_extension(ski, False)
        .sign(authority, hashes.SHA256())
    )
    leaf = (
        _certificate("Test brand", "Test authority", own)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(_usage(certificates=False), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski), False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), False)
        .sign(authority, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    certificates, key = folder / "cert.pem", folder / "key.pem"
    certificates.write_bytes(leaf.public_bytes(pem) + root.public_bytes(pem))
    key.touch(mode=0o600)
    key.write_bytes(own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return certificates, key


def _certificate(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer)).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=30))
    )  # fmt: skip


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(not certificates, False, False, False, False, certificates, False, False, False)
