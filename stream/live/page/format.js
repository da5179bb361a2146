/* Numbers and times as people read them. "–" = not known. */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const dayAndClock = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const NONE = "–";
const absent = (value) => value === null || value === undefined || Number.isNaN(value);

/** 0.21, 9.4, 42, 1,020, 12.3 M */
export function number(value) {
  if (absent(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 1e12) return `${(value / 1e12).toFixed(1)} T`;
  if (size >= 1e9) return `${(value / 1e9).toFixed(1)} G`;
  if (size >= 1e7) return `${(value / 1e6).toFixed(1)} M`;
  if (size >= 10 || Number.isInteger(value)) return WHOLE.format(value);
  return String(Number(value.toFixed(size < 1 ? 2 : 1)));
}

export const count = (value) => (absent(value) ? NONE : WHOLE.format(value));

/** [number, unit] of a time in milliseconds. */
export function duration(ms) {
  if (absent(ms)) return [NONE, ""];
  if (ms < 1) return [ms === 0 ? "0" : ms.toFixed(2), "ms"];
  if (ms < 10) return [ms.toFixed(1), "ms"];
  if (ms < 1000) return [WHOLE.format(ms), "ms"];
  if (ms < 60_000) return [(ms / 1000).toFixed(ms < 10_000 ? 1 : 0), "s"];
  if (ms < 3_600_000) return [WHOLE.format(ms / 60_000), "min"];
  if (ms < 172_800_000) return [(ms / 3_600_000).toFixed(1), "h"];
  return [WHOLE.format(ms / 86_400_000), "days"];
}

export const span = (ms) => duration(ms).join(" ").trim();

export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/** The time of day; with the date, when it is another day than `now`. */
export function time(ms, now = Date.now()) {
  if (absent(ms)) return NONE;
  const then = new Date(ms);
  return then.toDateString() === new Date(now).toDateString() ? clock.format(then) : dayAndClock.format(then);
}

export const ago = (ms, now) => (absent(ms) ? NONE : now - ms < 1500 ? "just now" : `${span(now - ms)} ago`);

export function share(part, whole) {
  if (!whole) return NONE;
  const percent = (100 * part) / whole;
  return `${percent >= 10 || percent === 0 ? percent.toFixed(0) : percent >= 0.1 ? percent.toFixed(1) : "< 0.1"} %`;
}

/** A value of a prediction: numbers short. */
export function value(given) {
  if (typeof given !== "number") return given;
  if (Number.isInteger(given)) return Math.abs(given) < 1e15 ? WHOLE.format(given + 0) : given.toExponential(2); // + 0: no -0
  const size = Math.abs(given);
  if (size >= 1e12 || size < 1e-4) return given.toExponential(2);
  return size >= 1e5 ? WHOLE.format(given) : size >= 1000 ? given.toFixed(1) : String(Number(given.toFixed(3)));
}
