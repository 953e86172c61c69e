// Times, durations and sizes as people read them; times are local.

const CLOCK = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const MINUTE = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY = new Intl.DateTimeFormat([], { month: "short", day: "numeric" });
const DAY_OF_YEAR = new Intl.DateTimeFormat([], { dateStyle: "medium" });
const FULL = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "long", hourCycle: "h23" });
const NUMBER = new Intl.NumberFormat([]);
const SUCCESSES = ["success", "input_required"];
const BAD_LEVELS = ["ERROR", "CRITICAL"];
const UNITS = { s: "second", m: "minute", h: "hour", d: "day", w: "week" };

export const clock = (time) => CLOCK.format(new Date(time));
export const full = (time) => FULL.format(new Date(time));
export const count = (number) => NUMBER.format(number);

/** Return the day, with its year unless that is this one; "" for today. */
export function day(time) {
  const [date, now] = [new Date(time), new Date()];
  if (date.toDateString() === now.toDateString()) return "";
  return (date.getFullYear() === now.getFullYear() ? DAY : DAY_OF_YEAR).format(date);
}

/** Return a moment in a few words, with its day unless that is today. */
export function moment(time) {
  const date = new Date(time);
  return [day(time), (date.getSeconds() ? CLOCK : MINUTE).format(date)].filter(Boolean).join(" ");
}

/** Return an age such as "2h" in words; any other text stays as it is. */
export function age(text) {
  const [, number, unit] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  if (unit) return `${number} ${UNITS[unit]}${number === "1" ? "" : "s"}`;
  return text;
}

/** Return milliseconds in the unit that suits them. */
export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "";
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds) % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Return a number of bytes in the unit that suits it. */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let number = bytes;
  while (number >= 999.5 && unit < units.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(number) : number.toFixed(1)} ${units[unit]}`;
}

/** Return the class of a status: "good", "bad", "open" for a call without an end, or "" for a log line. */
export function kindOf(row) {
  if (SUCCESSES.includes(row.status)) return "good";
  if (row.status === "unfinished") return "open";
  if (row.is_request || BAD_LEVELS.includes(row.level)) return "bad";
  return row.level === "WARNING" ? "open" : "";
}
