/** The routes `POST /logs/ingest` and `GET /logs/query`; both require the deployment's LOG_INGEST_KEY. */
import { httpActionGeneric, httpRouter, type GenericActionCtx, type GenericDataModel } from "convex/server";
import { getConvexSize } from "convex/values";
import { FIELDS, isRejection, problem, type Entry } from "./entry";
import { EQUAL_FIELDS, ingestLogs, readPage, type Counts, type Filters } from "./logs";

declare const process: { env: Record<string, string | undefined> };

type Context = GenericActionCtx<GenericDataModel>;
type Rejected = { index: number; entryId: string | null; error: string };

/** A mutation may write 16 MiB and read 4,096 index ranges; it reads one per entry. */
const CHUNK_ROWS = 1000;
const CHUNK_BYTES = 4 << 20;
/** Convex allows 20 MiB per response and 64 MiB of memory per action. */
const RESPONSE_CHARACTERS = 4 << 20;
const READ_PAGES = 10;
const MIN_READ_ROWS = 100;
const MAX_LIMIT = 10_000;
const FIXED_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/;

/** An error that is answered with its own status. */
class HttpError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Insert `{log: entry}` or `{logs: [entry, ...]}`; report invalid entries by index and store the others. */
async function ingest(ctx: Context, request: Request): Promise<Response> {
  const body = await readJson(request);
  const given = "logs" in body ? body.logs : "log" in body ? [body.log] : undefined;
  if (!Array.isArray(given)) throw new HttpError(400, "The body must be {log: entry} or {logs: [entry, ...]}");
  const rejected: Rejected[] = [];
  const accepted: Entry[] = [];
  given.forEach((log, index) => {
    const timestamp = fixedTime(log?.timestamp);
    const error = problem(log) ?? (timestamp === null ? "the field timestamp must be ISO 8601" : null);
    if (error === null) accepted.push({ ...log, timestamp });
    else rejected.push({ index, entryId: typeof log?.entryId === "string" ? log.entryId : null, error });
  });
  if (!("logs" in body) && rejected[0] !== undefined) throw new HttpError(400, rejected[0].error);
  const counts = { inserted: 0, duplicates: 0 };
  for (const logs of chunks(accepted)) {
    const { inserted, duplicates } = await store(ctx, logs);
    counts.inserted += inserted;
    counts.duplicates += duplicates;
  }
  return json(200, { ...counts, rejected, fields: FIELDS });
}

/** Return the newest matching entries. If more entries remain to be searched, `cursor` and `skipped` continue. */
async function query(ctx: Context, request: Request): Promise<Response> {
  const parameters = readParameters(new URL(request.url).searchParams);
  const { filters, limit, offset } = parameters;
  let { cursor } = parameters;
  const found: string[] = [];
  let skipped = 0;
  let size = 0;
  for (let pages = 0; pages < READ_PAGES && size < RESPONSE_CHARACTERS; pages++) {
    const rows = Math.max(MIN_READ_ROWS, offset - skipped + limit - found.length);
    const page = await ctx.runQuery(readPage, { filters, cursor, rows });
    const skip = Math.min(offset - skipped, page.logs.length);
    skipped += skip;
    for (const log of page.logs.slice(skip, skip + limit - found.length)) {
      size += found[found.push(JSON.stringify(log)) - 1]!.length;
    }
    cursor = found.length >= limit ? null : page.cursor;
    if (cursor === null) break;
  }
  const rest = `"cursor":${JSON.stringify(cursor)},"skipped":${skipped}`;
  return answer(200, `{"logs":[${found.join(",")}],${rest}}`);
}

async function store(ctx: Context, logs: Entry[]): Promise<Counts> {
  try {
    return await ctx.runMutation(ingestLogs, { logs });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HttpError(isRejection(reason) ? 400 : 503, reason);
  }
}

function* chunks(logs: Entry[]): Generator<Entry[]> {
  let chunk: Entry[] = [];
  let size = 0;
  for (const log of logs) {
    const bytes = getConvexSize(log);
    if (chunk.length === CHUNK_ROWS || (chunk.length > 0 && size + bytes > CHUNK_BYTES)) {
      yield chunk;
      [chunk, size] = [[], 0];
    }
    chunk.push(log);
    size += bytes;
  }
  if (chunk.length > 0) yield chunk;
}

