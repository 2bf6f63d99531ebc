// Readings from captured lines and made-up trees: every printed form of tegrastats, and sensors that are off or missing.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { tempDir } from "../../testing/temp-dir.ts";
import { readEngineHeader } from "../engine-header.ts";
import { takeInventory } from "./inventory.ts";
import { openSampler } from "./sampler.ts";
import { readSysfs } from "./sysfs.ts";
import { parseTegrastats, readTegrastatsOnce } from "./tegrastats.ts";

async function tree(files: Record<string, string>): Promise<string> {
  const root = await tempDir();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return root;
}

describe("tegrastats", () => {
  const NANO =
    "RAM 331/3964MB (lfb 758x4MB) SWAP 0/1982MB (cached 0MB) IRAM 0/252kB(lfb 252kB) CPU [0%@102,0%@102,0%@102,0%@102] EMC_FREQ 3%@204 GR3D_FREQ 0%@76 APE 25 PLL@20.5C CPU@23.5C GPU@22.5C thermal@23C POM_5V_IN 933/933 POM_5V_GPU 0/0";
  const XAVIER =
    "RAM 2000/15692MB (lfb 3x4MB) CPU [12%@1190,off,off,3%@1190] EMC_FREQ 0%@2133 GR3D_FREQ 0%@1377 APE 150 MTS fg 0% bg 0% AO@26.5C GPU@28C PMIC@100C GPU 1155/1155 CPU 385/385 SOC 2502/2502";
  const ORIN =
    "11-15-2024 08:38:09 RAM 6185/7620MB (lfb 8x2MB) SWAP 0/3810MB (cached 0MB) CPU [5%@729,1%@729,off,off,9%@1510,0%@1510] EMC_FREQ 1%@2133 GR3D_FREQ 63%@[621] NVDEC off NVJPG off VIC off OFA off APE 200 cpu@53.968C gpu@53.343C tj@53.968C soc0@-256C VDD_IN 12479mW/12479mW VDD_CPU_GPU_CV 4667mW/4667mW";
  const ORIN_JP7 =
    "RAM 3000/7620MB (lfb 1x512kB) CPU [1%@729] GR3D_FREQ 12%@[1300,1300] NVENC0 off cpu@52.968C/52.968C tj@53.1C/53.9C VDD_GPU_SOC 5139mW/5139mW/5139mW";
  const THOR = "RAM 9000/125000MB CPU [0%@2600,0%@2600] GR3D_FREQ @[1000,1000,1000] tj@40.5C VDD_GPU 1000mW/1000mW";
  const TX1 = "RAM 1500/3994MB (lfb 40x4MB) cpu [17%,13%,29%,5%]@408 EMC 1%@408 APE 25 GR3D 3%@76";

  test.each([
    ["Nano", NANO, 0, [76], { CPU: 23.5, GPU: 22.5, thermal: 23, PLL: 20.5 }, { POM_5V_IN: 933, POM_5V_GPU: 0 }],
    ["Xavier", XAVIER, 0, [1_377], { AO: 26.5, GPU: 28, PMIC: 100 }, { GPU: 1_155, CPU: 385, SOC: 2_502 }],
    ["Orin Nano", ORIN, 63, [621], { cpu: 53.968, gpu: 53.343, tj: 53.968 }, { VDD_IN: 12_479, VDD_CPU_GPU_CV: 4_667 }],
    ["Orin, JetPack 7", ORIN_JP7, 12, [1_300, 1_300], { cpu: 52.968, tj: 53.1 }, { VDD_GPU_SOC: 5_139 }],
    ["Thor", THOR, null, [1_000, 1_000, 1_000], { tj: 40.5 }, { VDD_GPU: 1_000 }],
    ["TX1", TX1, 3, [76], {}, {}],
  ])("a line of %s", (_, line, gpuPercent, gpuClockMhz, temperaturesC, powerMw) => {
    expect(parseTegrastats(line)).toMatchObject({ gpuPercent, gpuClockMhz });
    expect(parseTegrastats(line)?.temperaturesC).toEqual(temperaturesC);
    expect(parseTegrastats(line)?.powerMw).toEqual(powerMw);
  });

  test("memory has its unit, and cores that are off have no load", () => {
    expect(parseTegrastats(XAVIER)).toMatchObject({
      ramUsedBytes: 2_000 * 1_024 ** 2,
      ramTotalBytes: 15_692 * 1_024 ** 2,
      cpuPercent: [12, null, null, 3],
    });
    expect(parseTegrastats(TX1)?.cpuPercent).toEqual([17, 13, 29, 5]);
  });

  test("a line of anything else is none", () => expect(parseTegrastats("usage: tegrastats [-option]")).toBeNull());

  test("a GPU that is not printed has no load", () => {
    expect(parseTegrastats("RAM 1/2MB CPU [1%@1]")).toMatchObject({ gpuPercent: null, gpuClockMhz: [] });
  });

  test("one line is taken and the program ended; a missing one says nothing", async () => {
    const root = await tree({ fake: `#!/bin/sh\nwhile echo "${TX1}"; do sleep 0.05; done\n` });
    const { chmod } = await import("node:fs/promises");
    await chmod(join(root, "fake"), 0o755);
    expect(await readTegrastatsOnce(join(root, "fake"))).toMatchObject({ gpuPercent: 3 });
    expect(await readTegrastatsOnce(join(root, "missing"))).toBeNull();
  });
});

