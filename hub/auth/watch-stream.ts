// A live connection outlasts its sign-in unless somebody looks: whoever is signed out, disabled or revoked is cut off soon.
import type { ServerResponse } from "node:http";
import type { FastifyRequest } from "fastify";
import type { People } from "./accounts.ts";

const LOOK_EVERY_MS = 15_000;

export function endWhenSignedOut(
  people: Pick<People, "identify">,
  request: FastifyRequest,
  out: ServerResponse,
  everyMs = LOOK_EVERY_MS,
): void {
  const looking = setInterval(() => {
    people.identify(request).then(
      (principal) => {
        if (!principal) out.destroy();
      },
      // The store does not answer: nothing is known, so nothing is cut.
      () => undefined,
    );
  }, everyMs);
  out.once("close", () => clearInterval(looking));
}
