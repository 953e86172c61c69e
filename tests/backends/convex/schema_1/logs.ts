/**
 * The table `logs`: insert each entry once, read the newest first, delete expired entries.
 *
 * The builders and references are typed here, not imported from `_generated`, so that this folder type-checks and runs
 * under `convex-test` before the first `npx convex dev`.
 */
import {
  internalMutationGeneric,
  internalQueryGeneric,
  makeFunctionReference,
  type DataModelFromSchemaDefinition,
  type GenericDatabaseReader,
  type GenericDatabaseWriter,
  type MutationBuilder,
  type QueryBuilder,
} from "convex/server";
import { v, type Infer } from "convex/values";
import { entry, type Entry } from "./entry";
import schema from "./schema";

declare const process: { env: Record<string, string | undefined> };

type DataModel = DataModelFromSchemaDefinition<typeof schema>;
const internalMutation: MutationBuilder<DataModel, "internal"> = internalMutationGeneric;
const internalQuery: QueryBuilder<DataModel, "internal"> = internalQueryGeneric;

const DAY = 86_400_000;
const DEFAULT_RETENTION_DAYS = 30;
/** A page is well below the 16 MiB that a transaction may read. */
const PAGE_BYTES = 4 << 20;
const PAGE_ROWS = 1000;
/** Concurrent database operations; Convex allows 1,000 per function. */
const CONCURRENCY = 500;

const filters = v.object({
  correlationId: v.optional(v.string()),
  toolName: v.optional(v.string()),
  logType: v.optional(v.string()),
  status: v.optional(v.string()),
  levels: v.optional(v.array(v.string())),
  since: v.optional(v.string()),
  until: v.optional(v.string()),
  text: v.optional(v.string()),
});
export type Filters = Infer<typeof filters>;
export type Counts = { inserted: number; duplicates: number };
export type Page = { logs: Entry[]; cursor: string | null };

export const ingestLogs = makeFunctionReference<"mutation", { logs: Entry[] }, Counts>("logs:ingest");
export const readPage = makeFunctionReference<"query", { filters: Filters; cursor: string | null; rows: number }, Page>(
  "logs:page",
);
export const expireLogs = makeFunctionReference<"mutation", Record<string, never>, number>("logs:expire");

/** Insert the entries with a new id, in one transaction. */
export const ingest = internalMutation({
  args: { logs: v.array(entry) },
  handler: async (ctx, { logs }): Promise<Counts> => {
    const unique = [...new Map(logs.map((log) => [log.entryId, log])).values()];
    let inserted = 0;
    for (let start = 0; start < unique.length; start += CONCURRENCY) {
      const added = await Promise.all(unique.slice(start, start + CONCURRENCY).map((log) => insertOnce(ctx.db, log)));
      inserted += added.filter(Boolean).length;
    }
    return { inserted, duplicates: logs.length - inserted };
  },
});

async function insertOnce(db: GenericDatabaseWriter<DataModel>, log: Entry): Promise<boolean> {
  const sameId = db.query("logs").withIndex("by_entry", (q) => q.eq("entryId", log.entryId));
  if ((await sameId.first()) !== null) return false;
  await db.insert("logs", log);
  return true;
}

/** Read up to `rows` entries, newest first, and return those that match. `cursor` continues; null ends the query. */
export const page = internalQuery({
  args: { filters, cursor: v.union(v.string(), v.null()), rows: v.number() },
  handler: async (ctx, { filters: wanted, cursor, rows }): Promise<Page> => {
    const numItems = Math.min(Math.max(1, rows), PAGE_ROWS);
    const found = await newestFirst(ctx.db, wanted).paginate({ numItems, cursor, maximumBytesRead: PAGE_BYTES });
    const logs = found.page.map(({ _id, _creationTime, ...log }): Entry => log);
    return { logs: logs.filter((log) => matches(log, wanted)), cursor: found.isDone ? null : found.continueCursor };
  },
});

/** Delete entries older than LOG_RETENTION_DAYS: the first ones now, the others in scheduled transactions. */
export const expire = internalMutation({
  args: {},
  handler: async (ctx): Promise<number> => {
    const days = retentionDays();
    if (days === 0) return 0;
    const limit = new Date(Date.now() - days * DAY).toISOString();
    const old = await ctx.db
      .query("logs")
      .withIndex("by_time", (q) => q.lt("timestamp", limit))
      .paginate({ numItems: CONCURRENCY, cursor: null, maximumBytesRead: PAGE_BYTES });
    await Promise.all(old.page.map(({ _id }) => ctx.db.delete(_id)));
    if (!old.isDone) await ctx.scheduler.runAfter(0, expireLogs, {});
    return old.page.length;
  },
});

function retentionDays(): number {
  const text = process.env.LOG_RETENTION_DAYS ?? "";
  const days = text.trim() === "" ? DEFAULT_RETENTION_DAYS : Number(text);
  if (!Number.isInteger(days) || days < 0) {
    throw new Error(`LOG_RETENTION_DAYS is "${text}"; it must be a whole number of days; 0 keeps entries forever`);
  }
  return days;
}

/** Query the index that reads the fewest entries. */
function newestFirst(db: GenericDatabaseReader<DataModel>, wanted: Filters) {
  const { correlationId, toolName, levels, since = "", until = "~" } = wanted;
  const logs = db.query("logs");
  const range =
    correlationId !== undefined
      ? logs.withIndex("by_correlation", (q) =>
          q.eq("correlationId", correlationId).gte("timestamp", since).lt("timestamp", until),
        )
      : toolName !== undefined
        ? logs.withIndex("by_tool", (q) => q.eq("toolName", toolName).gte("timestamp", since).lt("timestamp", until))
        : levels?.length === 1
          ? logs.withIndex("by_level", (q) => q.eq("level", levels[0]!).gte("timestamp", since).lt("timestamp", until))
          : logs.withIndex("by_time", (q) => q.gte("timestamp", since).lt("timestamp", until));
  return range.order("desc");
}

function matches(log: Entry, wanted: Filters): boolean {
  const { levels, text } = wanted;
  for (const name of ["correlationId", "toolName", "logType", "status"] as const) {
    if (wanted[name] !== undefined && log[name] !== wanted[name]) return false;
  }
  if (levels !== undefined && levels.length > 0 && !levels.includes(log.level)) return false;
  return text === undefined || contains(log, text.toLowerCase());
}

function contains(log: Entry, text: string): boolean {
  const texts = [log.message, log.errorMessage, log.outputSummary, log.toolName, ...atoms(log.inputArgs)];
  return texts.some((candidate) => candidate?.toLowerCase().includes(text));
}

/** Return all strings, numbers and booleans inside a value as texts, without field names. */
function atoms(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  return typeof value === "object" ? Object.values(value).flatMap(atoms) : [String(value)];
}
