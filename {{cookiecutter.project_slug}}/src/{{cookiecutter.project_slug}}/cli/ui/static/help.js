// The dialog with the keys and the words of the filter.

import { byId, el, facts, show } from "./dom.js";
import { WORDS } from "./filter.js";

const KEYS = {
  "/": "go to the filter",
  "j k": "next and previous call",
  Enter: "open the call",
  Esc: "go back, cancel a search, or clear the filter line",
  l: "live or paused",
  "?": "this help",
};

/** Open the dialog. */
export function openHelp() {
  const dialog = byId("help");
  const words = Object.fromEntries(Object.entries(WORDS).map(([word, meaning]) => [`${word}:`, meaning]));
  show(dialog, el("h2", {}, "Keys"), facts(KEYS), el("h2", {}, "Words of the filter"), facts(words),
    el("p", { class: "faint" }, "Other words are searched in messages, reasons, tracebacks, arguments and results. Put a value with spaces in quotes."),
    el("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Close"));
  if (!dialog.open) dialog.showModal();
}
