"""The hub's wire from this side: asked again while it is away, believed when it refuses, and told nothing it should not know."""

import hashlib
import io
import tempfile
import threading
import unittest
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx

from training.exits import Exit, Failure
from training.hub.client import HubClient, connect
from training.hub.upload import upload
from training.hub.versions import check_permission, fetch_file, list_versions, next_version, running_version
from training.progress import Progress
from training.signing.statement import Variant

BYTES = bytes(range(256)) * 4
DIGEST = hashlib.sha256(BYTES).hexdigest()
Line = httpx.Response | Exception


class ScriptedHub(httpx.BaseTransport):
    """Answers each request with the next line of its script and keeps what it was asked."""

    def __init__(self, *script: Line):
        self.script = list(script)
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self.waited: list[float] = []
        self.time = 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.bodies.append(request.read())
        line = self.script.pop(0)
        if isinstance(line, Exception):
            raise line
        return line

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.time += seconds

    def client(self, patience_s: float = 60) -> HubClient:
        client = connect("https://hub.test", "cet_secret", patience_s, Progress(out=io.StringIO()), self)
        return HubClient(client.wire, patience_s, client.progress, sleep=self.wait)


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"code": code, "detail": f"it is {code}", "next_step": "do something else"}
    return httpx.Response(status, json=body, headers=headers)


def version(name: str, **facts: Any) -> dict[str, Any]:
    return {"version_id": name, "stage": "pending", "running_on": 0, "metrics": {}} | facts


class AskingTest(unittest.TestCase):
    def test_a_hub_that_is_away_is_asked_again_and_one_that_names_a_time_is_given_it(self) -> None:
        hub = ScriptedHub(httpx.ConnectError("refused"), problem(503, "OVERLOADED", **{"retry-after": "7"}),
                          httpx.ReadTimeout("slow"), httpx.Response(502, text="<html>"), httpx.Response(200, json={"x": 1}))
        self.assertEqual(hub.client().get("api/v1/session"), {"x": 1})
        self.assertEqual(len(hub.requests), 5)
        self.assertEqual(hub.waited[1], 7)

    def test_patience_ends_and_says_what_to_do(self) -> None:
        hub = ScriptedHub(*[httpx.ConnectError("refused")] * 1000)
        with self.assertRaises(Failure) as caught:
            hub.client(patience_s=0).get("api/v1/session")
        self.assertEqual((caught.exception.exit, caught.exception.code), (Exit.UNREACHABLE, "HUB_UNREACHABLE"))
        self.assertIn("https://hub.test", caught.exception.sentence)

    def test_a_refusal_is_believed_at_once_with_the_hubs_own_code_and_next_step(self) -> None:
        hub = ScriptedHub(problem(422, "STATEMENT_REFUSED"))
        with self.assertRaises(Failure) as caught:
            hub.client().post("mlops/models/register", {})
        self.assertEqual((caught.exception.exit, caught.exception.code, caught.exception.next_step),
                         (Exit.REFUSED, "STATEMENT_REFUSED", "do something else"))

    def test_something_that_is_no_hub_is_told_as_such(self) -> None:
        with self.assertRaises(Failure) as caught:
            ScriptedHub(httpx.Response(200, text="<html>It works!</html>")).client().get("api/v1/session")
        self.assertEqual(caught.exception.code, "NOT_A_HUB")

    def test_a_token_that_may_not_register_is_found_before_anything_is_trained(self) -> None:
        for session, code in (({"auth": "accounts", "signed_in": True, "role": "viewer"}, "FORBIDDEN"),
                              ({"auth": "accounts", "signed_in": False, "role": None}, "UNAUTHENTICATED")):
            with self.subTest(code), self.assertRaises(Failure) as caught:
                check_permission(ScriptedHub(httpx.Response(200, json=session)).client())
            self.assertEqual((caught.exception.exit, caught.exception.code), (Exit.REFUSED, code))
        for auth, role in (("accounts", "publisher"), ("none", None)):
            check_permission(ScriptedHub(httpx.Response(200, json={"auth": auth, "signed_in": True, "role": role})).client())


class VersionsTest(unittest.TestCase):
    def test_lists_are_read_to_their_last_page(self) -> None:
        hub = ScriptedHub(httpx.Response(200, json={"items": [version("b")], "next_cursor": "more"}),
                          httpx.Response(200, json={"items": [version("a")], "next_cursor": None}))
        self.assertEqual([one["version_id"] for one in list_versions(hub.client(), "default")], ["b", "a"])
        self.assertEqual(hub.requests[1].url.params["cursor"], "more")

    def test_the_running_version_is_what_most_devices_run_and_else_what_was_approved_last(self) -> None:
        approved = version("v3", stage="approved")
        old, new = version("v1", running_on=5, stage="approved"), version("v2", running_on=2, stage="approved")
        self.assertEqual(running_version([approved, new, old]), old)
        self.assertEqual(running_version([version("v4"), approved]), approved)
        self.assertIsNone(running_version([version("v4"), version("v5", stage="rejected")]))
        self.assertIsNone(running_version([]))

    def test_the_next_version_is_the_day_and_never_one_that_is_taken(self) -> None:
        day = date(2026, 11, 5)
        self.assertEqual(next_version([], day), "2026.11.05")
        self.assertEqual(next_version(["2026.11.05", "2026.11.05-2", "2026.11.05-4"], day), "2026.11.05-3")


