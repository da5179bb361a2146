/* Dead letters: by reason, the latest, and one opened. A service's rows that were not scored are shown the same way. */

import { attended, byId, describe, list, make, mark, seen, show, write } from "./dom.js";
import { count, time, NONE } from "./format.js";

const BYTES_A_LINE = 16;
// A place alone names no letter: a record may fail again, and a topic may be made anew.
const keyOf = ({ place, at_ms: at, reason, field, message }) => JSON.stringify([place, at, reason, field, message]);

let meanings = new Map(), opened = null;

export function letters(snapshot) {
  const { by_reason: reasons, recent } = snapshot.dead_letters, service = snapshot.kind === "service";
  meanings = new Map(reasons.map((row) => [`${row.reason} ${row.stage}`, row]));
  write(byId("letters-h"), service ? "Rows not scored" : "Dead letters");
  const note = byId("letters-note");
  show(note, !reasons.length);
  write(note, !snapshot.totals.records ? "None." : service ? "None: every row was scored." : "None: every record was scored.");
  mark(byId("recent"), "places", service ? "no" : "yes");
  mark(byId("letters"), "some", reasons.length ? "yes" : "no");
  const all = Math.max(1, ...reasons.map((row) => row.count));
  list(byId("reasons"), reasons, (row) => `${row.reason} ${row.stage}`, reason, (child, row) => {
    const [n, bar] = child.firstChild.children;
    write(n, count(row.count));
    bar.firstChild.style.width = `${Math.max(2, (100 * row.count) / all)}%`;
  });
  show(byId("recent-hold"), recent.length > 0);
  const body = byId("recent").tBodies[0];
  const held = attended(body);
  if (!held) list(body, recent, keyOf, line, (row, letter) => write(row.cells[0].firstChild, time(letter.at_ms, snapshot.at_ms)));
  for (const row of body.rows) row.letter = recent.find((letter) => keyOf(letter) === row.listKey) ?? row.letter;
  completeOpened(recent);
}

function reason(row) {
  const summary = make("summary", make("b.n"), make("span.bar", make("i")), make("code", seen(row.reason, 60)), make("span.soft", seen(row.stage, 20)));
  const opened = make("details.reason", summary, make("p", make("bdi", seen(row.meaning, 600))));
  if (row.next_step) opened.append(make("p.next", make("b", "Next: "), make("bdi", seen(row.next_step, 600))));
  return opened;
}

function line(letter) {
  const open = make("button.as-link", seen(letter.reason, 40));
  open.type = "button";
  open.setAttribute("aria-haspopup", "dialog");
  open.addEventListener("click", () => openLetter(row.letter));
  const row = make("tr", make("td.when", make("span")), make("td.why", open),
    make("td.what", make("bdi", letter.message === null ? NONE : seen(letter.message, 160))),
    make("td.where", make("bdi", seen(letter.place, 80))));
  row.letter = letter;
  return row;
}

/** A letter is taken apart a moment after it has come: one that was opened before is completed. */
function completeOpened(recent) {
  if (!byId("letter").open || opened === null || opened.failed_at !== null || opened.decoded !== null) return;
  const now = recent.find((letter) => keyOf(letter) === keyOf(opened));
  if (now && (now.failed_at !== null || now.decoded !== null)) openLetter(now);
}

/** One letter, which stays while the page goes on. */
function openLetter(letter) {
  opened = letter;
  const known = meanings.get(`${letter.reason} ${letter.stage}`), service = byId("content").dataset.kind === "service";
  const close = make("button", "Close");
  close.type = "button";
  close.addEventListener("click", () => byId("letter").close());
  const title = make("h2", make("code", seen(letter.reason, 60)));
  title.id = "letter-h";
  const facts = make("dl");
  describe(facts, [
    ["record", letter.place === null ? null : seen(letter.place, 120)], ["when", time(letter.at_ms)], ["stage", seen(letter.stage, 30)],
    ["field", letter.field === null ? null : seen(letter.field, 120)], ["key", letter.key === null ? null : seen(letter.key, 300)],
    ["size", letter.bytes === null ? null : `${count(letter.bytes)} bytes`],
  ]);
  const parts = [make("header.row", title, close)];
  if (letter.message !== null) parts.push(make("p.message", make("bdi", seen(letter.message, 2000))));
  if (known) parts.push(make("p", make("bdi", seen(known.meaning, 600))));
  if (known?.next_step) parts.push(make("p.next", make("b", "Next: "), make("bdi", seen(known.next_step, 600))));
  parts.push(facts);
  if (letter.hex) parts.push(...bytes(letter));
  if (letter.decoded) parts.push(...decoded(letter));
  if (letter.message === null && letter.hex === null) parts.push(make("p.note", "What it holds is not shown: the configuration says so (redact)."));
  if (!service && letter.place !== null) parts.push(make("p.note", "The whole record, and what the schema says: ", make("code", `stream deadletters list`), ", then ", make("code", "show"), "."));
  byId("letter-body").replaceChildren(...parts);
  if (!byId("letter").open) byId("letter").showModal();
  close.focus();
}

function bytes(letter) {
  const all = letter.hex.replace(/[^0-9a-f]/gi, "").match(/../g) ?? [];
  const dump = make("pre.hex");
  for (let at = 0; at < all.length; at += BYTES_A_LINE) {
    const row = all.slice(at, at + BYTES_A_LINE);
    dump.append(make("span.soft", at.toString(16).padStart(4, "0")), "  ");
    row.forEach((byte, i) => dump.append(at + i === letter.failed_at ? make("mark", byte) : byte, " "));
    dump.append(" ".repeat(3 * (BYTES_A_LINE - row.length) + 1), row.map(asciiOf).join(""), "\n");
  }
  const shownAll = letter.bytes === null || letter.bytes <= all.length;
  const title = make("h3", shownAll ? "The value’s bytes" : `The value’s first ${all.length} bytes`);
  const hold = make("div.hold", dump);
  hold.tabIndex = 0; // scrolled by keyboard
  hold.setAttribute("role", "region");
  hold.setAttribute("aria-label", title.textContent);
  const failed = letter.failed_at === null ? [] : [make("p.note", letter.failed_at < all.length
    ? `Decoding failed at the marked one: ${letter.failed_at} of the whole value, its framing included.` : `Decoding failed at byte ${letter.failed_at}${shownAll ? ", behind the last" : ""}.`)];
  return [title, hold, ...failed];
}

function asciiOf(byte) {
  const code = parseInt(byte, 16);
  return code >= 32 && code < 127 ? String.fromCharCode(code) : "·";
}

function decoded(letter) {
  const fields = Object.entries(letter.decoded);
  const title = make("h3", fields.length ? "Decoded before it failed" : "No field could be decoded");
  const table = make("dl.fields");
  describe(table, fields.map(([name, text]) => [seen(name, 80), seen(text, 300)]));
  return [title, table];
}

export function setUpDialog() {
  const dialog = byId("letter");
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // beside it
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || dialog.open) return;
    const opened = document.activeElement?.closest("details[open]");
    if (!opened) return;
    opened.open = false;
    opened.querySelector("summary").focus();
  });
}
