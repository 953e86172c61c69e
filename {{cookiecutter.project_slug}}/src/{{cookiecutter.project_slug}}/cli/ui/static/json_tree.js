// JSON as a tree that folds. Large containers are closed, and long ones show their first items.

import { el } from "./dom.js";
import { count } from "./format.js";
import { isContainer } from "./json.js";
import { longText } from "./long_text.js";

const OPEN_DEPTH = 4;
const OPEN_ITEMS = 30;
const STEP = 200;
const TEXT = 400;

/** Return a JSON value as elements. */
export function jsonTree(value) {
  return el("div", { class: "json" }, nodeOf(value, 0, []));
}

function nodeOf(value, depth, key) {
  if (!isContainer(value)) return el("span", {}, ...key, scalar(value));
  const items = Array.isArray(value) ? value.map((item, index) => [index, item]) : Object.entries(value);
  if (items.length === 0) return el("span", {}, ...key, Array.isArray(value) ? "[]" : "{}");
  const details = el("details", { open: depth < OPEN_DEPTH && items.length <= OPEN_ITEMS }, el("summary", {}, ...key, summary(value, items)));
  const fillOnce = () => {
    if (details.open && details.children.length === 1) details.append(listOf(items, depth));
  };
  details.addEventListener("toggle", fillOnce);
  fillOnce();
  return details;
}

function listOf(items, depth) {
  const list = el("ul", {});
  const more = el("button", { type: "button", onclick: addItems });
  let shown = 0;
  addItems();
  return list;

  function addItems() {
    more.remove();
    const step = items.slice(shown, shown + STEP);
    list.append(...step.map(([name, item]) => el("li", {}, nodeOf(item, depth + 1, keyOf(name)))));
    shown += step.length;
    if (shown === items.length) return;
    more.textContent = `${count(items.length - shown)} more`;
    list.append(more);
  }
}

function keyOf(name) {
  return [el("bdi", { class: "key" }, ...longText(String(name), TEXT)), ": "];
}

function summary(value, items) {
  const noun = items.length === 1 ? "" : "s";
  return Array.isArray(value) ? `[ ${count(items.length)} item${noun} ]` : `{ ${count(items.length)} key${noun} }`;
}

function scalar(value) {
  const kind = JSON.isRawJSON?.(value) ? "number" : typeof value;
  return el("bdi", { class: kind }, ...longText(JSON.stringify(value), TEXT));
}
