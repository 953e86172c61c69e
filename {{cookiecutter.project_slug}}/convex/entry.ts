/** What one log entry is, and what is wrong with one that is refused. */
import { getDocumentSize, v, type Infer, type Value } from "convex/values";

const text = v.optional(v.string());
const number = v.optional(v.number());
const object = v.optional(v.record(v.string(), v.any()));

/** The fields of an entry; times are ISO 8601 UTC text of a fixed width, so that text order is time order. */
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
});

export type Entry = Infer<typeof entry>;

/** Convex's limits: https://docs.convex.dev/production/state/limits; a request takes two of the 16 levels. */
const MAX_BYTES = 1 << 20;
const MAX_LEVELS = 14;
const MAX_ITEMS = 8192;
const MAX_KEYS = 1024;
const KEY = /^(?![$_])[\x20-\x7e]{1,1024}$/;
const SURROGATE = /\p{Surrogate}/u;
/** How Convex's errors speak of arguments and documents it does not take, and of more than a transaction may do. */
const REFUSALS = [
  "validationerror",
  "validator",
  "does not match the schema",
  "invalid argument",
  "not a supported convex type",
  "too large",
  "> maximum",
  "in a single function execution",
];

/** Say why Convex would refuse an entry, or return null: one refused document would take its whole batch with it. */
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
    misfit(log, 1) ??
    (getDocumentSize(log as Record<string, Value>) > MAX_BYTES ? "the entry is larger than 1 MiB" : null)
  );
}

/** Tell whether a mutation failed because of what it was given; whatever else goes wrong may pass. */
export function isRefusal(reason: string): boolean {
  const said = reason.toLowerCase();
  return REFUSALS.some((phrase) => said.includes(phrase));
}

/** Say what in a JSON value Convex does not store, or return null. */
function misfit(value: unknown, level: number): string | null {
  if (typeof value === "string") return SURROGATE.test(value) ? "a text holds a lone surrogate" : null;
  if (typeof value !== "object" || value === null) return null;
  if (level > MAX_LEVELS) return `values are nested deeper than ${MAX_LEVELS} levels`;
  if (Array.isArray(value) && value.length > MAX_ITEMS) return `an array has more than ${MAX_ITEMS} elements`;
  const keys = Array.isArray(value) ? [] : Object.keys(value);
  if (keys.length > MAX_KEYS) return `an object has more than ${MAX_KEYS} keys`;
  const refused = keys.find((key) => !KEY.test(key));
  if (refused !== undefined) return `the key ${JSON.stringify(refused.slice(0, 100))} is not one that Convex stores`;
  for (const item of Object.values(value)) {
    const found = misfit(item, level + 1);
    if (found !== null) return found;
  }
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
