// The first view: calls as they are recorded, newest first, with a histogram and filters above them.

import { ask, isAbort } from "./api.js";
import { callList } from "./call_rows.js";
import { el, show, state } from "./dom.js";
import { exportLinks, filterBar } from "./filter_bar.js";
import { hasText, withValues } from "./filter.js";
import { count } from "./format.js";
import { histogramFigure } from "./histogram.js";
import { listen } from "./live.js";
import { go } from "./location.js";

const FIRST_PAGE = 50;
const PAGE = 500;
const LOADED_BY_THEMSELVES = 10_000;
const MOST_WAITING = 500;
const BUCKETS = 60;
const REDRAW_MS = 2000;
const REDRAW_SHARE = 0.1; // of the time may be spent on counting all calls again
const RETRY_MS = 2000;
const SEARCH_SECONDS = 1;
const TOP = 80;

/** Show the calls that match a filter line; return what controls and ends the view. */
export function callsView(main, { q }, about) {
  const ended = new AbortController();
  const list = callList(q);
  const histogram = histogramFigure((since, until) => go({ q: withValues(q, { since, until }) }));
  const pill = el("button", { type: "button", class: "pill", hidden: true, onclick: showWaiting });
  const progress = el("div", {}, state("Loading…"));
  const more = el("button", { type: "button", class: "more", hidden: true, onclick: () => loadOlder() }, "Show older calls");
  const live = el("button", { type: "button", onclick: toggleLive, title: "Show new calls as they are recorded (l)" });
  const seconds = hasText(q) ? SEARCH_SECONDS : null;
  let waiting = [];
  let next = null;
  let isLive = true;
  let hasGap = false;
  let isLoading = false;
  let isStopped = false;
  let isCounted = false;
  let search = new AbortController();
  let stopListening = () => {};
  let redraw = 0;
  let redrawAfter = REDRAW_MS;
  let retry = 0;
  show(main, filterBar(q, live, exportLinks(q)), histogram.figure, el("div", { class: "hold", role: "status" }, pill), list.table, progress, more);
  drawLive();

  const nearEnd = new IntersectionObserver((entries) => {
    if (entries.at(-1).isIntersecting && list.size < LOADED_BY_THEMSELVES) loadOlder();
  }, { rootMargin: "400px" });
  loadFirst();

  return {
    end() {
      ended.abort();
      search.abort();
      stopListening();
      nearEnd.disconnect();
      clearTimeout(redraw);
      clearTimeout(retry);
    },
    cancel() {
      if (!isLoading) return false;
      search.abort();
      return true;
    },
    move: (steps) => list.move(steps),
    mark: (id) => list.mark(id),
    open: () => list.marked && go({ id: list.marked }),
    toggleLive,
  };

  /** Load the newest page in place of everything that is listed. */
  async function loadFirst() {
    search.abort();
    clearTimeout(retry);
    const own = (search = new AbortController());
    const isWhole = await load(FIRST_PAGE, null, own);
    if (!isCurrent(own) || (!isWhole && list.size === 0)) return;
    if (isWhole) drawHistogram();
    else if (!isCounted) histogram.say("The calls are not counted, because the search did not finish.");
    stopListening();
    stopListening = listen(q, { onRows: arrived, onReady: catchUp });
  }

  async function loadOlder() {
    if (!next || isLoading) return;
    search = new AbortController();
    if ((await load(PAGE, next, search)) && !isCounted) drawHistogram();
  }

  /** Return whether a row is not older than the pages that are loaded; an older one comes with its page. */
  function isInReach(row) {
    return !next || row.timestamp >= next.slice(0, next.lastIndexOf("~"));
  }

  /** Return whether a search is still of interest: no other one has begun, and the view has not ended. */
  function isCurrent(own) {
    return own === search && !ended.signal.aborted;
  }

  function clear() {
    list.clear();
    waiting = [];
    hasGap = false;
    drawPill();
  }

  /** Load a page, a text search in steps, and show how it goes; return whether it was loaded whole. */
  async function load(size, before, own) {
    isLoading = true;
    isStopped = false;
    const started = Date.now();
    let searched = null;
    const timer = setInterval(() => showProgress(Date.now() - started, searched), 250);
    try {
      for (let missing = size; missing > 0; ) {
        const page = await ask("/api/entries", { q, limit: missing, before, seconds }, own.signal);
        if (!isCurrent(own)) return false;
        if (before === null) clear();
        list.append(page.entries);
        searched = page.searched;
        missing -= seconds ? page.entries.length : size;
        before = next = page.next;
        if (!next) break;
      }
    } catch (error) {
      if (isCurrent(own)) showProblem(error);
      return false;
    } finally {
      clearInterval(timer);
      if (isCurrent(own)) isLoading = false;
    }
    drawEnd();
    drawPill();
    return true;
  }

  function showProgress(milliseconds, searched) {
    const seconds = Math.floor(milliseconds / 1000);
    const share = typeof searched === "number" ? `, ${Math.round(searched * 100)} % done` : "";
    const cancel = el("button", { type: "button", onclick: () => search.abort() }, "Cancel (Esc)");
    show(progress, state(`Searching${seconds ? ` for ${seconds} s` : ""}${share}… `, cancel));
  }

  function showProblem(error) {
    const text = isAbort(error) ? "The search was cancelled. " : `${error.message} `;
    const again = el("button", { type: "button", onclick: () => (list.size > 0 ? loadOlder() : loadFirst()) }, "Try again");
    show(progress, state(text, error.isInvalid ? null : again));
    isStopped = true;
    more.hidden = true;
    if (list.size > 0) return;
    histogram.say("");
    if (!isAbort(error) && !error.isInvalid) retry = setTimeout(loadFirst, RETRY_MS);
  }

  function drawEnd() {
    more.hidden = !next;
    nearEnd.disconnect();
    nearEnd.observe(more); // says at once whether the end is still near
    more.textContent = list.size < LOADED_BY_THEMSELVES ? "Show older calls" : `Show older calls (${count(list.size)} are shown)`;
    if (list.size === 0) show(progress, nothing(q, about));
    else if (!isLoading) show(progress);
  }

  async function catchUp() {
    const page = await ask("/api/entries", { q, limit: FIRST_PAGE, seconds }, ended.signal).catch(() => null);
    if (!page) return;
    // A text search also ends when its time is over. Other pages may be shorter: starts of ended calls are left out.
    const hasMore = seconds ? page.entries.length === FIRST_PAGE : page.next !== null;
    hasGap = list.size > 0 && hasMore && !page.entries.some((row) => list.has(row.id));
    arrived(page.entries);
  }

  function arrived(rows) {
    const known = new Set(waiting.map((row) => row.id));
    const fresh = rows.filter((row) => !list.has(row.id) && !known.has(row.id));
    if (fresh.length === 0) return;
    waiting.push(...fresh);
    if (isLive && !main.hidden && scrollY < TOP) showWaiting();
    else drawPill();
    redraw ||= setTimeout(drawHistogram, redrawAfter);
  }

  function showWaiting() {
    if (scrollY >= TOP && !main.hidden) scrollTo({ top: 0 });
    const rows = waiting.filter(isInReach);
    if (hasGap || rows.length > MOST_WAITING) {
      loadFirst();
      return;
    }
    list.insert(rows);
    waiting = waiting.filter((row) => !isInReach(row));
    drawPill();
    if (!isStopped) drawEnd(); // which would go on with the search
  }

  function drawPill() {
    waiting = waiting.filter((row) => !list.has(row.id) && !list.has(row.ends_as));
    const shown = waiting.filter(isInReach).length;
    pill.hidden = shown === 0;
    pill.textContent = `${count(shown)} new`;
  }

  function toggleLive() {
    isLive = !isLive;
    if (isLive && waiting.length > 0) showWaiting();
    drawLive();
  }

  function drawLive() {
    live.setAttribute("aria-pressed", String(isLive));
    live.textContent = isLive ? "live" : "paused";
  }

  async function drawHistogram() {
    const began = Date.now();
    redraw = 0;
    isCounted = true;
    try {
      histogram.draw(await ask("/api/histogram", { q, buckets: BUCKETS }, ended.signal));
      redrawAfter = Math.max(REDRAW_MS, (Date.now() - began) / REDRAW_SHARE);
    } catch (error) {
      if (!isAbort(error)) histogram.say("The calls cannot be counted.");
    }
  }
}

function nothing(q, { command }) {
  if (q) {
    return [state("Nothing that is recorded matches this filter. ",
      el("button", { type: "button", onclick: () => go({ q: "" }) }, "Clear the filter"))];
  }
  return [state("No call is recorded yet. Call a tool, and it appears here: from your MCP client, or with ",
    el("code", {}, `${command} call TOOL key=value`), ".")];
}
