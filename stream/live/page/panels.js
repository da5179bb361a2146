/* The rest of the numbers: latest predictions, model, partitions, transactions, requests. */

import { attended, attribute, byId, describe, list, make, mark, seen, show, write } from "./dom.js";
import { ago, count, number, plural, share, span, time, value, NONE } from "./format.js";

const ROWS = 12;
const OWN = ["model", "source_partition", "source_offset"]; // of a prediction: the same in each row, or where it came from
const ANSWERS = ["label", "labels", "score", "value", "values"];
const COLUMN_PX = { carried: 60, answer: 64, "answer.long": 140, "answer.many": 240, truth: 100, time: 88 };
const MOST_CARRIED = 5;
const SHORT_LETTERS = 6; // of an answer
const FEW_PARTITIONS = 8;
const SWAP_SHOWN_MS = 900_000;

function answerKind(name, latest) {
  if (name === "score") return "score";
  if (name === "values" || name === "labels") return "answer.many";
  return latest.some((row) => String(value(row.values[name])).length > SHORT_LETTERS) ? "answer.long" : "answer";
}

/** The columns of the latest predictions: what was carried, as much as is shown whole, then the answer and the truth. */
function columns(latest, width) {
  const names = [...new Set(latest.flatMap((row) => Object.keys(row.values)))].filter((name) => !OWN.includes(name));
  const carried = names.filter((name) => !ANSWERS.includes(name) && name !== "probabilities").map((name) => ({ name, kind: "carried" }));
  const answers = names.filter((name) => ANSWERS.includes(name)).map((name) => ({ name, kind: answerKind(name, latest) }));
  if (latest.some((row) => row.truth)) answers.push({ name: "truth", kind: "truth" });
  const taken = answers.reduce((all, one) => all + (COLUMN_PX[one.kind] ?? 0.26 * width), COLUMN_PX.time + 0.25 * width);
  const fitting = 1 + Math.max(0, Math.floor((width - taken) / COLUMN_PX.carried));
  return [...carried.slice(0, Math.min(fitting, MOST_CARRIED)), ...answers];
}

export function latest(snapshot) {
  const panel = byId("latest"), table = byId("latest-table"), note = byId("latest-note"), rows = snapshot.latest;
  show(note, snapshot.redacted && rows.length > 0);
  show(byId("latest-empty"), !rows.length);
  emptiness(snapshot).forEach((text, i) => write(byId("latest-empty").children[i], text));
  show(table.parentElement, rows.length > 0);
  if (!rows.length || attended(table.tBodies[0])) return;
  const shown = columns(rows, table.clientWidth), head = table.tHead.rows[0];
  list(head, [{ name: "time", kind: "when" }, ...shown], (column) => `${column.kind} ${column.name}`,
    (column) => { const th = make(`th.${column.kind}`, make("bdi", seen(column.name, 40))); th.scope = "col"; return th; }, () => {});
  mark(panel, "wide", String(shown.length));
  // Rows stay where they are and change what they say: nothing moves.
  list(table.tBodies[0], rows.slice(0, ROWS).map((row, i) => ({ row, i })), ({ i }) => i, () => make("tr"), (tr, { row }) => {
    list(tr, [{ name: "time", kind: "when" }, ...shown], (column) => `${column.kind} ${column.name}`, cell, (td, column) => fill(td, column, row, snapshot));
  });
}

/** What is said instead of rows: a title, what to do, and a command. */
function emptiness(snapshot) {
  const at = (path) => new URL(path, document.baseURI).href;
  if (snapshot.latest.length) return ["", "", ""];
  if (snapshot.totals.predictions) return ["None just now", "The next ones are shown as they come.", ""];
  if (snapshot.kind === "service") return ["No predictions yet", `POST a row as JSON; what it takes: ${at("docs")}`, `curl ${at("predict")} --json '{…}'`];
  return ["No records yet", `Look whether anybody writes to ${seen(snapshot.flow?.input.name, 100)}, or send a file there yourself:`, "stream produce FILE --config stream.toml"];
}

function cell(column) {
  if (column.kind === "score") return make("td.score", make("div", make("span.bar", make("i")), make("span.n")));
  return make(`td.${column.kind}`, make("bdi"));
}

function fill(td, column, row, snapshot) {
  if (column.kind === "when") return write(td.firstChild, time(row.at_ms, snapshot.at_ms));
  if (column.kind === "truth") {
    const known = row.truth, text = known ? `${known.right === null ? "" : known.right ? "✓ " : "✗ "}${seen(known.text, 40)}` : NONE;
    mark(td, "right", known ? String(known.right) : "");
    return write(td.firstChild, text);
  }
  const given = row.values[column.name], text = given === null && snapshot.redacted ? "•••" : seen(value(given), 60);
  if (column.kind !== "score") return write(td.firstChild, text);
  const bounded = typeof given === "number" && given >= 0 && given <= 1;
  const [bar, said] = td.firstChild.children;
  write(said, bounded ? given.toFixed(3) : text);
  bar.firstChild.style.width = bounded ? `${100 * given}%` : "0";
}

