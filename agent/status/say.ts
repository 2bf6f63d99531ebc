// `agent status`: what the running agent says of itself, in a few lines on the terminal, in the words of the page.
import { buildWords } from "@context-edge/protocol";
import { instant } from "../core/instant.ts";
import type { ModelStatus, StatusDocument } from "./document.ts";
import { clockTime, isBelievable, sentence } from "./format.ts";
import { noticesOf } from "./notices.ts";

export function statusLines(status: StatusDocument): string[] {
  const now = instant(status.at);
  const models = Object.entries(status.models).flatMap(([name, model]) => modelLines(name, model, now));
  const notices = noticesOf(status).flatMap(({ title, message, next }) => [
    `${title}: ${message}`,
    ...(next === "" ? [] : [`  What to do: ${next}`]),
  ]);
  const { hold, hub } = status;
  const who = hold?.by === "hub" ? "an engineer" : "somebody at the device";
  const held = hold ? [`On hold by ${who} until ${clockTime(hold.until, now)}. ${sentence(hold.reason)}`.trim()] : [];
  const heard = hub.last_answer_at === null ? "has not answered yet" : `answered ${clockTime(hub.last_answer_at, now)}`;
  return [
    `${status.device} (group ${status.group ?? "none yet"})`,
    ...models,
    ...held,
    ...notices,
    `Hub ${hub.url} ${heard}.`,
  ];
}

function modelLines(
  name: string,
  { headline, wish, current, current_since: since, waiting, attempt }: ModelStatus,
  now: number,
): string[] {
  const isSince = since !== null && isBelievable(since) && /^(?:Running|Trying) /.test(headline.text);
  const when = isSince ? ` since ${clockTime(since, now)}` : "";
  const until = waiting?.until ? ` (until ${clockTime(waiting.until, now)})` : "";
  return [
    `${name}: ${headline.text}${when}. ${headline.health}`,
    `  ${wish}`,
    ...(attempt?.build && !waiting ? [`  ${buildWords(attempt.build, current?.version ?? null)}.`] : []),
    ...(waiting ? [`  Waits: ${waiting.message}${until}.`] : []),
  ];
}
