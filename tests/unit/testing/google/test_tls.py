"""The emulator behind a certificate."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
import urllib.request
from pathlib import Path

import pytest

from syncengine.testing.google import GoogleEmulator, Library

pytest.importorskip("cryptography")


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "emulator")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = (directory / "cert.pem", directory / "key.pem")
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def test_urls_are_https_and_open(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    library = Library()
    library.photos.add("a.jpg")
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    with GoogleEmulator(library, certificate) as emulator:
        token = emulator.authority.mint()["access_token"]
        asked = urllib.request.Request(
            emulator.root("photoslibrary.googleapis.com") + "/v1/mediaItems",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urllib.request.urlopen(asked, timeout=10, context=trust) as answer:
            (item,) = json.load(answer)["mediaItems"]
        assert item["baseUrl"].startswith(f"https://127.0.0.1:{emulator.port}/lh3.googleusercontent.com/")
        with urllib.request.urlopen(item["baseUrl"] + "=d", timeout=10, context=trust) as answer:
            assert answer.read().startswith(b"\xff\xd8")
        assert emulator.failures == []
