// Polls for the manifest, answered straight from memory: who asks and what its group runs are both at hand, so a 304 costs no more than its bytes.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { PROBLEM_MEDIA_TYPE } from "@context-edge/protocol";
import { comeBackSeconds } from "./come-back.ts";
import { hasCurrent } from "./entity-tags.ts";
import type { Identities, Identity } from "./identities.ts";
import type { Presence } from "./presence.ts";
import { ProblemError } from "./problem-error.ts";
import type { Published, Publisher } from "./publisher.ts";
import { type WholeAnswer, wholeAnswer } from "./whole-answer.ts";
import type { Waiter, WaitingRoom } from "./waiting-room.ts";

export interface Polls {
  /** Answers `GET /device/v1/manifest`, at once or after a wait. */
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** Ends this device's wait if it has moved, or anything else about it has changed since it began to wait. */
  wakeDevice(deviceId: string): void;
  /** Ends this device's wait, whatever has changed. */
  release(deviceId: string): void;
  /** Since the start. */
  counts(): { answered: number; unchanged: number; held: number };
}

interface Parts {
  identities: Identities;
  presence: Presence;
  publisher: Pick<Publisher, "current">;
  room: WaitingRoom;
  /** Once this is aborted, nobody is held any more. */
  ending: AbortSignal;
  /** Each answer: what it was, and how long it took; null for one that was held. */
  count: (result: "changed" | "unchanged" | "refused", seconds: number | null) => void;
  log: Pick<Logger, "error">;
}

interface HeldPoll extends Waiter {
  identity: Identity;
}

const LONGEST_WAIT_SECONDS = 60;

export function answerPolls({ identities, presence, publisher, room, ending, count, log }: Parts): Polls {
  let answered = 0;
  let unchanged = 0;
  const answersOf = rememberAnswers();

  const refuse = (response: ServerResponse, error: unknown) => {
    if (!(error instanceof ProblemError)) log.error({ err: error }, "a poll failed");
    count("refused", null);
    const problem = (error instanceof ProblemError ? error : internal()).toProblem();
    if (problem.status === 503) response.setHeader("retry-after", comeBackSeconds());
    const text = JSON.stringify(problem);
    response
      .writeHead(problem.status, {
        "content-type": PROBLEM_MEDIA_TYPE,
        "x-content-type-options": "nosniff",
        "content-length": Buffer.byteLength(text),
      })
      .end(text);
  };

  const send = (request: IncomingMessage, response: ServerResponse, identity: Identity, beganMs?: number) => {
    const manifest = publisher.current(identity.group_name);
    if (!manifest) return refuse(response, noManifest(identity.group_name));
    answered += 1;
    const isSame = hasCurrent(request.headers["if-none-match"], manifest.etag);
    count(isSame ? "unchanged" : "changed", beganMs === undefined ? null : (performance.now() - beganMs) / 1_000);
    if (isSame) {
      unchanged += 1;
    }
    const answers = answersOf(manifest);
    (isSame ? answers.unchanged : answers.changed)(response, identity.assignment_sequence);
  };

  /** After a wait: the device may be another by now. */
  const sendLate = (request: IncomingMessage, response: ServerResponse, identity: Identity) => {
    if (identities.isCurrent(identity)) return send(request, response, identity);
    withIdentity(identities.identify(request.headers.authorization), response, (found) =>
      send(request, response, found),
    );
  };

  const hold = (request: IncomingMessage, response: ServerResponse, identity: Identity, waitSeconds: number) => {
    const release = presence.hold(identity.id);
    const waiter: HeldPoll = {
      deviceId: identity.id,
      group: identity.group_name,
      identity,
      wake: () => {
        release();
        response.removeListener("close", hangUp);
        sendLate(request, response, identity);
      },
    };
    const leave = room.enter(waiter, waitSeconds * 1_000);
    const hangUp = () => {
      release();
      leave();
    };
    response.once("close", hangUp);
  };

  const take = (request: IncomingMessage, response: ServerResponse, identity: Identity) => {
    const beganMs = performance.now();
    presence.seen(identity.id);
    const { prefer } = request.headers;
    const waitSeconds = prefer === undefined ? 0 : preferredWait(prefer);
    // At the hub's end the answer is at once, and the next request goes elsewhere.
    if (ending.aborted) response.setHeader("connection", "close");
    const mayWait = waitSeconds > 0 && !ending.aborted;
    const manifest = mayWait ? publisher.current(identity.group_name) : undefined;
    if (manifest && hasCurrent(request.headers["if-none-match"], manifest.etag))
      hold(request, response, identity, waitSeconds);
    else send(request, response, identity, beganMs);
  };

  const withIdentity = (asked: Promise<Identity>, response: ServerResponse, go: (identity: Identity) => void) => {
    asked.then((identity) => !response.destroyed && go(identity)).catch((error: unknown) => refuse(response, error));
  };

  return {
    answer(request, response) {
      const { authorization } = request.headers;
      const identity = identities.known(authorization);
      if (identity) take(request, response, identity);
      else withIdentity(identities.identify(authorization), response, (found) => take(request, response, found));
    },
    wakeDevice: (deviceId) =>
      room.wakeDevice(deviceId, (waiter) => {
        const { identity } = waiter as HeldPoll;
        return !identities.isCurrent(identity);
      }),
    release: (deviceId) => room.wakeDevice(deviceId),
    counts: () => ({ answered, unchanged, held: room.held() }),
  };
}

interface Answers {
  unchanged: WholeAnswer;
  changed: WholeAnswer;
}

/** Both answers that a manifest has, made when the first device asks. */
function rememberAnswers(): (manifest: Published) => Answers {
  const known = new WeakMap<Published, Answers>();
  return (manifest) => {
    const made = known.get(manifest);
    if (made) return made;
    const { etag, body } = manifest;
    const headers = {
      etag,
      "content-type": "application/json; charset=utf-8",
      "content-length": String(body.length),
      "x-content-type-options": "nosniff",
    };
    const answers = {
      unchanged: wholeAnswer({ status: 304, headers: { etag }, body: "" }),
      // An envelope is ASCII throughout.
      changed: wholeAnswer({ status: 200, headers, body: body.toString("latin1") }),
    };
    known.set(manifest, answers);
    return answers;
  };
}

function noManifest(group: string): ProblemError {
  return new ProblemError("NO_MANIFEST", `Group ${group} has no manifest yet.`, { nextStep: "Ask again soon." });
}

function internal(): ProblemError {
  return new ProblemError("INTERNAL", "The hub could not answer this. It is in the hub's log.");
}

/** `Prefer: wait=25`, RFC 7240 §4.3. */
function preferredWait(header: string | string[]): number {
  const text = Array.isArray(header) ? header.join(",") : header;
  const seconds = /(?:^|[,;\s])wait=(\d{1,5})/i.exec(text)?.[1];
  return Math.min(Number(seconds ?? 0), LONGEST_WAIT_SECONDS);
}
