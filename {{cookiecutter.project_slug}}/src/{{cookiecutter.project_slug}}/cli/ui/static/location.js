// What the page shows is in its address, so that a link can be sent: the view, the filter line, the order, an open call.

import { el } from "./dom.js";

const DEFAULTS = { view: "calls", q: "", sort: "", id: "" };
const listeners = [];

/** Return what an address says, by default that of the page. */
export function current(search = location.search) {
  const query = new URLSearchParams(search);
  return Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, query.get(name) ?? value]));
}

/** Return the address of another place on the page. */
export function linkTo(changes) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...current(), ...changes })) {
    if (value !== DEFAULTS[name]) query.set(name, value);
  }
  return query.size ? `/?${query}` : "/";
}

/** Change what the address says, and show it. */
export function go(changes) {
  const next = linkTo(changes);
  if (next === location.pathname + location.search) return;
  history.pushState(null, "", next);
  announce();
}

/** Return a link to another place on the page; a plain click does not load the page again. */
export function link(changes, attributes, ...content) {
  return el("a", { href: linkTo(changes), onclick: follow, ...attributes }, ...content);
}

/** Call a listener with what the address says after each change. */
export function onChange(listener) {
  listeners.push(listener);
}

/** Show what the address says. */
export function announce() {
  for (const listener of listeners) listener(current());
}

function follow(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button !== 0) return;
  event.preventDefault();
  go(current(new URL(event.currentTarget.href).search));
}

addEventListener("popstate", announce);
