// The frame of the page: which view is shown, its title, and the keys.

import { ask } from "./api.js";
import { banner } from "./banner.js";
import { callView } from "./call.js";
import { callsView } from "./calls.js";
import { byId, el, show, state } from "./dom.js";
import { groupsView } from "./groups.js";
import { openHelp } from "./help.js";
import { announce, current, go, link, onChange } from "./location.js";
import { storesView } from "./stores.js";
import { switchThemesWith } from "./theme.js";

const VIEWS = {
  calls: { title: "Calls", open: callsView },
  tools: { title: "Tools", open: (main, place) => groupsView(main, place, ["tool", "error-type"], about) },
  clients: { title: "Clients", open: (main, place) => groupsView(main, place, ["client", "principal"], about) },
  destinations: { title: "Destinations", open: (main) => storesView(main, about) },
};
const CHECK_MS = 3000;

let about = { title: "", command: "", source: "", trace_url: null };
let list = { address: null, scroll: 0, view: { end() {} } };
let opened = { id: "", view: { end() {} } };

/** Show what the address says. An opened call only hides its list, which is there again at once. */
function draw(place) {
  drawFrame(place);
  const address = JSON.stringify([place.view, place.q, place.sort]);
  if (!opened.id) list.scroll = scrollY;
  opened.view.end();
  byId("call").hidden = !place.id;
  byId("view").hidden = Boolean(place.id);
  if (place.id) {
    opened = { id: place.id, view: callView(byId("call"), place, about) };
    scrollTo(0, 0);
    return;
  }
  const closed = opened.id;
  opened = { id: "", view: { end() {} } };
  show(byId("call"));
  if (address === list.address) {
    scrollTo(0, list.scroll);
    list.view.mark?.(closed);
    return;
  }
  list.view.end();
  banner("");
  scrollTo(0, 0);
  list = { address, scroll: 0, view: VIEWS[place.view].open(byId("view"), place, about) };
}

function drawFrame(place) {
  const { title } = VIEWS[place.view];
  document.title = [place.id ? `Call ${place.id.slice(0, 8)}` : title, place.q, about.title].filter(Boolean).join(" – ");
  show(byId("views"), ...Object.entries(VIEWS).map(([view, { title: text }]) =>
    link({ view, sort: "", id: "" }, { "aria-current": view === place.view ? "page" : null }, text)));
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  if (event.target.closest("input, select, textarea")) return;
  const actions = {
    "/": () => byId("filter")?.select(),
    j: () => move(1),
    k: () => move(-1),
    Enter: () => opened.id || event.target.closest("a, button, summary, [tabindex='0']") || list.view.open?.(),
    Escape: () => (opened.id ? go({ id: "" }) : list.view.cancel?.()),
    l: () => list.view.toggleLive?.(),
    "?": openHelp,
  };
  if (!(event.key in actions)) return;
  if (event.key === "/" || event.key === "?") event.preventDefault();
  actions[event.key]();
}

function move(steps) {
  if (!opened.id) list.view.move?.(steps);
}

/** Say when the server does not answer, in views that do not listen to it, and show them again when it does. */
async function checkServer() {
  if (document.hidden || list.view.toggleLive) return;
  const wasAway = !byId("banner").hidden;
  try {
    await ask("/api/about");
    banner("");
    if (wasAway && !opened.id) {
      list.address = null;
      draw(current());
    }
  } catch (error) {
    banner(error.message);
  }
}

/** Take the token out of the address bar: the cookie has it now. */
function hideToken() {
  const url = new URL(location.href);
  url.searchParams.delete("token");
  history.replaceState(null, "", url.pathname + url.search);
}

async function start() {
  hideToken();
  switchThemesWith(byId("theme"));
  byId("help-button").addEventListener("click", openHelp);
  addEventListener("keydown", pressed);
  try {
    about = await ask("/api/about");
  } catch (error) {
    show(byId("view"), state(error.message));
    return;
  }
  byId("title").textContent = about.title;
  byId("source").textContent = `from ${about.source}`;
  onChange((place) => draw(Object.hasOwn(VIEWS, place.view) ? place : { ...place, view: "calls" }));
  setInterval(checkServer, CHECK_MS);
  announce();
}

start();
