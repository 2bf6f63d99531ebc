// Labelled samples from a real PostgreSQL and a real S3 protocol server, by the table and the lines that training/schema.sql promises.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readHeldOut, type HeldOut } from "@context-edge/demo/load/samples.ts";
import { MODELS_DIR } from "@context-edge/demo/seed.ts";
import { openS3, type Opened } from "@context-edge/hub/testing/artifact-places.ts";
import { atDatabase, startPostgres } from "@context-edge/hub/testing/postgres.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findPython, ROOT } from "./python.ts";
import { epochsOf, startTraining } from "./training-run.ts";

const python = await findPython();
const postgres = python.ok ? await startPostgres() : null;

describe.skipIf(!postgres)("labelled samples", () => {
  const path = python.ok ? python.path : "";
  let dir: string;
  let database: string;
  let s3: Opened;
  let heldOut: HeldOut;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "context-edge-samples-"));
    database = (await postgres?.database()) ?? "";
    s3 = await openS3();
    heldOut = await readHeldOut(join(MODELS_DIR, "held-out.json"));
    await fill();
  });
  afterAll(async () => {
    await s3.close();
    await postgres?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const train = (work: string, more: Record<string, string> = {}) =>
    startTraining(path, {
      TRAINING_NO_HUB: "1",
      TRAINING_WORK: join(dir, work),
      TRAINING_DATABASE_URL: database,
      TRAINING_S3: "s3://elsewhere/factory/",
      AWS_ENDPOINT_URL_S3: s3.endpoint ?? "",
      AWS_ACCESS_KEY_ID: "S3RVER",
      AWS_SECRET_ACCESS_KEY: "S3RVER",
      AWS_DEFAULT_REGION: "us-east-1",
      ...more,
    });

  /**
   * The first 1000 in the table, whole. Of the other 500 the readings are in S3, in two objects, and the labels in the table:
   * but for the last 20, whose labels are in S3 too, and 10 before them that nobody has labelled yet.
   */
  async function fill(): Promise<void> {
    const { classes, samples } = heldOut;
    const lines = samples.slice(1_000).map(({ label, ...reading }, index) => {
      const labelled = index >= 480 ? { label: classes[label] } : {};
      return JSON.stringify({ id: `s-${1_000 + index}`, ...reading, ...labelled });
    });
    await s3.putObject?.("elsewhere", "factory/1.jsonl.gz", gzipSync(lines.slice(0, 250).join("\n")));
    await s3.putObject?.("elsewhere", "factory/2.jsonl", Buffer.from(lines.slice(250).join("\n")));
    await s3.putObject?.("elsewhere", "factory/README", Buffer.from("not samples"));
    await s3.putObject?.("elsewhere", "other/3.jsonl", Buffer.from("not ours"));
    await atDatabase(database, async (client) => {
      await client.query(readFileSync(join(ROOT, "training/schema.sql"), "utf8"));
      const insert =
        "INSERT INTO labelled_samples (id, product, recipe, asset, sensors, label) VALUES ($1, $2, $3, $4, $5, $6)";
      for (const [index, sample] of samples.slice(0, 1_470).entries()) {
        const { product, recipe, asset, sensors } = sample;
        const reading = index < 1_000 ? [product, recipe, asset, sensors] : [null, null, null, null];
        await client.query(insert, [`s-${index}`, ...reading, classes[sample.label]]);
      }
    });
  }

  test("are joined by id from both, and what lacks a label is left out and counted", async () => {
    const { code, told, stderr } = await train("both").ended;
    expect(code, stderr).toBe(0);
    expect(told.find(({ event }) => event === "left-out")).toMatchObject({ incomplete: 10, bad: 0 });
    const samples = told.find(({ event }) => event === "samples");
    const [training, validation, held] = [samples?.["training"], samples?.["validation"], samples?.["held_out"]].map(
      Number,
    );
    expect((training ?? 0) + (validation ?? 0) + (held ?? 0)).toBe(1_490);
    expect(Math.abs((held ?? 0) / 1_490 - 0.2)).toBeLessThan(0.04);
    expect(samples?.["source"]).toBe("s3://elsewhere/factory/ (2 objects) and PostgreSQL (labelled_samples)");

    // The readings that golden samples are made of are the factory's own, to the last digit.
    const [done] = told.filter(({ event }) => event === "exported").map(({ directory }) => String(directory));
    const golden = JSON.parse(readFileSync(join(done ?? "", "golden.json"), "utf8")) as {
      samples: { inputs: { name: string; data: number[] }[] }[];
    };
    const known = new Set(heldOut.samples.map(({ sensors }) => JSON.stringify(sensors)));
    const readings = golden.samples.map(({ inputs }) =>
      JSON.stringify(inputs.find(({ name }) => name === "sensors")?.data),
    );
    expect(readings).toHaveLength(12);
    expect(readings.filter((reading) => !known.has(reading))).toEqual([]);
  });

  test("that nobody can read end the run with 3 and the reason", async () => {
    const ends = async (more: Record<string, string>) => {
      const { code, told } = await train("unread", { TRAINING_PATIENCE: "1", ...more }).ended;
      expect(epochsOf(told)).toEqual([]);
      return [code, told.at(-1)?.["code"]];
    };
    expect(await ends({ TRAINING_TABLE: "nowhere", TRAINING_S3: "" })).toEqual([3, "TABLE_UNFIT"]);
    expect(await ends({ TRAINING_S3: "s3://no-such-bucket/x" })).toEqual([3, "S3_UNREADABLE"]);
    expect(await ends({ TRAINING_DATABASE_URL: "", TRAINING_S3: "s3://elsewhere/none" })).toEqual([
      3,
      "SAMPLES_TOO_FEW",
    ]);
    const wrongPassword = { TRAINING_DATABASE_URL: database.replace("of-a-test", "hunter2"), TRAINING_S3: "" };
    const refused = await train("unread", { ...wrongPassword, TRAINING_PATIENCE: "600" }).ended;
    expect([refused.code, refused.told.at(-1)?.["code"]]).toEqual([3, "DATABASE_UNREACHABLE"]);
    expect(JSON.stringify(refused.told) + refused.stderr).not.toContain("hunter2");
  });

  test("in a database that is away for a while are waited for", async () => {
    await postgres?.down();
    const run = train("waits", { TRAINING_S3: "" });
    await run.tells(({ event, message }) => event === "waiting" && message.includes("PostgreSQL"));
    await postgres?.up();
    const { code, told, stderr } = await run.ended;
    expect(code, stderr).toBe(0);
    expect(told.find(({ event }) => event === "left-out")).toMatchObject({ incomplete: 470 });
  });
});
