// Statistics of calls by tool, client or principal; every number leads to the calls behind it.

import { ask, isAbort } from "./api.js";
import { el, show, state, svg } from "./dom.js";
import { filterBar } from "./filter_bar.js";
import { isFilterable, withValues } from "./filter.js";
import { count, duration, size } from "./format.js";
import { go, link } from "./location.js";
import { longText } from "./long_text.js";

const COLUMNS = {
  calls: { key: (group) => group.calls, text: (group) => count(group.calls), target: {} },
  failed: { key: (group) => group.failures, text: (group) => count(group.failures), target: { level: "WARNING" } },
  rate: { key: (group) => group.failures / group.calls, text: rateOf, target: { level: "WARNING" } },
  p50: { key: (group) => group.p50_ms, text: (group) => duration(group.p50_ms) },
  p95: { key: (group) => group.p95_ms, text: (group) => duration(group.p95_ms), slower: (group) => group.p95_ms },
  p99: { key: (group) => group.p99_ms, text: (group) => duration(group.p99_ms), slower: (group) => group.p99_ms },
  max: { key: (group) => group.max_ms, text: (group) => duration(group.max_ms), slower: (group) => group.max_ms },
  "output p95": { key: (group) => group.output_p95, text: (group) => size(group.output_p95) },
  total: { key: (group) => group.output_total, text: (group) => size(group.output_total) },
};
const TITLES = { tool: "Tools", client: "Clients", principal: "Principals", "error-type": "Error classes" };
const NAMES = { tool: "tool", client: "client", principal: "principal", "error-type": "error class" };
const WITHOUT = { tool: "no tool", client: "unknown client", principal: "not authenticated", "error-type": "no error class" };
const FIRST_ORDER = "-calls";
const NAME_LENGTH = 200;
const SPARK_BUCKETS = 24;
const DETAILED_ROWS = 30;

/** Show the statistics of these groups (words of the filter line); return what ends the view. */
export function groupsView(main, place, words, { command }) {
  const ended = new AbortController();
  show(main, filterBar(place.q), ...words.map((word) => groupTable(word, place, command, ended.signal)));
  return { end: () => ended.abort() };
}

function groupTable(word, { q, sort }, command, signal) {
  const section = el("section", { "aria-label": TITLES[word] }, el("h2", {}, TITLES[word]), state("Counting…"));
  ask("/api/stats", { q, by: word }, signal).then(
    ({ groups, is_complete: isComplete }) => {
      const known = word === "error-type" ? groups.filter((group) => group.group !== null) : groups;
      show(section, el("h2", {}, TITLES[word]), known.length === 0 && nothing(word, q, command),
        !isComplete && el("p", { class: "faint" }, "Only the newest 10,000 calls are counted."),
        known.length > 0 && tableOf(word, q, sort || FIRST_ORDER, known, signal));
    },
    (error) => isAbort(error) || show(section, el("h2", {}, TITLES[word]), state(error.message)),
  );
  return section;
}

function nothing(word, q, command) {
  if (word === "error-type") return state("No call failed with an exception.");
  if (q) return state("No call matches this filter. ", el("button", { type: "button", onclick: () => go({ q: "" }) }, "Clear the filter"));
  return state("No call is recorded yet. Call a tool from your MCP client, or with ", el("code", {}, `${command} call TOOL key=value`), ".");
}

function tableOf(word, q, sort, groups, signal) {
  const column = sort.replace(/^-/, "");
  const direction = sort.startsWith("-") ? -1 : 1;
  const key = Object.hasOwn(COLUMNS, column) ? COLUMNS[column].key : (group) => group.group;
  const rows = [...groups].sort((one, other) => direction * compare(key(one), key(other)));
  const heading = (name, text = name) => el("th", {
    scope: "col", class: name === "group" ? "name" : "number",
    "aria-sort": name === column ? (direction < 0 ? "descending" : "ascending") : null,
  }, el("button", { type: "button", onclick: () => go({ sort: nextOrder(name, sort) }) }, text));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `${TITLES[word]}, table` }, el("table", { class: "groups" },
    el("thead", {}, el("tr", {}, heading("group", NAMES[word]), ...Object.keys(COLUMNS).map((name) => heading(name)),
      el("th", { scope: "col" }, "over time"), el("th", { scope: "col" }, "last failure"))),
    el("tbody", {}, ...rows.map((group, index) => rowOf(word, q, group, signal, index < DETAILED_ROWS)))));
}

function nextOrder(name, sort) {
  if (sort === `-${name}`) return name;
  if (sort === name || name !== "group") return `-${name}`;
  return name;
}

function rowOf(word, q, group, signal, isDetailed) {
  const hasCalls = isFilterable(group.group);
  const own = { [word]: group.group };
  const calls = (values, text) => (hasCalls ? link({ view: "calls", q: withValues(q, { ...own, ...values }), sort: "", id: "" }, {}, text) : text);
  const cells = Object.entries(COLUMNS).map(([name, { text, target, slower }]) => {
    const isBad = group.failures > 0 && (name === "failed" || name === "rate");
    const values = target ?? (slower && group.max_ms >= 1 ? { "min-ms": String(Math.floor(slower(group))) } : null);
    return el("td", { class: isBad ? "number bad" : "number" }, values ? calls(values, text(group)) : text(group));
  });
  const spark = el("td", { class: "spark" });
  const failure = el("td", { class: "details" });
  if (isDetailed && hasCalls) fillDetails(spark, failure, withValues(q, own), group.failures, signal);
  return el("tr", {}, el("th", { scope: "row", class: "name" }, calls({}, el("bdi", {}, ...nameOf(word, group)))), ...cells, spark, failure);
}

function nameOf(word, { group }) {
  return group === null ? [WITHOUT[word]] : longText(group, NAME_LENGTH);
}

function fillDetails(spark, failure, q, failures, signal) {
  ask("/api/histogram", { q, buckets: SPARK_BUCKETS }, signal).then((data) => show(spark, sparkline(data)), () => {});
  if (failures === 0) return;
  const failed = withValues(q, { type: "tool_execution", level: "WARNING" });
  ask("/api/entries", { q: failed, limit: 1 }, signal).then(
    ({ entries: [last] }) => last && show(failure, link({ id: last.id }, { class: "reason" }, el("bdi", {}, last.reason || last.status))),
    () => {},
  );
}

function sparkline({ calls, failures }) {
  const most = Math.max(1, ...calls);
  const points = calls.map((number, index) => `${index},${20 - (18 * number) / most}`).join(" ");
  const marks = failures.map((number, index) => number > 0 && svg("rect", { class: "bad", x: index - 0.4, y: 18, width: 0.8, height: 2 }));
  const total = calls.reduce((sum, number) => sum + number, 0);
  return svg("svg", { viewBox: `0 0 ${calls.length - 1} 20`, preserveAspectRatio: "none", role: "img", "aria-label": `${total} calls over time` },
    svg("polyline", { points }), ...marks);
}

function rateOf({ calls, failures }) {
  return `${((100 * failures) / calls).toFixed(1)} %`;
}

function compare(one, other) {
  if (one === other) return 0;
  if (one === null || one === undefined) return -1;
  if (other === null || other === undefined) return 1;
  return one < other ? -1 : 1;
}
