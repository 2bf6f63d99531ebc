"""Ed25519 keys: the release key from its PKCS8 PEM file, and ids as protocol/keys.ts makes them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from training.exits import Exit, Failure

HOW_TO_MAKE_ONE = "Make one with: openssl genpkey -algorithm ed25519 -out release.key.pem"


@dataclass(frozen=True, repr=False)  # no repr: a key is never printed, by accident either
class ReleaseKey:
    _key: Ed25519PrivateKey

    @property
    def id(self) -> str:
        """sha256 of the 32 raw bytes of the public key, in hex: what DSSE's `keyid` carries."""
        return hashlib.sha256(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def load_release_key(path: Path) -> ReleaseKey:
    """Nothing of the file's content is ever part of a message."""
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise Failure(Exit.USAGE, "KEY_UNREADABLE", f"The release key {path} cannot be read: {error.strerror}.",
                      f"Mount it where this user may read it. {HOW_TO_MAKE_ONE}") from None
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # no PEM, a passphrase, another kind: one answer for all
        key = None
    if isinstance(key, Ed25519PrivateKey):
        return ReleaseKey(key)
    raise Failure(Exit.USAGE, "KEY_MALFORMED",
                  f"{path} holds no Ed25519 private key in PKCS8 PEM without a passphrase.", HOW_TO_MAKE_ONE)