export function model(snapshot) {
  const { model, at_ms: now } = snapshot;
  describe(byId("model-list"), [
    ["version", seen(model.name, 120)],
    ["in use since", model.since_ms === null ? null : `${time(model.since_ms, now)} (${ago(model.since_ms, now)})`],
    ["swap", model.swapped_ms === null ? null : `${time(model.swapped_ms, now)}: ${seen(model.previous, 120)} → ${seen(model.name, 120)}`],
    ["refused", model.refused === null ? null : seen(model.refused, 400)],
    ["packed", model.created === null ? null : seen(model.created, 40)],
    ["task", model.task === null ? null : seen(model.task, 40)],
    ["signature", model.signature === null ? null : seen(model.signature, 200)],
    ...Object.entries(model.metrics).slice(0, 6).map(([name, given]) => [seen(name, 60), seen(value(given), 60)]),
  ]);
  mark(byId("node-model"), "swapped", model.swapped_ms !== null && now - model.swapped_ms < 20_000 ? "yes" : "no");
}

export const lately = (model, now) => model.swapped_ms !== null && now - model.swapped_ms < SWAP_SHOWN_MS;

export function partitions(snapshot) {
  const given = snapshot.partitions;
  show(byId("partitions"), given !== null);
  if (!given) return;
  const owners = new Map();
  for (const one of given) {
    const name = JSON.stringify([one.owner, one.owner_known]);
    owners.set(name, [...(owners.get(name) ?? []), one]);
  }
  const known = given.filter((one) => one.owner !== null), workers = new Set(known.map((one) => one.owner)).size;
  const others = given.every((one) => one.owner_known) ? "" : " Who owns the others is not known.";
  const most = Math.max(1, ...given.map((one) => one.lag ?? 0));
  write(byId("partitions-note"), `${plural(given.length, "partition")}, ${plural(workers, "worker")} in the group${others ? " at least" : ""}.${others} A cell fills with its lag: records not read yet; for other workers, not committed yet.`);
  list(byId("owners"), [...owners], ([name]) => name, ([, owned]) => owner(owned[0]), (row, [, owned]) => {
    const lag = owned.reduce((all, one) => all + (one.lag ?? 0), 0);
    write(row.querySelector(".lag"), `${plural(owned.length, "partition")} · lag ${number(owned.every((one) => one.lag === null) ? null : lag)}`);
    list(row.lastChild, owned, (one) => one.partition, () => make("li.cell", make("i"), make("b"), make("span.unseen")), (item, one) => {
      const [fillOf, name, said] = item.children;
      fillOf.style.height = one.lag ? `${Math.max(8, 100 * Math.log1p(one.lag) / Math.log1p(Math.max(most, 1000)))}%` : "0";
      write(name, String(one.partition));
      write(said, `: lag ${count(one.lag)}`);
      attribute(item, "title", `partition ${one.partition}: lag ${count(one.lag)}`);
    });
  });
  const details = byId("partition-details");
  if (details.firstTime === undefined) { details.firstTime = false; details.open = given.length <= FEW_PARTITIONS; }
  if (details.open) partitionTable(given);
}

const ownerOf = ({ owner: name, owner_known: known }, most) => (name !== null ? seen(name, most) : known ? "nobody" : "owner not known");

function owner({ mine, ...one }) {
  const who = make("b", make("bdi", ownerOf(one, 100)));
  return make("div.owner", make("p", who, mine ? make("span.tag", "this worker") : "", make("span.soft.lag")), make("ul"));
}

function partitionTable(given) {
  list(byId("partition-table").tBodies[0], given, (one) => one.partition,
    () => make("tr", make("td.n"), make("td", make("bdi")), make("td.n"), make("td.n"), make("td.n"), make("td.n")),
    (row, one) => {
      const [partition, who, committed, end, lag, behind] = row.cells;
      write(partition, String(one.partition));
      write(who.firstChild, ownerOf(one, 80));
      write(committed, count(one.committed));
      write(end, count(one.end));
      write(lag, count(one.lag));
      write(behind, one.lag_seconds === null ? NONE : span(1000 * one.lag_seconds));
    });
}

export function transactions(snapshot) {
  const given = snapshot.transactions;
  show(byId("transactions"), given !== null);
  if (!given) return;
  const exact = snapshot.guarantee === "exactly-once";
  write(byId("tx-h"), exact ? "Transactions" : "Commits");
  describe(byId("tx-list"), [
    ["committed", count(given.committed)], ["last commit", ago(given.last_commit_ms, snapshot.at_ms)],
    ["records not committed yet", count(given.uncommitted_records)], ["aborted", count(given.aborted)],
    ["partition went to another worker", count(given.moved_on)], ["outcome unknown", count(given.unknown)],
  ]);
}

export function requests(snapshot) {
  const given = snapshot.requests;
  show(byId("requests"), given !== null);
  if (!given) return;
  const all = Object.values(given.by_status).reduce((a, b) => a + b, 0);
  list(byId("statuses"), Object.entries(given.by_status).sort(), ([status]) => status, ([status]) => make(`li.status`, make("b", seen(status, 10)), make("span")),
    (item, [status, n]) => {
      mark(item, "tone", /^[45]/.test(status) ? "bad" : "good");
      write(item.lastChild, ` ${count(n)} · ${share(n, all)}`);
    });
  list(byId("endpoints").tBodies[0], given.by_endpoint, (row) => row.endpoint, (row) => make("tr", make("td", make("bdi", seen(row.endpoint, 120))), make("td.n"), make("td.n")),
    (tr, row) => { write(tr.cells[1], count(row.count)); write(tr.cells[2], count(row.errors)); });
}
