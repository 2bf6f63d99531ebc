"""DSSE envelopes (secure-systems-lab/dsse v1.0.2) with Ed25519, as protocol/dsse.ts opens them: Python signs, TypeScript verifies."""

import base64
import json
from typing import TypedDict

from training.signing.keys import ReleaseKey


class Signature(TypedDict):
    keyid: str
    sig: str


class Envelope(TypedDict):
    payloadType: str
    payload: str
    signatures: list[Signature]


def pre_auth_encoding(payload_type: str, payload: bytes) -> bytes:
    """PAE: the type is signed with the payload, so one document never passes for another."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload_type: str, document: object, key: ReleaseKey) -> Envelope:
    """The exact bytes are kept in the envelope, so no canonical form of the JSON is needed."""
    payload = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    signature = key.sign(pre_auth_encoding(payload_type, payload))
    return {
        "payloadType": payload_type,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key.id, "sig": base64.b64encode(signature).decode()}],
    }
