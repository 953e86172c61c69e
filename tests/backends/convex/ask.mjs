/**
 * Print as JSON what Convex functions do where no request to a deployment leads.
 *
 * node ask.mjs <functions> <folder of node_modules> crons
 * node ask.mjs <functions> <folder of node_modules> failures <reason> ...
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { usePackages } from "./packages.mjs";

const [functions, packages] = process.argv.slice(2, 4).map((path) => resolve(path));
const [question, ...given] = process.argv.slice(4);
const ENTRY = { correlationId: "c", timestamp: "2999-01-01", level: "INFO", logType: "internal", message: "", entryId: "e" };

process.env.LOG_INGEST_KEY = "key";
usePackages(packages);

const questions = {
  /** Return the scheduled jobs by their names. */
  async crons() {
    return (await load("crons.ts")).crons;
  },

  /** Return the status and the error that an entry is answered with where storing it fails, for each of the reasons. */
  async failures(...reasons) {
    const [ingest] = (await load("http.ts")).lookup("/logs/ingest", "POST");
    return await Promise.all(reasons.map((reason) => failure(ingest, reason)));
  },
};

async function failure(ingest, reason) {
  const runMutation = () => Promise.reject(new Error(reason));
  const headers = { Authorization: "Bearer key" };
  const request = new Request("http://a/", { method: "POST", headers, body: JSON.stringify({ logs: [ENTRY] }) });
  const response = await ingest._handler({ runMutation }, request);
  return [response.status, (await response.json()).error];
}

async function load(name) {
  return (await import(pathToFileURL(join(functions, name)).href)).default;
}

console.log(JSON.stringify(await questions[question](...given)));
