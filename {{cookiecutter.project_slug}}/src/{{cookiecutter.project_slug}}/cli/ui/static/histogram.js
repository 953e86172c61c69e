// Calls over time as stacked bars; dragging over them chooses a period.

import { el, show, svg } from "./dom.js";
import { count, moment } from "./format.js";

const HEIGHT = 64;

/** Return a figure that already has its size, `draw(data)`, and `say(text)` for when there is nothing to draw. */
export function histogramFigure(onPeriod) {
  const picture = svg("svg", { preserveAspectRatio: "none", role: "img", "aria-label": "Calls over time" });
  const caption = el("figcaption", {}, "Counting…");
  const figure = el("figure", { class: "histogram" }, picture, caption);
  let data = null;
  const selection = watchDrag(picture, () => data, onPeriod);
  return {
    figure,
    draw(newest) {
      data = newest;
      drawBars(picture, selection, data);
      const [total, failed] = [sum(data.calls), sum(data.failures)];
      picture.setAttribute("aria-label", `${sentence(total, failed)} from ${moment(data.since)} to ${moment(data.until)}`);
      show(caption, el("span", {}, moment(data.since)),
        el("span", {}, sentence(total, failed), data.is_complete ? "" : ", of the newest 10,000"),
        el("span", {}, moment(data.until)));
    },
    say: (text) => show(caption, text),
  };
}

function drawBars(picture, selection, data) {
  const most = Math.max(1, ...data.calls);
  picture.setAttribute("viewBox", `0 0 ${data.calls.length} ${HEIGHT}`);
  show(picture, ...data.calls.map((calls, index) => {
    const failures = data.failures[index];
    const [top, middle] = [calls, failures].map((number) => HEIGHT - (number / most) * (HEIGHT - 2));
    return svg("g", {},
      svg("title", {}, `${moment(timeAt(data, index))}: ${sentence(calls, failures)}`),
      svg("rect", { class: "space", x: index, y: 0, width: 1, height: HEIGHT }),
      calls > failures && bar("good", index, top, middle),
      failures > 0 && bar("bad", index, middle, HEIGHT));
  }), selection);
}

function bar(kind, index, top, bottom) {
  const height = Math.max(bottom - top, 1.5);
  return svg("rect", { class: kind, x: index + 0.1, y: bottom - height, width: 0.8, height });
}

function watchDrag(picture, dataOf, onPeriod) {
  const selection = svg("rect", { class: "selection", y: 0, height: HEIGHT, width: 0 });
  let start = null;
  const place = (event) => {
    const box = picture.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * dataOf().calls.length;
  };
  const clear = () => {
    start = null;
    selection.setAttribute("width", 0);
  };
  picture.addEventListener("pointerdown", (event) => {
    if (!dataOf() || event.button !== 0) return;
    start = place(event);
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    if (start === null) return;
    const end = place(event);
    selection.setAttribute("x", Math.min(start, end));
    selection.setAttribute("width", Math.abs(end - start));
  });
  picture.addEventListener("pointerup", (event) => {
    if (start === null) return;
    const [from, to] = [start, place(event)].sort((one, other) => one - other);
    clear();
    if (to - from > 0.2) onPeriod(...timesBetween(dataOf(), from, to));
  });
  picture.addEventListener("pointercancel", clear);
  return selection;
}

/** Return two ISO times, to the second unless that would be too coarse. */
function timesBetween(data, from, to) {
  const times = [timeAt(data, from), timeAt(data, to)];
  if (times[1] - times[0] < 10_000) return times.map((time) => time.toISOString());
  return times.map((time) => time.toISOString().replace(/\.\d+Z$/, "Z"));
}

function timeAt(data, position) {
  return new Date(Date.parse(data.since) + position * data.seconds * 1000);
}

function sentence(calls, failures) {
  const noun = calls === 1 ? "call" : "calls";
  return failures ? `${count(calls)} ${noun}, ${count(failures)} failed` : `${count(calls)} ${noun}`;
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
