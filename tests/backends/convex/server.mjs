/**
 * Serve a folder of Convex functions over HTTP on loopback, run by the official `convex-test`.
 *
 * node server.mjs <functions> <folder of node_modules> <work folder>
 *
 * The work folder holds `address.json` (port, api_key) and `logs.jsonl`, a line for each document that was written or
 * deleted, from which the next start takes them again, however this one ended.
 * Beside the functions' own routes, `POST /.run {"name": "logs:expire", "args": {}}` calls one of them as
 * `npx convex run` would, and `POST /.env {"name": "LOG_RETENTION_DAYS", "value": "7"}` sets a variable as
 * `npx convex env set` would.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { registerHooks } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { usePackages } from "./packages.mjs";

const [functions, packages, workdir] = process.argv.slice(2).map((path) => resolve(path));
const address = JSON.parse(readFileSync(join(workdir, "address.json"), "utf8"));
const journal = join(workdir, "logs.jsonl");
const TABLE = "logs";
const ID = /^\d+logs$/;
const MAX_BODY = 16 << 20;
const CHUNK = 1000;

process.env.LOG_INGEST_KEY = address.api_key;

usePackages(packages);
registerHooks({
  load(url, context, next) {
    const module = next(url, context);
    if (!url.endsWith("/convex-test/dist/index.js")) return module;
    return { ...module, source: `${module.source}\nexport { DatabaseFake };` };
  },
});

const { convexTest, DatabaseFake } = await import("convex-test");
const { default: schema } = await import(pathToFileURL(join(functions, "schema.ts")).href);
useIndexes(DatabaseFake.prototype);
useJournal(DatabaseFake.prototype);

const names = readdirSync(functions).filter((name) => name.endsWith(".ts"));
const modules = Object.fromEntries(
  names.map((name) => [`/${name}`, () => import(pathToFileURL(join(functions, name)).href)]),
);
modules["/_generated/api.js"] = async () => ({});
const backend = convexTest({ schema, modules, transactionLimits: true });

/**
 * Give convex-test what makes 100,000 entries bearable: it looks at every document for each question.
 *
 * Equality on the first field of an index looks only at documents that ever had that value, and what was sorted for a
 * page is kept until something is written. What is found is found by convex-test's own code.
 */
function useIndexes(prototype) {
  const { _addWrite, _iterateDocs, _resolveQuerySource, commit } = prototype;
  const byValue = new Map();
  let wanted = null;
  let sorted = { key: null, source: null };

  prototype._addWrite = function (id, document) {
    sorted.key = null;
    if (document?.entryId !== undefined) {
      if (!byValue.has(document.entryId)) byValue.set(document.entryId, new Set());
      byValue.get(document.entryId).add(id);
    }
    return _addWrite.call(this, id, document);
  };
  prototype.commit = function (...given) {
    if (this._writes.length === 1 && Object.keys(this._writes[0]).length > 0) sorted.key = null;
    return commit.apply(this, given);
  };
  prototype._iterateDocs = function (table, callback) {
    if (wanted === null) return _iterateDocs.call(this, table, callback);
    for (const id of byValue.get(wanted) ?? []) {
      const document = this.get(table, id);
      if (document !== null) callback(document);
    }
  };
  prototype._resolveQuerySource = function (query) {
    const [first] = query.source.range ?? [];
    wanted = first?.type === "Eq" && first.fieldPath === "entryId" ? first.value : null;
    try {
      if (wanted !== null) return _resolveQuerySource.call(this, query);
    } finally {
      wanted = null;
    }
    const key = JSON.stringify([query, this._writes.length]);
    if (sorted.key !== key) sorted = { key, source: _resolveQuerySource.call(this, query) };
    return sorted.source;
  };
}

/** Write down what each outermost transaction commits. */
function useJournal(prototype) {
  const { commit } = prototype;
  prototype.commit = function (...given) {
    const written = this._writes.length === 1 ? Object.entries(this._writes[0]) : [];
    const lines = written.filter(([id]) => ID.test(id)).map((entry) => `${JSON.stringify(entry)}\n`);
    if (lines.length > 0) appendFileSync(journal, lines.join(""));
    return commit.apply(this, given);
  };
}

/** Insert what the journal holds, which writes it anew. */
async function restore() {
  if (!existsSync(journal)) return;
  const lines = readFileSync(journal, "utf8").trimEnd().split("\n");
  const documents = [...new Map(lines.map((line) => JSON.parse(line))).values()].filter(
    (document) => document !== null,
  );
  rmSync(journal);
  for (let start = 0; start < documents.length; start += CHUNK) {
    await backend.run(async ({ db }) => {
      for (const { _id, _creationTime, ...log } of documents.slice(start, start + CHUNK)) await db.insert(TABLE, log);
    });
  }
}

async function answer(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    chunks.push(chunk);
    if ((size += chunk.length) > MAX_BODY) return new Response("Body over 16 MiB", { status: 413 });
  }
  const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined;
  if (request.url === "/.run") {
    const { name, args } = JSON.parse(body.toString());
    return Response.json((await backend.fun({ udfPath: name, componentPath: "" }, args)) ?? null);
  }
  if (request.url === "/.env") {
    const { name, value } = JSON.parse(body.toString());
    process.env[name] = value;
    return Response.json(null);
  }
  const { method, headers } = request;
  return await backend.fetch(request.url, { method, headers, body });
}

async function handle(request, response) {
  let result;
  try {
    result = await answer(request);
  } catch (error) {
    console.error(error);
    result = Response.json({ code: "[Request ID: test] Server Error", error: String(error) }, { status: 500 });
  }
  const content = Buffer.from(await result.arrayBuffer());
  response.writeHead(result.status, { ...Object.fromEntries(result.headers), "Content-Length": content.length });
  response.end(content);
}

await restore();
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => void handle(request, response));
server.listen(Number(address.port), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));
