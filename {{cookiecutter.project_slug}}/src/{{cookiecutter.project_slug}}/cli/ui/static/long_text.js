// Texts of any length: long ones are cut, and a button shows more of them.

import { el } from "./dom.js";
import { count } from "./format.js";

const SHOWN = 2000;
const STEP = 100_000;

/** Return nodes for a text that may be long. */
export function longText(text, shown = SHOWN) {
  if (text.length <= shown * 1.2) return [document.createTextNode(text)];
  const start = document.createTextNode(text.slice(0, shown));
  const more = el("button", { type: "button", class: "more-text", onclick: showMore }, label());
  return [start, more];

  function showMore() {
    start.data = text.slice(0, start.length + STEP);
    if (start.length === text.length) more.remove();
    else more.textContent = label();
  }

  function label() {
    return `… ${count(text.length - start.length)} more characters`;
  }
}
