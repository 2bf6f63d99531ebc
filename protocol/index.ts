// The shared words of hub, agent and dashboard: one import for every schema and type that travels between them.
export * from "./api.ts";
export * from "./device.ts";
export * from "./dsse.ts";
export * from "./inference.ts";
export * from "./keys.ts";
export * from "./live.ts";
export * from "./manifest.ts";
export * from "./mlops.ts";
export * from "./names.ts";
export * from "./problem.ts";
export * from "./report.ts";
export * from "./statement.ts";
export * from "./telemetry.ts";
export * from "./wave.ts";
export * from "./words.ts";
