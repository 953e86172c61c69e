/** The fields of a log entry, and the check that finds entries which Convex would reject. */
import { getDocumentSize, v, type Infer, type Value } from "convex/values";

const text = v.optional(v.string());
const number = v.optional(v.number());
const object = v.optional(v.record(v.string(), v.any()));

/** The fields of an entry. Times are fixed-width ISO 8601 text in UTC, so that text order is time order. */
export const entry = v.object({
  correlationId: v.string(),
  timestamp: v.string(),
  level: v.string(),
  logType: v.string(),
  message: v.string(),
  toolName: text,
  durationMs: number,
  status: text,
  inputArgs: object,
  outputSummary: text,
  errorMessage: text,
  module: text,
  function: text,
  line: number,
  threadName: text,
  processId: number,
  extraData: object,
  entryId: v.string(),
  serverName: text,
  serverVersion: text,
  transport: text,
  clientName: text,
  clientVersion: text,
  protocolVersion: text,
  requestId: text,
  principal: text,
  errorType: text,
  traceId: text,
  spanId: text,
  hostname: text,
  method: text,
  target: text,
  clientAddress: text,
  parentSpanId: text,
  inputSize: number,
  outputSize: number,
  traceback: text,
});

export type Entry = Infer<typeof entry>;

/** The names of the fields. Each ingest is answered with them, so that a newer server sends no others. */
export const FIELDS = Object.keys(entry.fields);

/** Convex's limits (https://docs.convex.dev/production/state/limits); a request uses two of the 16 levels. */
const MAX_BYTES = 1 << 20;
const MAX_LEVELS = 14;
const MAX_ITEMS = 8192;
const MAX_KEYS = 1024;
const KEY = /^(?![$_])[\x20-\x7e]{1,1024}$/;
const SURROGATE = /\p{Surrogate}/u;
/** Phrases in Convex's errors about invalid arguments or documents, and about the limits of a transaction. */
const REJECTIONS = [
  "validationerror",
  "validator",
  "does not match the schema",
  "invalid argument",
  "not a supported convex type",
  "too large",
  "> maximum",
  "in a single function execution",
];

/** Return why Convex would reject an entry, or null. Check first: one rejected document fails its whole transaction. */
export function problem(log: unknown): string | null {
  if (!isObject(log)) return "an entry must be an object";
  for (const [name, field] of Object.entries(entry.fields)) {
    const value = log[name];
    if (value === undefined) {
      if (field.isOptional === "required") return `the field ${name} is missing`;
      continue;
    }
    const expected = field.kind === "float64" ? "number" : field.kind === "record" ? "object" : field.kind;
    if (expected === "object" ? !isObject(value) : typeof value !== expected) {
      return `the field ${name} must be of type ${expected}`;
    }
  }
  const unknown = Object.keys(log).find((name) => !Object.hasOwn(entry.fields, name));
  if (unknown !== undefined) return `the field ${unknown} is unknown; deploy the functions of this project again`;
  return (
    invalidValue(log, 1) ??
    (getDocumentSize(log as Record<string, Value>) > MAX_BYTES ? "the entry is larger than 1 MiB" : null)
  );
}

/** Return whether a mutation failed because of its arguments; any other failure is temporary. */
export function isRejection(reason: string): boolean {
  const text = reason.toLowerCase();
  return REJECTIONS.some((phrase) => text.includes(phrase));
}

/** Return why Convex would reject a JSON value, or null. */
function invalidValue(value: unknown, level: number): string | null {
  if (typeof value === "string") return SURROGATE.test(value) ? "a text contains a lone surrogate" : null;
  if (typeof value !== "object" || value === null) return null;
  if (level > MAX_LEVELS) return `values are nested deeper than ${MAX_LEVELS} levels`;
  if (Array.isArray(value) && value.length > MAX_ITEMS) return `an array has more than ${MAX_ITEMS} elements`;
  const keys = Array.isArray(value) ? [] : Object.keys(value);
  if (keys.length > MAX_KEYS) return `an object has more than ${MAX_KEYS} keys`;
  const invalid = keys.find((key) => !KEY.test(key));
  if (invalid !== undefined) return `the key ${JSON.stringify(invalid.slice(0, 100))} is not valid in Convex`;
  for (const item of Object.values(value)) {
    const found = invalidValue(item, level + 1);
    if (found !== null) return found;
  }
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
