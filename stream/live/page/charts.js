/* Sparklines of the last minutes, 15 at most, and the scores now beside those of the golden rows. */

import { attribute, byId, drawn, list, make, mark, seen, show, write } from "./dom.js";
import { count, number, plural, share, value } from "./format.js";

const WINDOWS = [12, 30, 90]; // steps on a sparkline: 2, 5 and 15 minutes, the shortest that holds what there is
const WIDTH = 90, HEIGHT = 32, TOP = 2;
const BINS_W = 400, BINS_H = 150;
const MOST_LABELS = 12;
const FEW = 30; // answers, below which two distributions are not to be compared

const x = (i, n, steps) => ((steps - n + i + 1) * WIDTH) / steps;

/** How many steps the sparklines show. */
export const windowOf = (history) => WINDOWS.find((steps) => steps > history.records_per_second.length) ?? WINDOWS.at(-1);

/** Lines of a series, cut where nothing was seen; `area` closes them to the ground. */
function line(series, steps, most, area) {
  let d = "", begun = null;
  const end = (i) => { if (area && begun !== null) d += `V${HEIGHT}H${begun}Z`; begun = null; };
  series.forEach((v, i) => {
    if (v === null) return end(i);
    const place = `${x(i, series.length, steps).toFixed(2)} ${(HEIGHT - ((HEIGHT - TOP) * v) / most).toFixed(2)}`;
    if (begun === null) {
      begun = (x(i, series.length, steps) - WIDTH / steps).toFixed(2);
      d += `M${begun} ${place.split(" ")[1]}L${place}`;
    } else d += `L${place}`;
  });
  end(series.length);
  return d;
}

/** Draw the last `steps` of one or two series ({values, kind}) on one scale; returns the highest value, or null. */
export function spark(svg, whole, steps, swapAt) {
  const series = whole.map((one) => ({ ...one, values: one.values.slice(-steps) }));
  const values = series.flatMap((one) => one.values).filter((v) => v !== null);
  const most = values.length ? Math.max(...values) : null;
  const parts = series.flatMap(({ values, kind }) => [
    { kind: `area ${kind}`, d: line(values, steps, most || 1, true) },
    { kind: `line ${kind}`, d: line(values, steps, most || 1, false) },
  ]);
  if (swapAt !== null) parts.push({ kind: "swap", d: `M${swapAt.toFixed(2)} 0V${HEIGHT}` });
  list(svg, parts, (part) => part.kind, (part) => drawn("path", { class: part.kind }), (path, part) => attribute(path, "d", part.d));
  return most;
}

/** Where a moment is on a sparkline; null when it is not on it. */
export function placeOf(ms, history, now) {
  if (ms === null) return null;
  const shown = windowOf(history), steps = (now - ms) / 1000 / history.step_s;
  return steps >= 0 && steps < shown ? WIDTH - (steps * WIDTH) / shown : null;
}

const sum = (counts) => counts.reduce((a, b) => a + b, 0);

/** How much two distributions have in common: 1 = the same shares. */
function overlap(a, b) {
  const [na, nb] = [sum(a), sum(b)];
  return sum(a.map((n, i) => Math.min(n / na, b[i] / nb)));
}

export function scores(snapshot) {
  const given = snapshot.scores, box = byId("histogram"), note = byId("scores-note"), legend = byId("scores-legend");
  if (!given) {
    write(note, "This model’s answers have no distribution to draw.");
    box.replaceChildren();
    return legend.replaceChildren();
  }
  const seenNow = sum(given.now), golden = sum(given.golden);
  write(byId("scores-h"), given.field === "label" ? "Labels, now and golden" : given.field === "value" ? "Values, now and golden" : "Scores, now and golden");
  write(note, seenNow >= FEW && golden >= FEW
    ? `${share(overlap(given.now, given.golden), 1)} alike: the latest ${count(seenNow)} answers, and the ${count(golden)} of the package’s golden rows`
    : seenNow ? `${plural(seenNow, "answer")} so far: too few to compare` : "No answers yet to compare with the golden rows.");
  if (box.dataset.field !== given.field) box.replaceChildren();
  mark(box, "field", given.field);
  given.field === "label" ? labelBars(box, given, seenNow, golden) : bins(box, given, seenNow, golden);
  if (!legend.firstChild) legend.append(make("span.swatch"), " now ", make("span.swatch.golden"), " golden rows");
}

function bins(box, given, seenNow, golden) {
  if (!box.firstChild) {
    const svg = drawn("svg", { viewBox: `0 0 ${BINS_W} ${BINS_H}`, preserveAspectRatio: "none", role: "img" });
    given.now.forEach((_, i) => svg.append(drawn("rect", { class: "bin", x: i * 20 + 2, width: 16 })));
    svg.append(drawn("path", { class: "golden" }));
    box.append(svg, make("p.axis", make("span"), make("span"), make("span")));
  }
  const [svg, axis] = box.children;
  const now = given.now.map((n) => n / (seenNow || 1)), then = given.golden.map((n) => n / (golden || 1));
  const most = Math.max(...now, ...then, 0.01);
  const y = (part) => BINS_H - (part / most) * (BINS_H - 4);
  now.forEach((part, i) => {
    attribute(svg.children[i], "y", y(part).toFixed(1));
    attribute(svg.children[i], "height", (BINS_H - y(part)).toFixed(1));
  });
  attribute(svg.lastChild, "d", golden ? then.map((part, i) => `${i ? "L" : "M"}${i * 20} ${y(part).toFixed(1)}H${i * 20 + 20}`).join("") : "");
  [0, 10, 20].forEach((i, n) => write(axis.children[n], String(value(given.edges[i]))));
  const top = (parts) => { const i = parts.indexOf(Math.max(...parts)); return `${value(given.edges[i])} to ${value(given.edges[i + 1])}`; };
  attribute(svg, "aria-label", `${given.field} from ${value(given.edges[0])} to ${value(given.edges[20])}; ` +
    `${seenNow ? `most are now ${top(now)}` : "none now"}${golden ? `, of the golden rows ${top(then)}` : ""}`);
}

function labelBars(box, given, seenNow, golden) {
  const rows = given.names.map((name, i) => ({ name, now: given.now[i] / (seenNow || 1), then: given.golden[i] / (golden || 1) }));
  rows.sort((a, b) => b.now + b.then - a.now - a.then);
  const kept = rows.slice(0, MOST_LABELS), most = Math.max(...kept.map((row) => Math.max(row.now, row.then)), 0.01);
  if (!box.firstChild) box.append(make("ul.labels"), make("p.note"));
  list(box.firstChild, kept, (row) => row.name,
    () => make("li", make("bdi"), make("span.bar", make("i"), make("s")), make("span.n"), make("span.unseen")),
    (item, row) => {
      const [name, bar, n, said] = item.children;
      write(name, seen(row.name, 60));
      bar.firstChild.style.width = `${(100 * row.now) / most}%`;
      bar.lastChild.style.left = `${(100 * row.then) / most}%`;
      write(n, share(row.now, 1));
      write(said, `golden rows: ${share(row.then, 1)}`);
    });
  write(box.lastChild, rows.length > kept.length ? `and ${number(rows.length - kept.length)} more` : "");
  show(box.lastChild, rows.length > kept.length);
}
