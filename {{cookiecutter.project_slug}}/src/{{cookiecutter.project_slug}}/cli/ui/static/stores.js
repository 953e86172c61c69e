// Where entries are kept: what the destinations of this project hold.

import { ask, isAbort } from "./api.js";
import { el, facts, show, state } from "./dom.js";
import { count, full, size } from "./format.js";

const SHOWN = ["entries", "oldest", "newest", "size_bytes", "problem", "note"];

/** Show the destinations; return what ends the view. */
export function storesView(main, { source }) {
  const ended = new AbortController();
  show(main, state("Loading…"));
  ask("/api/destinations", {}, ended.signal).then(
    ({ destinations }) => show(main, el("div", { class: "cards" }, ...Object.entries(destinations).map(([name, isEnabled]) => {
      const card = el("section", { "aria-label": name, "aria-busy": "true" }, el("h2", {}, name), el("p", { class: "faint" }, "Asking…"));
      ask(`/api/destinations/${encodeURIComponent(name)}`, {}, ended.signal).then(
        (store) => card.replaceWith(cardOf(name, { isEnabled, isSource: name === source }, store)),
        (error) => isAbort(error) || card.replaceWith(cardOf(name, { isEnabled }, { problem: error.message })),
      );
      return card;
    }))),
    (error) => isAbort(error) || show(main, state(error.message)),
  );
  return { end: () => ended.abort() };
}

function cardOf(name, { isEnabled, isSource }, store) {
  const others = Object.entries(store).filter(([fact, value]) => !SHOWN.includes(fact) && typeof value !== "object");
  return el("section", { "aria-label": name },
    el("h2", {}, name, isSource && el("span", { class: "tag" }, "shown on this page")),
    el("p", { class: isEnabled ? "good" : "faint" }, isEnabled ? "Switched on: servers write to it." : "Switched off: servers do not write to it."),
    store.problem && el("p", { class: isEnabled ? "reason" : "faint" }, store.problem),
    store.note && el("p", { class: "faint" }, store.note),
    facts({
      entries: store.entries === null || store.entries === undefined ? null : count(store.entries),
      oldest: store.oldest && full(store.oldest),
      newest: store.newest && full(store.newest),
      size: size(store.size_bytes),
      ...Object.fromEntries(others.map(([fact, value]) => [fact.replaceAll("_", " "), String(value)])),
    }));
}
