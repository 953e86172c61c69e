// One call: who called, with what, every line on one time axis, the result and the traceback.

import { ask, isAbort } from "./api.js";
import { copyButton } from "./copy.js";
import { el, facts, show, state } from "./dom.js";
import { isFilterable, withValue } from "./filter.js";
import { duration, full, kindOf, size } from "./format.js";
import { isContainer, parseJson } from "./json.js";
import { jsonTree } from "./json_tree.js";
import { go, link } from "./location.js";
import { longText } from "./long_text.js";
import { timeline } from "./timeline.js";

/** Show the request with this id; return what ends the view. */
export function callView(main, { id, view }, { trace_url: traceUrl }) {
  const ended = new AbortController();
  show(main, back(view), state("Loading…"));
  ask(`/api/entries/${encodeURIComponent(id)}`, {}, ended.signal).then(
    (request) => {
      show(main, ...content(request, view, traceUrl));
      main.querySelector("h2").focus();
    },
    (error) => isAbort(error) || show(main, back(view), state(error.message)),
  );
  return { end: () => ended.abort() };
}

function content(request, view, traceUrl) {
  const { call, entries, outer } = request;
  const hasOwnReason = !call.error_message || call.output_summary !== call.error_message;
  return [
    actions(request, view),
    heading(call),
    call.shown_status === "unfinished" && state("No end of this call is recorded: it still runs, or its server was killed."),
    call.error_message && reason(call),
    factsOf(call, outer, traceUrl),
    ...section("Arguments", call.input_args, call.input_size, jsonTree),
    ...section("Log", entries.length > 0 ? entries : undefined, null, (lines) => timeline(call, lines)),
    ...section("Traceback", call.traceback ?? call.extra_data?.traceback, null, tracebackOf),
    ...(hasOwnReason ? section("Result", call.output_summary, call.output_size, resultOf) : []),
    ...section("Extra data", withoutTraceback(call.extra_data), null, jsonTree),
  ];
}

function actions({ call, entries, command, json_rpc: jsonRpc }, view) {
  return el("p", { class: "actions" }, back(view),
    copyButton("Copy JSON", () => JSON.stringify({ call, entries }, null, 2), "The call and everything recorded during it"),
    copyButton("Copy command", () => command, command),
    jsonRpc && copyButton("Copy JSON-RPC", () => JSON.stringify(jsonRpc, null, 2), "The request as a client sends it"),
    copyButton("Copy link", () => location.href, "The address of this page, without the token"));
}

function heading(call) {
  const row = { status: call.shown_status, level: call.level, is_request: call.is_request };
  return el("h2", { class: kindOf(row), tabindex: -1 },
    text(call.tool_name ?? call.target ?? call.message), " ",
    el("span", { class: "status" }, call.shown_status), " ",
    call.duration_ms !== null && el("span", { class: "faint" }, `in ${duration(call.duration_ms)}`));
}

function reason({ error_message: message, error_type: type }) {
  return el("p", { class: "reason" }, el("bdi", {}, ...longText(message)), " ",
    type && type !== message && el("span", { class: "faint" }, "(", filter("error-type", type), ")"));
}

function factsOf(call, outer, traceUrl) {
  const some = (...values) => (values.some(Boolean) ? values.filter(Boolean).flatMap((value) => [value, " "]) : null);
  return facts({
    time: full(call.timestamp),
    request: some(call.method && filter("method", call.method), call.target !== call.tool_name && text(call.target)),
    tool: call.tool_name && filter("tool", call.tool_name),
    client: some(call.client_name && filter("client", call.client_name), text(call.client_version), prefixed("from", call.client_address)),
    principal: call.principal && filter("principal", call.principal),
    server: some(text(call.server_name), text(call.server_version), prefixed("over", call.transport)),
    process: some(call.process_id, prefixed("on", call.hostname), prefixed("in", call.thread_name)),
    protocol: some(text(call.protocol_version), prefixed("request id", call.request_id)),
    "part of": outer && link({ id: outer.id }, {}, text(outer.name)),
    id: copyable(call.entry_id),
    correlation: some(filter("correlation-id", call.correlation_id), copyButton("Copy", () => call.correlation_id)),
    trace: call.trace_id && some(traceOf(call.trace_id, traceUrl), prefixed("span", call.span_id)),
  });
}

function text(value) {
  return value && el("bdi", {}, ...longText(value, 200));
}

function prefixed(word, value) {
  return value && el("span", {}, `${word} `, text(value));
}

function filter(word, value) {
  if (!isFilterable(value)) return text(value);
  return link({ view: "calls", q: withValue("", word, value), id: "" }, { title: `Everything with ${word}:${value}` }, text(value));
}

function traceOf(id, url) {
  const shown = url ? el("a", { href: url.replaceAll("{trace_id}", encodeURIComponent(id)), target: "_blank", rel: "noreferrer" }, text(id)) : text(id);
  return el("span", {}, shown, " ", copyButton("Copy", () => id));
}

function copyable(value) {
  return el("span", {}, text(value), " ", copyButton("Copy", () => value));
}

function section(title, value, bytes, render) {
  const isUnknown = value === null || value === undefined;
  if (isUnknown && (bytes === null || bytes === undefined)) return [];
  const note = [size(bytes), isUnknown && "not recorded"].filter(Boolean).join(", ");
  return [el("h3", {}, title, note && el("span", { class: "faint" }, ` ${note}`)), isUnknown ? null : render(value)];
}

function resultOf(result) {
  try {
    const value = parseJson(result);
    if (isContainer(value)) return jsonTree(value);
  } catch {
    // It is text.
  }
  return el("pre", { tabindex: 0 }, ...longText(result));
}

function tracebackOf(traceback) {
  return el("pre", { class: "traceback", tabindex: 0, "aria-label": "Traceback" }, ...longText(traceback, 20_000));
}

function withoutTraceback(extra) {
  const { traceback, ...rest } = extra ?? {};
  return Object.keys(rest).length > 0 ? rest : null;
}

function back(view) {
  return el("button", { type: "button", onclick: () => go({ id: "" }), title: "Back (Esc)" }, `← ${view}`);
}
