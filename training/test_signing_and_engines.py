"""Signatures, and engines by a trtexec that only pretends: no GPU was ever here."""

import base64
import os
import tempfile
import unittest
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from training.exits import Exit, Failure
from training.signing.dsse import pre_auth_encoding, seal
from training.signing.keys import ReleaseKey, load_release_key
from training.signing.statement import Statement, Variant
from training.tensorrt import Builder, Machine, build_engine, find_builder, tensorrt_of, this_machine

JETSON = Machine("arm64", "NVIDIA Jetson Orin NX Engineering Reference Developer Kit", "8.7", "/usr/src/tensorrt/bin/trtexec")
PLAN_HEADER = b"ftrt" + bytes(4) + bytes(16) + bytes([10, 3, 0, 30])


class SigningTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = Path(scratch.name)

    def test_what_is_signed_is_the_specifications_encoding(self) -> None:
        # The example of secure-systems-lab/dsse protocol.md.
        self.assertEqual(pre_auth_encoding("http://example.com/HelloWorld", b"hello world"),
                         b"DSSEv1 29 http://example.com/HelloWorld 11 hello world")
        self.assertEqual(pre_auth_encoding("ü", "ß".encode()), b"DSSEv1 2 \xc3\xbc 2 \xc3\x9f")

    def test_the_envelope_holds_a_signature_of_exactly_the_bytes_it_carries(self) -> None:
        private = Ed25519PrivateKey.generate()
        envelope = seal("a/b", {"é": 1}, ReleaseKey(private))
        message = pre_auth_encoding("a/b", base64.b64decode(envelope["payload"]))
        private.public_key().verify(base64.b64decode(envelope["signatures"][0]["sig"]), message)

    def test_a_key_of_another_kind_encrypted_or_absent_is_refused_without_a_word_of_it(self) -> None:
        pem = (Encoding.PEM, PrivateFormat.PKCS8)
        contents = [b"", b"no pem", X25519PrivateKey.generate().private_bytes(*pem, NoEncryption()),
                    Ed25519PrivateKey.generate().private_bytes(*pem, BestAvailableEncryption(b"secret"))]
        for index, content in enumerate(contents):
            path = self.directory / f"{index}.pem"
            path.write_bytes(content)
            with self.subTest(index), self.assertRaises(Failure) as caught:
                load_release_key(path)
            self.assertEqual((caught.exception.exit, caught.exception.code), (Exit.USAGE, "KEY_MALFORMED"))
            self.assertNotIn(content.decode()[40:60] or "?", str(caught.exception))
        with self.assertRaises(Failure) as caught:
            load_release_key(self.directory / "none.pem")
        self.assertEqual(caught.exception.code, "KEY_UNREADABLE")

    def test_the_release_number_is_the_statements_time_in_milliseconds(self) -> None:
        moment = datetime(2030, 1, 2, 3, 4, 5, 678_000, tzinfo=timezone.utc)
        statement = Statement("default", "v1", moment, (Variant("a" * 64, 1, "onnx"),), {})
        self.assertEqual(statement.release, 1_893_553_445_678)
        self.assertEqual(statement.document()["created_at"], "2030-01-02T03:04:05.678Z")
        self.assertNotIn("minimum_release", statement.document())
        self.assertEqual(replace(statement, minimum_release=7).document()["minimum_release"], 7)


class EnginesTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = Path(scratch.name)

    def pretend(self, script: str) -> Builder:
        """A trtexec that writes down how it was called, and does what `script` says with `$engine`."""
        path = self.directory / "trtexec"
        path.write_text(f'#!/bin/sh\necho "$@" > {self.directory}/called\nfor a; do case $a in --saveEngine=*) '
                        f'engine=${{a#--saveEngine=}};; esac; done\n{script}\n')
        os.chmod(path, 0o755)
        return Builder(str(path), {"arch": "arm64", "sm": "8.7"})

    def build(self, builder: Builder) -> Variant:
        return build_engine(builder, self.directory / "model.onnx", self.directory / "model.trt", lambda _words: None)

    def test_a_machine_builds_where_an_engine_of_it_fits_the_fleet(self) -> None:
        found = find_builder("auto", JETSON)
        assert isinstance(found, Builder)
        self.assertEqual(found.platform, {"arch": "arm64", "sm": "8.7", "module": JETSON.module})
        for wish, machine, why in (("never", JETSON, "switched off"), ("always", replace(JETSON, trtexec=None), "no trtexec"),
                                   ("always", replace(JETSON, sm=None), "no GPU"),
                                   ("auto", Machine("x86_64", None, "8.9", "trtexec"), "no Jetson")):
            self.assertIn(why, str(find_builder(wish, machine)))
        workstation = find_builder("always", Machine("x86_64", None, "8.9", "trtexec"))
        assert isinstance(workstation, Builder)
        self.assertEqual(workstation.platform, {"arch": "x86_64", "sm": "8.9"})

    def test_this_machine_is_read_tolerantly(self) -> None:
        tree = self.directory / "model"
        tree.write_bytes(b"NVIDIA Jetson AGX Orin Developer Kit\0")
        self.assertEqual(this_machine(None, tree).module, "NVIDIA Jetson AGX Orin Developer Kit")
        self.assertEqual(this_machine("/nowhere/trtexec", self.directory / "none").trtexec, None)

    def test_an_engine_becomes_a_variant_that_says_what_it_needs(self) -> None:
        header = "".join(f"\\{byte:03o}" for byte in PLAN_HEADER)
        variant = self.build(self.pretend(f"printf '{header} and the rest' > $engine; echo '&&&& PASSED TensorRT.trtexec'"))
        self.assertEqual(variant.format, "trt")
        self.assertEqual(variant.platform, {"arch": "arm64", "sm": "8.7", "tensorrt": "10.3.0"})
        self.assertEqual(variant.size_bytes, 41)
        called = (self.directory / "called").read_text()
        self.assertIn("--minShapes=product:1,recipe:1,asset:1,sensors:1x12", called)
        self.assertIn("--maxShapes=product:64,recipe:64,asset:64,sensors:64x12", called)
        self.assertNotIn("fp16", called)

    def test_an_engine_without_a_known_header_is_of_the_version_that_trtexec_names(self) -> None:
        for word, version in (("v8502", "8.5.2"), ("v100300", "10.3.0"), ("v101602", "10.16.2")):
            passed = f"echo x > $engine; echo '&&&& PASSED TensorRT.trtexec [TensorRT {word}] # ...'"
            self.assertEqual(self.build(self.pretend(passed)).platform["tensorrt"], version)

    def test_a_build_that_fails_says_so_in_trtexecs_words(self) -> None:
        for script, why in (("echo '[10/01/2026-08:00:00] [E] Error[4]: no parser'; exit 1", "no parser"),
                            ("echo x > $engine; echo '&&&& FAILED TensorRT.trtexec'", "exit code 0"),
                            ("echo x > $engine; echo '&&&& PASSED'", "which TensorRT")):
            with self.subTest(why), self.assertRaises(Failure) as caught:
                self.build(self.pretend(script))
            self.assertEqual(caught.exception.code, "ENGINE_BUILD_FAILED")
            self.assertIn(why, caught.exception.sentence)

    def test_a_header_of_another_kind_is_unknown_and_not_wrong(self) -> None:
        self.assertEqual(tensorrt_of(PLAN_HEADER), "10.3.0")
        for other in (b"", b"ftrt", b"{\"a\":1}" * 9, PLAN_HEADER[:4] + b"\x01" + PLAN_HEADER[5:]):
            self.assertIsNone(tensorrt_of(other))
