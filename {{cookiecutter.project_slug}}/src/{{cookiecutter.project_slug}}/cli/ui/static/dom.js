// Build elements. All text becomes text nodes: nothing that was recorded is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Return an element. Attributes that begin with "on" are listeners; null and false leave an attribute out. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Return an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...nodes(children));
  return element;
}

/** Replace the content of an element. */
export function show(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/** Return an element by its id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Return a list of names and what they mean; rows without a meaning are left out. */
export function facts(rows) {
  const known = Object.entries(rows).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el("dl", { class: "facts" }, ...known.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** Return a paragraph that says how things are, and what to do next. */
export function state(...content) {
  return el("p", { class: "state", role: "status" }, ...content);
}

function nodes(children) {
  return children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== "");
}
