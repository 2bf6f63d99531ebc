// What the running agent answers to the command line.
import type { Agent } from "../agent.ts";
import { offerDocuments } from "./carried.ts";
import type { ControlReply, ControlRequest } from "../effects/control.ts";

export function controlAnswers(agent: Agent, stop: AbortSignal): (request: ControlRequest) => Promise<ControlReply> {
  const done = (data: unknown = null): ControlReply => ({ ok: true, data });
  return async (request) => {
    switch (request.do) {
      case "status": {
        const { statusDocument } = await import("../status/document.ts");
        return done(await statusDocument(agent, stop));
      }
      case "check":
        agent.actions.check();
        return done();
      case "hold":
        return done(await agent.actions.hold(request.hours, request.reason));
      case "release":
        await agent.actions.release();
        return done();
      case "diagnose": {
        const [{ statusDocument }, { diagnosticsOf }] = await Promise.all([
          import("../status/document.ts"),
          import("./diagnose.ts"),
        ]);
        const bundle = await diagnosticsOf(agent.config, await statusDocument(agent, stop));
        return done(Buffer.from(bundle).toString("base64"));
      }
      case "documents": {
        const refused = await offerDocuments(agent.documents, { ...request });
        agent.actions.check();
        return done(refused);
      }
      case "forget": {
        agent.log.warn(
          agent.documents.followed(),
          "the accepted numbers are forgotten, as a person at the device wants",
        );
        await agent.documents.forget();
        agent.actions.check();
        return done();
      }
      case "rollback": {
        const trouble = await agent.actions.rollback(request.model);
        return trouble ? { ok: false, ...trouble } : done();
      }
    }
  };
}
