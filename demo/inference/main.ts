// The process that hosts every demo device's inference service: `node demo/inference/main.ts '[{"modelsDir":…,"port":…}]'`.
import { z } from "zod";
import { buildInferenceService } from "./service.ts";

const Services = z.array(z.object({ modelsDir: z.string(), linkName: z.string(), port: z.number().int() }));

const services = Services.parse(JSON.parse(process.argv[2] ?? "[]"));
const apps = await Promise.all(
  services.map(async ({ modelsDir, linkName, port }) => {
    const app = await buildInferenceService(modelsDir, linkName);
    await app.listen({ host: "127.0.0.1", port });
    return app;
  }),
);
process.once("SIGTERM", () => {
  void Promise.all(apps.map((app) => app.close())).then(() => process.exit(0));
});
process.send?.("ready");