describe("sysfs", () => {
  test("an Orin's GPU, heat, power, over-current events and mode", async () => {
    const gpu = "sys/class/devfreq/17000000.gpu";
    const monitor = "sys/bus/i2c/devices/1-0040/hwmon/hwmon4";
    const root = await tree({
      [`${gpu}/device/of_node/name`]: "gpu\0",
      [`${gpu}/device/load`]: "634\n",
      [`${gpu}/cur_freq`]: "624750000\n",
      [`${gpu}/max_freq`]: "918000000\n",
      "sys/class/devfreq/other/device/of_node/name": "nvdec\0",
      "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
      "sys/class/thermal/thermal_zone0/temp": "53968\n",
      "sys/class/thermal/thermal_zone0/trip_point_0_type": "critical\n",
      "sys/class/thermal/thermal_zone0/trip_point_0_temp": "104500\n",
      "sys/class/thermal/thermal_zone0/trip_point_1_type": "hot\n",
      "sys/class/thermal/thermal_zone0/trip_point_1_temp": "99000\n",
      "sys/class/thermal/thermal_zone0/trip_point_2_type": "passive\n",
      "sys/class/thermal/thermal_zone0/trip_point_2_temp": "60000\n",
      "sys/class/thermal/thermal_zone1/type": "cv0-thermal\n",
      "sys/class/thermal/thermal_zone1/temp": "-256000\n",
      "sys/class/thermal/thermal_zone2/type": "cv1-thermal\n",
      [`${monitor}/in1_label`]: "VDD_IN\n",
      [`${monitor}/in1_input`]: "5032\n",
      [`${monitor}/curr1_input`]: "1000\n",
      "sys/class/hwmon/hwmon2/name": "soctherm_oc\n",
      "sys/class/hwmon/hwmon2/oc1_event_cnt": "2\n",
      "sys/class/hwmon/hwmon2/oc3_event_cnt": "5\n",
      "var/lib/nvpmodel/status": "pmode:0002 fmode:fanNull\n",
    });
    expect(await readSysfs(root)).toEqual({
      gpuPercent: 63.4,
      gpuClockHz: 624_750_000,
      gpuMaxClockHz: 918_000_000,
      zones: [{ type: "cpu-thermal", celsius: 53.968, tripCelsius: 99 }],
      powerMw: { VDD_IN: 5_032 },
      overcurrentEvents: 7,
      powerMode: "0002",
    });
  });

  test("in a container, which is not shown the device tree, the GPU is known by its device's name", async () => {
    const gpu = "sys/class/devfreq/17000000.ga10b";
    const root = await tree({
      [`${gpu}/device/load`]: "250\n",
      "sys/class/devfreq/15480000.nvdec/device/load": "990\n",
    });
    expect(await readSysfs(root)).toMatchObject({ gpuPercent: 25 });
  });

  test("a machine that is no Jetson says nothing, and that is no error", async () => {
    expect(await readSysfs(await tree({}))).toEqual({
      gpuPercent: null,
      gpuClockHz: null,
      gpuMaxClockHz: null,
      zones: [],
      powerMw: {},
      overcurrentEvents: null,
      powerMode: null,
    });
  });
});

