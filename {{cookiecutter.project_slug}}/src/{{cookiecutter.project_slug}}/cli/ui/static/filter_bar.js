// The filter line, the controls that change its words, and the words as buttons that remove them.

import { address } from "./api.js";
import { el } from "./dom.js";
import { parts, valueOf, withValue, withValues } from "./filter.js";
import { age, moment } from "./format.js";
import { go } from "./location.js";

const STATUSES = {
  "": "any status", success: "success", error: "error", cancelled: "cancelled", validation_error: "validation_error",
  unknown_tool: "unknown_tool", unknown_target: "unknown_target", input_required: "input_required", started: "unfinished",
};
const PERIODS = {
  "": "any time", "15m": "last 15 minutes", "1h": "last hour", "24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days",
};
const TYPES = {
  "": "calls of tools", framework: "other requests", internal: "log lines", any: "everything",
};
const LEVELS = {
  "": "any level", DEBUG: "DEBUG and above", INFO: "INFO and above", WARNING: "WARNING and above", ERROR: "ERROR and above",
};
const METHODS = { "": "any method", "tools/call": "tools/call", "resources/read": "resources/read", "prompts/get": "prompts/get" };
const TEXTS = {
  tool: "Tool", client: "Client", principal: "Principal", "error-type": "Error class", "min-ms": "Took at least, ms",
  until: "Until", id: "Id", "correlation-id": "Correlation id",
};
const EXPORTS = { jsonl: "JSON lines", csv: "CSV" };

let isOpen = false;

/** Return the filter of a view; `extra` goes at its end. */
export function filterBar(q, ...extra) {
  return el("div", { class: "filter" },
    el("form", { role: "search", class: "filters", onsubmit: (event) => submit(event) },
      lineOf(q),
      choice("status", "Status", STATUSES, q),
      choice("since", "Period", PERIODS, q),
      ...extra),
    chipsOf(q),
    moreOf(q));
}

/** Return the links that download all entries of a filter. */
export function exportLinks(q) {
  return el("span", { class: "export" }, "Export ", ...Object.entries(EXPORTS).flatMap(([format, name]) => [
    el("a", { href: address("/api/export", { q, format }), download: `calls.${format}`, title: `Download everything that matches as ${name}` }, name),
    " ",
  ]));
}

function lineOf(q) {
  const line = el("input", {
    id: "filter", type: "search", value: q, autocomplete: "off", spellcheck: "false", "aria-label": "Filter",
    placeholder: "tool:echo status:error since:2h timeout",
  });
  line.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    if (line.value !== q) line.value = q;
    else go({ q: "" });
    line.blur();
  });
  return line;
}

function submit(event) {
  event.preventDefault();
  const line = event.currentTarget.querySelector("#filter");
  line.blur();
  go({ q: line.value.trim() });
}

function moreOf(q) {
  return el("details", { class: "more-filters", open: isOpen, ontoggle: (event) => (isOpen = event.currentTarget.open) },
    el("summary", {}, "More filters"),
    el("div", { class: "fields" },
      choice("type", "Show", TYPES, q),
      choice("level", "Level", LEVELS, q),
      choice("method", "Method", METHODS, q),
      ...Object.entries(TEXTS).map(([word, label]) => textField(word, label, q))));
}

function choice(word, label, names, q) {
  const value = valueOf(q, word);
  const options = Object.hasOwn(names, value) ? names : { ...names, [value]: wordsFor(word, value) };
  return el("label", {}, el("span", {}, label), el(
    "select",
    { onchange: (event) => go({ q: withValue(q, word, event.target.value) }) },
    ...Object.entries(options).map(([name, text]) => el("option", { value: name, selected: name === value }, text)),
  ));
}

function textField(word, label, q) {
  return el("label", {}, el("span", {}, label), el("input", {
    type: "text", value: valueOf(q, word), autocomplete: "off", spellcheck: "false",
    onchange: (event) => go({ q: withValue(q, word, event.target.value.trim()) }),
    onkeydown: (event) => event.key === "Escape" && event.target.blur(),
  }));
}

function chipsOf(q) {
  const found = parts(q).filter((part) => part.word);
  if (found.length === 0) return null;
  const [since, until] = [valueOf(q, "since"), valueOf(q, "until")];
  const isPeriod = isTime(since) && isTime(until);
  const chips = found
    .filter((part) => !(isPeriod && ["since", "until"].includes(part.word)))
    .map((part) => chip(`${part.word}: ${wordsFor(part.word, part.value)}`, withValue(q, part.word, "")));
  if (isPeriod) chips.unshift(chip(`${moment(since)} – ${moment(until)}`, withValues(q, { since: "", until: "" })));
  return el("p", { class: "chips" }, ...chips);
}

function chip(text, without) {
  return el("button", { type: "button", title: "Remove from the filter", onclick: () => go({ q: without }) },
    el("bdi", {}, text), el("span", { "aria-hidden": "true" }, " ×"));
}

function wordsFor(word, value) {
  if (word === "status" && Object.hasOwn(STATUSES, value)) return STATUSES[value];
  if (word !== "since" && word !== "until") return value;
  if (isTime(value)) return moment(value);
  return age(value) === value ? value : `${age(value)} ago`;
}

function isTime(text) {
  return /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text));
}
