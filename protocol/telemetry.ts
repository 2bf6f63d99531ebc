// How the device itself is: load, heat, power, memory, disk and network at one moment. Whatever cannot be read is null or absent.
import { z } from "zod";
import { Timestamp } from "./names.ts";

const Percent = z.number().min(0).max(100);
const Celsius = z.number();

export const Telemetry = z.object({
  at: Timestamp,
  cpu_percent: Percent.nullable(),
  gpu_percent: Percent.nullable(),
  /** Degrees Celsius by zone, as the kernel names them: `cpu-thermal`, `gpu-thermal`, `tj-thermal`. */
  temperatures_c: z.record(z.string().max(64), Celsius),
  /** Milliwatts by rail: `VDD_IN`, `VDD_CPU_GPU_CV`. */
  power_mw: z.record(z.string().max(64), z.number()),
  /** As nvpmodel names it, `MAXN`, or by its number. */
  power_mode: z.string().max(64).nullable(),
  /** Over-current events since boot: they throttle the clocks. */
  overcurrent_events: z.number().int().nullable(),
  memory_total_bytes: z.number().nullable(),
  /** What a new process could have; on a Jetson the GPU shares it. */
  memory_available_bytes: z.number().nullable(),
  /** Of the filesystem that holds the models. */
  disk_total_bytes: z.number().nullable(),
  disk_free_bytes: z.number().nullable(),
  network: z.array(z.object({ name: z.string().max(64), address: z.string().max(64), up: z.boolean() })).max(32),
  uptime_s: z.number().nullable(),
});
export type Telemetry = z.infer<typeof Telemetry>;
