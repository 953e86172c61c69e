// The list of calls. Rows are added where they belong and then left alone, in groups that the browser skips off screen.

import { el } from "./dom.js";
import { isFilterable, withValue } from "./filter.js";
import { clock, day, duration, full, kindOf } from "./format.js";
import { go, link } from "./location.js";

const COLUMNS = ["time", "tool", "status", "took", "client", "principal", "details"];
const GROUP_SIZE = 100;

/** Return an empty list whose cells change the filter line `q`. */
export function callList(q) {
  const elements = new Map();
  const starts = new Map();
  const table = el("table", { class: "calls", role: "table", "aria-label": "Calls" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...COLUMNS.map((name) =>
      el("th", { scope: "col", role: "columnheader", class: name }, name)))));

  return {
    table,
    has: (id) => elements.has(id),
    get size() {
      return elements.size;
    },
    clear() {
      elements.clear();
      starts.clear();
      table.querySelectorAll("tbody").forEach((group) => group.remove());
    },
    /** Add rows that are older than all others. */
    append(rows) {
      for (const row of rows) if (isNew(row)) lastGroup().append(elementOf(row));
    },
    /** Insert rows at their places, which are mostly at the top. */
    insert(rows) {
      for (const row of rows) {
        if (!isNew(row)) continue;
        const next = firstOlder(row.timestamp);
        const element = elementOf(row);
        if (!next) lastGroup().append(element);
        else if (isTopOfFullGroup(next)) next.parentElement.before(groupOf(element));
        else next.before(element);
      }
    },
    /** Mark the row `steps` after the marked one, at first the top one. */
    move(steps) {
      const rows = [...table.querySelectorAll("tbody tr")];
      const index = rows.findIndex((row) => row.hasAttribute("aria-current"));
      mark(rows[Math.min(Math.max(index < 0 ? 0 : index + steps, 0), rows.length - 1)]);
    },
    /** Mark the row with an id, if it is in the list. */
    mark: (id) => mark(elements.get(id)),
    get marked() {
      return table.querySelector("[aria-current]")?.dataset.id ?? "";
    },
  };

  /** Leave out rows that are shown, and starts of calls that have ended. */
  function isNew(row) {
    if (elements.has(row.id) || (row.ends_as && elements.has(row.ends_as))) return false;
    starts.get(row.id)?.remove();
    return true;
  }

  function elementOf(row) {
    const element = rowOf(row, q);
    if (day(row.timestamp)) table.classList.add("dated");
    elements.set(row.id, element);
    if (row.ends_as) starts.set(row.ends_as, element);
    return element;
  }

  function lastGroup() {
    const last = table.tBodies[table.tBodies.length - 1];
    if (last && last.rows.length < GROUP_SIZE) return last;
    const group = groupOf();
    table.append(group);
    return group;
  }

  function firstOlder(time) {
    for (const row of table.rows) if (row.dataset.time < time) return row;
    return null;
  }

  function mark(row) {
    if (!row) return;
    table.querySelector("[aria-current]")?.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    row.scrollIntoView({ block: "nearest" });
    row.querySelector(".details a").focus({ preventScroll: true });
  }
}

function groupOf(...rows) {
  return el("tbody", { role: "rowgroup" }, ...rows);
}

function isTopOfFullGroup(row) {
  return row === row.parentElement.rows[0] && row.parentElement.rows.length >= GROUP_SIZE;
}

function rowOf(row, q) {
  const filter = (word, value, text = value) => (isFilterable(value)
    ? link({ q: withValue(q, word, value), id: "" }, { title: `Only ${word}:${value}` }, text)
    : el("bdi", {}, text));
  const cell = (name, ...content) => el("td", { class: name, role: "cell" }, ...content);
  const after = new Date(Date.parse(row.timestamp) + 1).toISOString();
  const time = [el("span", { class: "day" }, day(row.timestamp)), " ", clock(row.timestamp)];
  return el("tr", { class: kindOf(row), role: "row", "data-id": row.id, "data-time": row.timestamp, onclick: openUnlessLink },
    cell("time", link({ q: withValue(q, "until", after), id: "" }, { title: `${full(row.timestamp)}; show calls until then` }, ...time)),
    cell("tool", row.tool ? filter("tool", row.tool) : row.name),
    cell("status", filter(row.is_request ? "status" : "level", row.status === "unfinished" ? "started" : row.status, row.status)),
    cell("took", row.duration_ms >= 1 ? filter("min-ms", String(Math.floor(row.duration_ms)), duration(row.duration_ms)) : duration(row.duration_ms)),
    cell("client", filter("client", row.client)),
    cell("principal", filter("principal", row.principal)),
    cell("details", link({ id: row.id }, { title: "Open this call" }, ...detailsOf(row))));
}

function detailsOf(row) {
  const first = row.reason || row.details;
  const parts = [first && el("bdi", { class: row.reason ? "reason" : null }, first), row.arguments && el("bdi", { class: "faint" }, row.arguments)];
  const known = parts.filter(Boolean).flatMap((part) => [part, " "]);
  return known.length > 0 ? known : [el("span", { class: "faint" }, "no arguments")];
}

function openUnlessLink(event) {
  if (event.target.closest("a") || String(getSelection())) return;
  go({ id: event.currentTarget.dataset.id });
}
