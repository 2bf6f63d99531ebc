"""Asks the hub, and asks again while it is away: every call here may be repeated without doing anything twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from training.exits import Exit, Failure
from training.progress import Progress

TIMEOUT = httpx.Timeout(30, connect=10)
# The hub's own "not now": docs/errors.md. Whatever a proxy in front of it says while it restarts counts too.
PASSING = {408, 425, 429, 500, 502, 503, 504}
LONGEST_WAIT_S = 30


class NotNow(Exception):
    """The hub may answer another time."""

    def __init__(self, why: str, retry_after: float | None = None):
        super().__init__(why)
        self.retry_after = retry_after


@dataclass(frozen=True)
class HubClient:
    """`patience_s` is how long one call is repeated before the hub counts as unreachable."""

    wire: httpx.Client
    patience_s: float
    progress: Progress
    sleep: Callable[[float], None] = time.sleep

    def get(self, path: str, **params: str | int) -> Any:
        return _document(self.ask("GET", path, params=params))

    def post(self, path: str, document: object) -> Any:
        return _document(self.ask("POST", path, json=document))

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """The answer, whatever its status below 400; a refusal is a Failure with the hub's own code."""
        return self.patiently(lambda: answered(self.wire.request(method, path, **how)))

    def patiently(self, call: Callable[[], httpx.Response]) -> httpx.Response:
        """`call` again while it raises NotNow or loses its connection, until `patience_s` is over."""
        attempts = Retrying(
            stop=stop_after_delay(self.patience_s),
            wait=_as_long_as_it_says,
            retry=retry_if_exception_type((NotNow, httpx.TransportError)),
            before_sleep=self._say,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return attempts(call)
        except (NotNow, httpx.TransportError) as error:
            raise self.unreachable(error) from None

    def unreachable(self, error: Exception) -> Failure:
        return Failure(
            Exit.UNREACHABLE, "HUB_UNREACHABLE",
            f"The hub {self.wire.base_url} cannot be reached: {_words(error)}; tried for {self.patience_s:g} s.",
            "Start it again once the hub answers: what was trained is kept, and the run goes on from there.",
        )

    def _say(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0.0
        self.progress.tell("waiting", f"The hub does not answer ({_words(error)}); again in {seconds:.0f} s.",
                           why=_words(error), seconds=round(seconds, 1))


def connect(url: str, token: str | None, patience_s: float, progress: Progress,
            transport: httpx.BaseTransport | None = None) -> HubClient:
    """Redirects are not followed: the token goes to this hub and to nobody else."""
    headers = {"user-agent": "context-edge-training"} | ({"authorization": f"Bearer {token}"} if token else {})
    wire = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, transport=transport)
    return HubClient(wire, patience_s, progress)


def answered(response: httpx.Response) -> httpx.Response:
    """The response, if it is one that says yes. Raises NotNow, or Failure with the problem's code and next step."""
    status = response.status_code
    if status < 400:
        return response
    response.read()
    problem = _problem(response)
    if status in PASSING:
        raise NotNow(problem["code"], _seconds(response.headers.get("retry-after")))
    raise Failure(Exit.REFUSED, problem["code"], f"The hub refused: {problem['detail']}", problem["next_step"])


def _problem(response: httpx.Response) -> dict[str, str]:
    """RFC 9457, read tolerantly: something in between may have answered instead of the hub."""
    try:
        body = response.json()
    except ValueError:
        body = None
    given: dict[str, Any] = body if isinstance(body, dict) else {}
    words = {key: value for key, value in given.items() if isinstance(value, str)}
    fallback = f"{response.request.method} {response.request.url.path} was answered with {response.status_code}"
    return {
        "code": words.get("code", f"HTTP_{response.status_code}"),
        "detail": words.get("detail", words.get("title", fallback)),
        "next_step": words.get("next_step", "Look at docs/errors.md and at the hub's log."),
    }


def _document(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        raise Failure(Exit.REFUSED, "NOT_A_HUB", f"{response.request.url} does not answer as a hub does.",
                      "Check CONTEXT_EDGE_URL.") from None


def _as_long_as_it_says(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, NotNow) and error.retry_after is not None:
        return min(error.retry_after, LONGEST_WAIT_S)
    return wait_exponential_jitter(initial=0.5, max=LONGEST_WAIT_S)(state)


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isdigit() else None


def _words(error: BaseException | None) -> str:
    return str(error) or type(error).__name__