class FilesTest(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.directory = Path(scratch.name)
        self.file = self.directory / "model.onnx"
        self.file.write_bytes(BYTES)
        self.variant = Variant(DIGEST, len(BYTES), "onnx")

    def send(self, hub: ScriptedHub, patience_s: float = 60) -> bool:
        return upload(hub.client(patience_s), self.file, self.variant, clock=lambda: hub.time)

    def test_a_file_the_hub_has_is_not_sent(self) -> None:
        self.assertFalse(self.send(ScriptedHub(httpx.Response(200))))

    def test_an_upload_that_breaks_off_goes_on_where_the_hub_says_it_ended(self) -> None:
        hub = ScriptedHub(httpx.Response(404, headers={"upload-offset": "0"}), httpx.WriteError("broken pipe"),
                          httpx.Response(404, headers={"upload-offset": "300"}), httpx.Response(201))
        self.assertTrue(self.send(hub))
        self.assertEqual(hub.bodies[-1], BYTES[300:])
        self.assertEqual(hub.requests[-1].headers["content-range"], "bytes 300-1023/1024")
        self.assertEqual(hub.requests[-1].headers["content-length"], "724")

    def test_all_bytes_there_and_yet_not_whole_sends_the_last_one_again(self) -> None:
        hub = ScriptedHub(httpx.Response(404, headers={"upload-offset": "1024"}), httpx.Response(201))
        self.assertTrue(self.send(hub))
        self.assertEqual(hub.bodies[-1], BYTES[-1:])

    def test_a_kept_beginning_that_is_rotten_is_sent_over_again_once(self) -> None:
        hub = ScriptedHub(httpx.Response(404, headers={"upload-offset": "300"}), problem(422, "DIGEST_MISMATCH"),
                          httpx.Response(404, headers={"upload-offset": "0"}), httpx.Response(201))
        self.assertTrue(self.send(hub))
        self.assertEqual(hub.bodies[-1], BYTES)
        with self.assertRaises(Failure) as caught:
            self.send(ScriptedHub(httpx.Response(404, headers={"upload-offset": "0"}), problem(422, "DIGEST_MISMATCH")))
        self.assertEqual(caught.exception.code, "DIGEST_MISMATCH")

    def test_an_upload_that_gets_no_further_is_given_up_after_its_patience(self) -> None:
        fruitless: list[Line] = [httpx.Response(404, headers={"upload-offset": "0"}), httpx.WriteError("broken pipe")]
        hub = ScriptedHub(*fruitless * 50)
        with self.assertRaises(Failure) as caught:
            self.send(hub, patience_s=20)
        self.assertEqual(caught.exception.exit, Exit.UNREACHABLE)
        self.assertGreater(hub.time, 20)

    def test_a_file_is_fetched_verified_and_not_fetched_twice(self) -> None:
        hub = ScriptedHub(httpx.Response(200, content=b"cut sho"), httpx.Response(200, content=BYTES))
        path = fetch_file(hub.client(), DIGEST, self.directory / "cache")
        self.assertEqual(path.read_bytes(), BYTES)
        self.assertEqual(fetch_file(hub.client(), DIGEST, self.directory / "cache"), path)
        self.assertEqual(len(hub.requests), 2)
        path.write_bytes(b"rotten")
        hub.script = [httpx.Response(200, content=BYTES)]
        self.assertEqual(fetch_file(hub.client(), DIGEST, self.directory / "cache").read_bytes(), BYTES)

    def test_a_file_in_an_object_store_is_fetched_there_without_the_token(self) -> None:
        asked: list[str | None] = []

        class Store(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.headers.get("authorization"))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(BYTES)

            def log_message(self, *_words: object) -> None:
                pass

        store = HTTPServer(("127.0.0.1", 0), Store)
        self.addCleanup(store.server_close)
        threading.Thread(target=store.handle_request, daemon=True).start()
        hub = ScriptedHub(httpx.Response(307, headers={"location": f"http://127.0.0.1:{store.server_port}/presigned?sig=1"}))
        self.assertEqual(fetch_file(hub.client(), DIGEST, self.directory / "cache").read_bytes(), BYTES)
        self.assertEqual(asked, [None])
        self.assertEqual(hub.requests[0].headers["authorization"], "Bearer cet_secret")
