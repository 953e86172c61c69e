// What was recorded during a call, on one time axis: the call is a bar, and each line a mark at its offset.

import { el } from "./dom.js";
import { duration, kindOf } from "./format.js";
import { link } from "./location.js";
import { longText } from "./long_text.js";

const TICKS = 4;
const TEXT = 1000;

/** Return the rows of a call's log lines and inner calls. */
export function timeline(call, entries) {
  const start = Date.parse(call.timestamp);
  const offsets = entries.map((entry) => Math.max(Date.parse(entry.timestamp) - start, 0));
  const ends = entries.map((entry, index) => offsets[index] + (entry.duration_ms ?? 0));
  const end = Math.max(call.duration_ms ?? 0, ...ends, 1);
  return el("div", { class: "timeline" },
    el("p", { class: "scale", "aria-hidden": "true" }, ...ticks(end).map((tick) => el("span", {}, tick))),
    el("ol", {}, ...entries.map((entry, index) => lineOf(entry, call, offsets[index], end))));
}

function ticks(end) {
  return Array.from({ length: TICKS + 1 }, (_, index) => (index === 0 ? "0" : duration((end * index) / TICKS)));
}

function lineOf(entry, call, offset, end) {
  const row = { status: entry.shown_status, level: entry.level, is_request: entry.is_request };
  const mark = el("i", { class: entry.duration_ms ? "span" : "" });
  mark.style.left = percent(offset / end);
  if (entry.duration_ms) mark.style.width = percent(entry.duration_ms / end);
  const where = [entry.module?.slice(0, TEXT), entry.line && `line ${entry.line}`].filter(Boolean).join(", ");
  return el("li", { class: kindOf(row) },
    el("span", { class: "axis", "aria-hidden": "true" }, mark),
    el("span", { class: "offset" }, `+${duration(offset)}`),
    el("span", { class: "status" }, entry.shown_status),
    el("div", { class: "message", title: where || null },
      entry.is_request ? innerCall(entry) : el("bdi", {}, ...longText(entry.message, TEXT)),
      entry.error_message && el("bdi", { class: "reason" }, " ", ...longText(entry.error_message, TEXT)),
      entry.traceback && entry.traceback !== call.traceback && el("pre", { tabindex: 0 }, ...longText(entry.traceback))));
}

function innerCall(entry) {
  return link({ id: entry.entry_id }, {}, el("bdi", {}, ...longText(entry.tool_name ?? entry.target ?? entry.message, TEXT)), " ", duration(entry.duration_ms));
}

function percent(share) {
  return `${Math.min(Math.max(share, 0), 1) * 100}%`;
}