describe("the inventory", () => {
  const jetson = {
    "proc/device-tree/model": "NVIDIA Jetson Orin NX Engineering Reference Developer Kit\0",
    "proc/device-tree/compatible": "nvidia,p3768-0000\0nvidia,tegra234\0",
    "var/lib/nvpmodel/status": "pmode:0000 fmode:fanNull",
  };
  const packages: Record<string, string> = {
    "nvidia-l4t-core": "36.4.3-20250107174145",
    libnvinfer10: "10.3.0.30-1+cuda12.5",
  };
  const run = async (argv: readonly string[]) => packages[argv.at(-1) ?? ""] ?? null;

  test("a Jetson without nv_tegra_release is known by its packages", async () => {
    expect(await takeInventory({ root: await tree(jetson), run })).toMatchObject({
      module: "NVIDIA Jetson Orin NX Engineering Reference Developer Kit",
      sm: "8.7",
      l4t: "36.4.3",
      jetpack: "6.1–6.2.2",
      tensorrt: "10.3.0.30",
      power_mode: "0000",
    });
  });

  test("the operator's word on the inference container outranks the host's package", async () => {
    const root = await tree({ ...jetson, "etc/nv_tegra_release": "# R35 (release), REVISION: 3.1, GCID: 1" });
    expect(await takeInventory({ root, run, tensorrt: "8.6.2" })).toMatchObject({ l4t: "35.3.1", tensorrt: "8.6.2" });
  });

  test("on any other machine no program is started", async () => {
    const started: unknown[] = [];
    const inventory = await takeInventory({
      root: await tree({}),
      run: async (argv) => (started.push(argv), null),
    });
    expect(started).toEqual([]);
    expect(inventory).not.toHaveProperty("sm");
  });
});

describe("the sampler", () => {
  const nothing = async () => null;

  test("readings are taken once per interval however often they are asked for", async () => {
    const dir = await tempDir();
    const sampler = openSampler({ modelsDir: dir, everyMs: 60_000, isJetson: false, root: dir, tegrastats: nothing });
    const [first, second] = await Promise.all([sampler.latest(), sampler.latest()]);
    expect(second).toBe(first);
    expect(first.disk_free_bytes).toBeGreaterThan(0);
    expect(first.memory_available_bytes).toBeGreaterThan(0);
  });

  test("tegrastats is asked only on a Jetson whose kernel gave no GPU load", async () => {
    const dir = await tempDir();
    const asked: string[] = [];
    const line = (who: string) => async () => (asked.push(who), parseTegrastats("RAM 1/2MB GR3D_FREQ 7%@76 GPU@40C"));
    const of = (isJetson: boolean, root: string, who: string) =>
      openSampler({ modelsDir: dir, everyMs: 1, isJetson, root, tegrastats: line(who) }).latest();
    await of(false, dir, "no Jetson");
    const gpu = "sys/class/devfreq/g/device";
    await of(true, await tree({ [`${gpu}/of_node/name`]: "ga10b", [`${gpu}/load`]: "10" }), "kernel knows");
    const told = await of(true, dir, "kernel does not");
    expect(asked).toEqual(["kernel does not"]);
    expect(told).toMatchObject({ gpu_percent: 7, temperatures_c: { GPU: 40 } });
  });

  test("a disk that is gone is a missing reading, not a failure", async () => {
    const sampler = openSampler({ modelsDir: "/no/such/place", everyMs: 1, isJetson: false, tegrastats: nothing });
    expect(await sampler.latest()).toMatchObject({ disk_free_bytes: null, disk_total_bytes: null });
  });
});

describe("an engine's header", () => {
  const plan = (version: number[]) => {
    const bytes = Buffer.alloc(64);
    bytes.write("ftrt", 0, "latin1");
    bytes.set(version, 24);
    return bytes;
  };
  const wrapped = () => {
    const json = Buffer.from('{"description": "made up"}');
    const length = Buffer.alloc(4);
    length.writeInt32LE(json.length);
    return Buffer.concat([length, json, plan([10, 3, 0, 30])]);
  };
  test.each<[string, Buffer, object]>([
    ["a plan", plan([10, 3, 0, 30]), { is: "plan", tensorrt: "10.3.0.30" }],
    ["a plan of another layout", plan([0, 0, 0, 0]), { is: "unknown" }],
    ["a wrapped plan", wrapped(), { is: "ultralytics" }],
    ["ONNX", Buffer.from(`\u0008\u0007\u0012\u0007pytorch${"x".repeat(60)}`), { is: "unknown" }],
    ["a file of three bytes", Buffer.from("abc"), { is: "unknown" }],
  ])("%s", async (_, bytes, expected) => {
    const path = join(await tempDir(), "file");
    await writeFile(path, bytes);
    expect(await readEngineHeader(path)).toEqual(expected);
  });
});
