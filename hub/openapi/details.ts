// What routes' schemas cannot say: streams of bytes, headers that are asked for and answered, answers that are no JSON.

export interface Described {
  description: string;
  content?: Record<string, { schema: object }>;
  headers?: Record<string, { description: string; schema: object }>;
}
export interface Parameter {
  in: "header";
  name: string;
  description: string;
  required: boolean;
  schema: object;
}
export interface Details {
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Record<string, { schema: object }> };
  responses?: Record<string, Described>;
}

const TEXT = { type: "string" };
const COUNT = { type: "integer", minimum: 0 };
const BYTES = {
  "application/octet-stream": { schema: { type: "string", contentMediaType: "application/octet-stream" } },
};

const asks = (name: string, description: string): Parameter => ({
  in: "header",
  name,
  description,
  required: false,
  schema: TEXT,
});
const tells = (description: string, schema: object = TEXT) => ({ description, schema });

const IF_NONE_MATCH = asks(
  "If-None-Match",
  "The ETag of an earlier answer: if nothing has changed the answer is 304, without a body.",
);
const NOT_MODIFIED: Described = {
  description: "Nothing has changed.",
  headers: { ETag: tells("As before.") },
};

/** On reading as people and scripts do. */
export const READING: Details = {
  parameters: [IF_NONE_MATCH],
  responses: {
    "200": { description: "", headers: { ETag: tells("Weak: send it back as If-None-Match.") } },
    "304": NOT_MODIFIED,
  },
};

/** On POSTs that may be sent again. */
export const REPEATABLE: Details = {
  parameters: [
    asks(
      "Idempotency-Key",
      "1 to 255 printable characters of your own: the same request with the same key is done once, and answered alike, for 24 hours.",
    ),
  ],
};
export const REPLAYED = {
  "Idempotent-Replayed": tells("`true` where this is the answer to an earlier request with the key."),
};

const ASSIGNMENT = tells("The sequence of the device's assignment: fetch it when it has risen.", COUNT);

/** A file, whole or its rest. */
const FILE: Details = {
  parameters: [
    asks("Range", "`bytes=N-`: from there to the end. Other ranges get the whole file."),
    asks("If-Range", "The ETag: the range counts only for this very file."),
  ],
  responses: {
    "200": {
      description: "The whole file.",
      content: BYTES,
      headers: {
        ETag: tells("The digest itself."),
        "Accept-Ranges": tells("`bytes`"),
        "Content-Length": tells("Its size.", COUNT),
      },
    },
    "206": {
      description: "The rest of it.",
      content: BYTES,
      headers: {
        ETag: tells("The digest itself."),
        "Content-Range": tells("Which bytes these are, and of how many."),
      },
    },
    "307": {
      description: "It is in the object store: fetch it there, without the credential.",
      headers: { Location: tells("Good for a quarter of an hour.") },
    },
    "416": {
      description: "The file ends before that.",
      headers: { "Content-Range": tells("`bytes */size`") },
    },
  },
};

/** By method and route. */
export const DETAILS: Readonly<Partial<Record<string, Details>>> = {
  "PUT /api/v1/groups/:group/target": {
    parameters: [
      asks(
        "If-Match",
        "The id of the deployment that the group follows, in quotes, or `*`: else 412 PRECONDITION_FAILED.",
      ),
    ],
  },
  "GET /api/v1/events": {
    parameters: [asks("Last-Event-ID", "The id of the newest event seen: what came after it is sent first.")],
    responses: {
      "200": {
        description:
          "Server-sent events without an end. Each `data:` is a LiveMessage; rows of history carry their `id:`. After `reset` fetch everything anew.",
        content: { "text/event-stream": { schema: TEXT } },
      },
    },
  },
  "HEAD /mlops/artifacts/:digest": {
    responses: {
      "200": { description: "The file is here.", headers: { "Upload-Offset": tells("Its size in bytes.", COUNT) } },
      "404": {
        description: "It is not, or not yet whole.",
        headers: { "Upload-Offset": tells("Bytes that are kept of it: go on from there with Content-Range.", COUNT) },
      },
    },
  },
  "PUT /mlops/artifacts/:digest": {
    parameters: [
      asks(
        "Content-Range",
        "`bytes first-last/total`: this body is that part of the file, and begins where the bytes kept so far end.",
      ),
    ],
    requestBody: { required: true, content: BYTES },
  },
  "GET /device/v1/manifest": {
    parameters: [
      IF_NONE_MATCH,
      asks(
        "Prefer",
        "`wait=N`: with the present ETag, hold the answer for up to N seconds (at most 60), until there is another manifest.",
      ),
    ],
    responses: {
      "200": { description: "", headers: { ETag: tells("Of these bytes."), "Context-Edge-Assignment": ASSIGNMENT } },
      "304": {
        description: "The manifest is still the one of If-None-Match.",
        headers: { ETag: tells("As before."), "Context-Edge-Assignment": ASSIGNMENT },
      },
    },
  },
  "GET /device/v1/artifacts/:digest": FILE,
  "GET /mlops/artifacts/:digest": FILE,
  "GET /api/v1/session/oidc": {
    responses: {
      "303": { description: "Off to the organisation's provider.", headers: { Location: tells("Its sign-in page.") } },
    },
  },
  "GET /api/v1/session/oidc/callback": {
    responses: {
      "303": {
        description: "To the dashboard, signed in; or with the problem's code behind `#`.",
        headers: { Location: tells("`/`") },
      },
    },
  },
  "GET /metrics": {
    responses: { "200": { description: "In Prometheus' text format.", content: { "text/plain": { schema: TEXT } } } },
  },
};
