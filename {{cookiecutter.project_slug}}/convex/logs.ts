/**
 * The table `logs`: written once per entry, read newest first, emptied by age.
 *
 * The builders and references are typed here rather than taken from `_generated`, so that this folder type-checks and
 * runs under `convex-test` before its first `npx convex dev`.
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
/** A transaction may read and write 16 MiB. */
const PAGE_BYTES = 4 << 20;
const PAGE_ROWS = 1000;
/** A function may have 1,000 database operations under way. */
const AT_ONCE = 500;

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

/** Insert the entries whose id is not there yet, all or none of them. */
export const ingest = internalMutation({
  args: { logs: v.array(entry) },
  handler: async (ctx, { logs }): Promise<Counts> => {
    const fresh = [...new Map(logs.map((log) => [log.entryId, log])).values()];
    let inserted = 0;
    for (let start = 0; start < fresh.length; start += AT_ONCE) {
      const added = await Promise.all(fresh.slice(start, start + AT_ONCE).map((log) => insertOnce(ctx.db, log)));
      inserted += added.filter(Boolean).length;
    }
    return { inserted, duplicates: logs.length - inserted };
  },
});

async function insertOnce(db: GenericDatabaseWriter<DataModel>, log: Entry): Promise<boolean> {
  const there = db.query("logs").withIndex("by_entry", (q) => q.eq("entryId", log.entryId));
  if ((await there.first()) !== null) return false;
  await db.insert("logs", log);
  return true;
}

/** Read up to `rows` entries, newest first, and return those that match; `cursor` continues, null is the end. */
export const page = internalQuery({
  args: { filters, cursor: v.union(v.string(), v.null()), rows: v.number() },
  handler: async (ctx, { filters: wanted, cursor, rows }): Promise<Page> => {
    const numItems = Math.min(Math.max(1, rows), PAGE_ROWS);
    const found = await newestFirst(ctx.db, wanted).paginate({ numItems, cursor, maximumBytesRead: PAGE_BYTES });
    const logs = found.page.map(({ _id, _creationTime, ...log }): Entry => log);
    return { logs: logs.filter((log) => matches(log, wanted)), cursor: found.isDone ? null : found.continueCursor };
  },
});

/** Delete what is older than LOG_RETENTION_DAYS, a chunk now and the rest in transactions of their own. */
export const expire = internalMutation({
  args: {},
  handler: async (ctx): Promise<number> => {
    const days = retentionDays();
    if (days === 0) return 0;
    const limit = new Date(Date.now() - days * DAY).toISOString();
    const old = await ctx.db
      .query("logs")
      .withIndex("by_time", (q) => q.lt("timestamp", limit))
      .paginate({ numItems: AT_ONCE, cursor: null, maximumBytesRead: PAGE_BYTES });
    await Promise.all(old.page.map(({ _id }) => ctx.db.delete(_id)));
    if (!old.isDone) await ctx.scheduler.runAfter(0, expireLogs, {});
    return old.page.length;
  },
});

function retentionDays(): number {
  const text = process.env.LOG_RETENTION_DAYS ?? "";
  const days = text.trim() === "" ? DEFAULT_RETENTION_DAYS : Number(text);
  if (!Number.isInteger(days) || days < 0) {
    throw new Error(`LOG_RETENTION_DAYS is "${text}"; it takes a whole number of days, 0 to keep entries for good`);
  }
  return days;
}

/** Choose the index that reads the fewest entries. */
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

/** Return the values in a value as texts, without the names of its fields. */
function atoms(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  return typeof value === "object" ? Object.values(value).flatMap(atoms) : [String(value)];
}
