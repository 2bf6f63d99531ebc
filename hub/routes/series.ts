// Figures over time: of a device, a group, a deployment or the fleet, with its swaps; and labelled accuracy over time.
import {
  DEFAULT_MODEL,
  LabelSeries,
  LabelSeriesQuery,
  MOST_POINTS,
  Series,
  SeriesMark,
  SeriesQuery,
} from "@context-edge/protocol";
import type { FastifyInstance } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import { findDevice } from "../devices.ts";
import type { Hub } from "../hub.ts";
import { unknownGroup } from "../operations/groups.ts";
import { ProblemError } from "../problem-error.ts";
import { bounded, labelPointsOf, pointsOf, type Range, resolutionFor } from "../series-view.ts";
import { ofDevice, ofGroup } from "../series.ts";

const DEFAULT_RANGE_MS = 86_400_000;
const MOST_MARKS = 500;
/** Each hour or day has a row for every pair of classes. */
const MOST_LABEL_ROWS = 50_000;

interface Scope {
  subjects: string[];
  model: string | undefined;
  version: string | undefined;
  /** Whose swaps are marked; undefined: everyone's. */
  devices: string[] | undefined;
  deployment: string | undefined;
  since: string | undefined;
}

export function addSeriesRoutes(app: FastifyInstance, hub: Hub): void {
  const routes = app.withTypeProvider<ZodTypeProvider>();
  const { store, config } = hub;

  routes.get(
    "/api/v1/series",
    { schema: { querystring: SeriesQuery, response: { 200: Series } } },
    async ({ query }) => {
      const scope = await scopeOf(hub, query);
      const asked = rangeOf(query, hub.now(), scope.since);
      const { keep } = config;
      const resolution = query.resolution === "auto" ? resolutionFor(asked, keep.points, hub.now()) : query.resolution;
      const { fromMs, toMs, truncated } = bounded(asked, resolution);
      const isInference = query.kind === "inference";
      const cells = await hub.series.read({
        kind: query.kind,
        resolution,
        fromMs,
        toMs,
        subjects: scope.subjects,
        ...(isInference ? { model: scope.model, version: scope.version } : {}),
      });
      const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
      const swaps = await store.retention.swaps(
        { from, to, ...(scope.devices === undefined ? {} : { devices: scope.devices }) },
        MOST_MARKS + 1,
      );
      const marks = swaps.flatMap(({ at, device, outcome: { outcome, model, version, deployment_id } }) => {
        const isOther =
          (scope.model !== undefined && model !== scope.model) ||
          (scope.deployment !== undefined && deployment_id !== scope.deployment);
        const mark = SeriesMark.safeParse({ at, device, kind: outcome, model, version });
        return isOther || !mark.success ? [] : [mark.data];
      });
      return {
        resolution,
        from,
        to,
        marks: marks.toSorted((a, b) => (a.at < b.at ? -1 : 1)).slice(-MOST_MARKS),
        points: pointsOf(query.kind, cells).slice(-MOST_POINTS),
        truncated: truncated || swaps.length > MOST_MARKS,
      };
    },
  );

  routes.get(
    "/api/v1/series/labels",
    { schema: { querystring: LabelSeriesQuery, response: { 200: LabelSeries } } },
    async ({ query }) => {
      const { version, model = DEFAULT_MODEL } = query;
      if (!(await store.versions.find(model, version))) {
        throw new ProblemError("VERSION_UNKNOWN", `There is no version ${version} of model ${model}.`, {
          nextStep: "List the versions with GET /api/v1/models/default/versions.",
        });
      }
      const asked = rangeOf(query, hub.now(), undefined);
      const week = asked.toMs - asked.fromMs <= 7 * DEFAULT_RANGE_MS;
      const resolution = query.resolution === "auto" ? (week ? "hour" : "day") : query.resolution;
      const { fromMs, toMs, truncated } = bounded(asked, resolution);
      const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
      const rows = await store.labels.countsOver({ model, version, from, to, by: resolution }, MOST_LABEL_ROWS);
      const points = labelPointsOf(rows).slice(-MOST_POINTS);
      return { resolution, from, to, points, truncated: truncated || rows.length === MOST_LABEL_ROWS };
    },
  );
}

/** @throws BAD_REQUEST when it ends before it begins. */
function rangeOf(
  query: { from?: string | undefined; to?: string | undefined },
  nowMs: number,
  since: string | undefined,
): Range {
  const toMs = query.to === undefined ? nowMs : Date.parse(query.to);
  const fromMs = Date.parse(query.from ?? since ?? new Date(toMs - DEFAULT_RANGE_MS).toISOString());
  if (fromMs < toMs) return { fromMs, toMs };
  throw new ProblemError("BAD_REQUEST", "The range ends before it begins.", {
    nextStep: "Give `from` earlier than `to`, both RFC 3339.",
  });
}

async function scopeOf(hub: Hub, query: SeriesQuery): Promise<Scope> {
  const { model, version } = query;
  const scope = { model, version, devices: undefined, deployment: undefined, since: undefined };
  if (query.device !== undefined) {
    await findDevice(hub.store, query.device);
    return { ...scope, subjects: [ofDevice(query.device)], devices: [query.device] };
  }
  if (query.group !== undefined) {
    if (!(await hub.store.groups.find(query.group))) throw unknownGroup(query.group);
    const { devices } = await hub.fleet();
    const members = devices.filter(({ group_name }) => group_name === query.group).map(({ id }) => id);
    return { ...scope, subjects: [ofGroup(query.group)], devices: members };
  }
  if (query.deployment !== undefined) {
    const deployment = await hub.store.deployments.find(query.deployment);
    if (!deployment) throw new ProblemError("DEPLOYMENT_UNKNOWN", `There is no deployment ${query.deployment}.`);
    return {
      ...scope,
      subjects: deployment.groups.map(ofGroup),
      model: deployment.model,
      version: version ?? deployment.version,
      deployment: deployment.id,
      since: deployment.created_at,
    };
  }
  return { ...scope, subjects: (await hub.store.groups.list()).map(({ name }) => ofGroup(name)) };
}