async function readJson(request: Request): Promise<Record<string, unknown>> {
  const body: unknown = await request.json().catch(() => {
    throw new HttpError(400, "The body is not JSON");
  });
  return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
}

/** Read the parameters: field names in camelCase or snake_case; `level` may occur several times. */
function readParameters(given: URLSearchParams) {
  const filters: Filters = {};
  let [limit, offset, cursor] = [50, 0, null as string | null];
  for (const [key, value] of given) {
    const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const equal = EQUAL_FIELDS.find((field) => field === name);
    if (equal !== undefined) filters[equal] = value;
    else if (name === "level") (filters.levels ??= []).push(value);
    else if (name === "since" || name === "until") filters[name] = time(key, value);
    else if (name === "limit") limit = count(key, value, 1, MAX_LIMIT);
    else if (name === "offset") offset = count(key, value, 0, 2 ** 31);
    else if (name === "cursor") cursor = value;
    else if (name === "minDurationMs") filters.minDurationMs = duration(key, value);
    else if (name === "anyId" || name === "text") filters[name] = value;
    else throw new HttpError(400, `Unknown parameter ${key}`);
  }
  return { filters, limit, offset, cursor };
}

function time(name: string, value: string): string {
  const fixed = fixedTime(value);
  if (fixed === null) throw new HttpError(400, `${name} is "${value}"; it must be ISO 8601`);
  return fixed;
}

/** Return a time in the format of the table, or null if it is malformed. */
function fixedTime(value: unknown): string | null {
  if (typeof value !== "string") return null;
  if (FIXED_TIME.test(value)) return value;
  const moment = new Date(value);
  return Number.isNaN(moment.getTime()) ? null : moment.toISOString().replace("Z", "000+00:00");
}

function duration(name: string, value: string): number {
  const number = value.trim() === "" ? NaN : Number(value);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new HttpError(400, `${name} is "${value}"; it must be a number of milliseconds, 0 or more`);
}

function count(name: string, value: string, low: number, high: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : NaN;
  if (number >= low && number <= high) return number;
  throw new HttpError(400, `${name} is "${value}"; it must be a whole number between ${low} and ${high}`);
}

/** Throw HttpError unless the request has the key; comparing takes as long for a wrong key as for the right one. */
function authorize(request: Request): void {
  const key = process.env.LOG_INGEST_KEY ?? "";
  if (key === "") throw new HttpError(503, "LOG_INGEST_KEY is not set: run npx convex env set LOG_INGEST_KEY <key>");
  const given = request.headers.get("Authorization")?.match(/^Bearer +(.*)$/i)?.[1];
  if (given === undefined) throw new HttpError(401, "The header Authorization: Bearer <key> is missing");
  if (!sameText(given, key)) throw new HttpError(401, "The key is not this deployment's LOG_INGEST_KEY");
}

function sameText(given: string, expected: string): boolean {
  const encoder = new TextEncoder();
  const [left, right] = [encoder.encode(given), encoder.encode(expected)];
  let difference = left.length ^ right.length;
  left.forEach((byte, index) => (difference |= byte ^ right[index % right.length]!));
  return difference === 0;
}

function guarded(handle: (ctx: Context, request: Request) => Promise<Response>) {
  return httpActionGeneric(async (ctx, request) => {
    try {
      authorize(request);
      return await handle(ctx, request);
    } catch (error) {
      if (error instanceof HttpError) return json(error.status, { error: error.message });
      throw error;
    }
  });
}

function json(status: number, content: object): Response {
  return answer(status, JSON.stringify(content));
}

function answer(status: number, body: string): Response {
  const challenge: Record<string, string> = status === 401 ? { "WWW-Authenticate": "Bearer" } : {};
  return new Response(body, { status, headers: { "Content-Type": "application/json", ...challenge } });
}

const http = httpRouter();
http.route({ path: "/logs/ingest", method: "POST", handler: guarded(ingest) });
http.route({ path: "/logs/query", method: "GET", handler: guarded(query) });

export default http;
