/* The page: takes a snapshot a second, and gives each part of the page its share. */

import { placeOf, scores, spark, windowOf } from "./charts.js";
import { Connection } from "./connection.js";
import { attribute, byId, list, make, mark, seen, show, write, writeName } from "./dom.js";
import { Flow } from "./flow.js";
import { ago, count, duration, number, plural, share, span, time, NONE } from "./format.js";
import { letters, setUpDialog } from "./letters.js";
import { lately, latest, model, partitions, requests, transactions } from "./panels.js";

const SAY_AGAIN_MS = 30_000;
const SWAP_TOLD_MS = 300_000;
const TITLE_MS = 5000;

const flow = new Flow();
let snapshot = null, link = { state: "connecting", since: Date.now() }, said = { text: "", at: 0 }, titled = 0;

function figure(id, big, unit, fact, lines, unitOfPeak = (n) => number(n)) {
  const box = byId(id), [, head, line, svg, peak] = box.children;
  write(head.firstChild, big);
  write(head.lastChild, unit);
  write(line, fact);
  const steps = windowOf(snapshot.history), minutes = (steps * snapshot.history.step_s) / 60;
  const most = spark(svg, lines, steps, lately(snapshot.model, snapshot.at_ms) ? placeOf(snapshot.model.swapped_ms, snapshot.history, snapshot.at_ms) : null);
  write(peak, most === null ? `${minutes} min: nothing yet` : `${minutes} min · peak ${unitOfPeak(most)}`);
}

/** A series of the last minutes and its value now: no peak is below what is shown beside it. */
function series(name, kind) {
  return { values: [...snapshot.history[name], snapshot.now[name]], kind };
}

function behind({ lag_records: records, lag_seconds: seconds }) {
  if (records === 0) return "nothing waits";
  return seconds === null ? "time behind not known" : `${span(1000 * seconds)} behind`;
}

function figures() {
  const { now, totals, kind, requests: asked } = snapshot, service = kind === "service";
  figure("fig-rate", number(now.records_per_second), service ? "rows/s" : "records/s",
    service ? `${number(asked?.per_second)} requests/s` : `${number(now.predictions_per_second)} predicted/s`, [series("records_per_second", "main")]);
  write(byId("fig-lag").firstElementChild, service ? "In flight" : "Lag");
  if (service) figure("fig-lag", count(asked?.in_flight), "requests", `${count(asked?.queue_rows)} rows queued`, []);
  else figure("fig-lag", number(now.lag_records), now.lag_records === 1 ? "record" : "records", behind(now), [series("lag_records", "main")]);
  for (const part of byId("fig-lag").querySelectorAll(".peak, .spark")) attribute(part, "class", `${part.classList[0]}${service ? " away" : ""}`);
  const [p50, unit] = duration(now.p50_ms);
  figure("fig-latency", p50, unit ? `${unit} p50` : "p50", `${span(now.p99_ms)} p99`, [series("p99_ms", "second"), series("p50_ms", "main")], (ms) => `${span(ms)} p99`);
  const all = (totals.predictions ?? 0) + (totals.dead_letters ?? 0);
  write(byId("fig-dead-h"), service ? "Rows not scored" : "Dead letters");
  figure("fig-dead", number(now.dead_letters_per_second), "/s", totals.dead_letters ? `${count(totals.dead_letters)} in all, ${share(totals.dead_letters, all)}` : "none",
    [series("dead_letters_per_second", "bad")], (n) => `${number(n)}/s`);
}

function nodes() {
  const { flow: topics, totals, now, model: used, kind } = snapshot, service = kind === "service";
  const say = (id, text) => write(byId(id), text);
  const parts = (topic) => (topic.partitions === null ? "" : ` · ${plural(topic.partitions, "partition")}`);
  say("in-kicker", service ? "requests" : "input topic");
  writeName(byId("in-name"), service ? "rows of requests" : seen(topics?.input.name, 120));
  say("in-total", count(totals.records));
  say("in-unit", service ? "rows" : `records${topics ? parts(topics.input) : ""}`);
  say("model-name", seen(used.name, 120));
  say("model-fact", now.batch_records === null ? seen(used.task ?? "", 40) : `${plural(now.batch_records, service ? "row" : "record")} a batch`);
  say("stages", [["score", now.process_ms], ["publish", now.publish_ms], ["commit", now.commit_ms]].filter(([, ms]) => ms !== null).map(([name, ms]) => `${name} ${span(ms)}`.replaceAll(" ", "\u00a0")).join(" · "));
  writeName(byId("out-name"), service ? "answers" : seen(topics?.output.name, 120));
  say("out-total", count(totals.predictions));
  say("out-unit", "predictions");
  say("dead-kicker", service ? "not scored" : "dead letters");
  writeName(byId("dead-name"), service ? "rows with an error" : seen(topics?.dead_letters.name, 120));
  say("dead-total", count(totals.dead_letters));
  say("dead-unit", service ? "rows" : totals.skips ? `letters · ${count(totals.skips)} skipped` : "letters");
  mark(byId("node-dead"), "some", totals.dead_letters ? "yes" : "no");
  flow.update(now);
  flow.legend(service ? ["row", "rows"] : ["record", "records"], service ? ["row not scored", "rows not scored"] : ["dead letter", "dead letters"]);
}

function head() {
  const { group, instance, state, ready, guarantee, version, started_ms: started, at_ms: at, model: used, kind } = snapshot;
  write(byId("group"), seen(group ?? used.name, 80));
  write(byId("instance"), seen(instance ?? "", 80));
  write(byId("guarantee"), guarantee === null ? "" : seen(guarantee, 30));
  write(byId("state-text"), ready ? seen(state, 40) : `${seen(state, 40)}, not ready`);
  mark(byId("state"), "tone", ready ? "good" : "bad");
  write(byId("version"), seen(version, 40));
  write(byId("uptime"), `· started ${time(started, at)}, ${ago(started, at)}`);
  write(byId("token-key"), kind === "service" ? "[serve] token" : "[web] token");
  for (const other of document.querySelectorAll("[data-for]")) show(other, other.dataset.for === kind);
  if (Date.now() - titled > TITLE_MS) {
    titled = Date.now();
    document.title = `${ready ? "" : "! "}${number(snapshot.now.records_per_second)}/s · ${seen(group ?? used.name, 60)}`;
  }
}

/** What asks for a person, most urgent first. */
function banners() {
  const found = [];
  if (link.state === "lost") found.push({ key: "lost", tone: "bad", title: "No connection", text: `${snapshot ? "What you see is from before." : "Nothing has come yet."} Lost at ${time(link.since)}; trying again.${connection.why ? ` The server says: ${seen(connection.why, 200)}` : ""}` });
  if (snapshot) {
    const { lacking, ready, model: used, at_ms: at } = snapshot;
    if (!ready) found.push({ key: "lacking", tone: "bad", title: "Not ready", text: lacking.length ? lacking.slice(0, 6).map((text) => seen(text, 300)).join(" · ") : "It does not say why." });
    if (used.refused !== null) found.push({ key: "refused", tone: "warn", title: "A version was refused", text: `${seen(used.refused, 400)} · ${seen(used.name, 120)} goes on.` });
    if (lately(used, at) && at - used.swapped_ms < SWAP_TOLD_MS) found.push({ key: `swap ${used.swapped_ms}`, tone: "good", title: "New version", text: `${seen(used.name, 120)} took over from ${seen(used.previous, 120)} at ${time(used.swapped_ms, at)}.` });
  }
  list(byId("banners"), found, (one) => one.key, (one) => make("p.banner", make("b", one.title), " ", make("bdi")), (banner, one) => {
    mark(banner, "tone", one.tone);
    write(banner.lastChild, one.text);
  });
  announce(found.filter((one) => one.tone !== "warn").map((one) => `${one.title}.`).join(" ") || (snapshot ? "Running." : ""));
}

/** For a screen reader: changes that matter, and not too often. */
function announce(text) {
  if (text === said.text || Date.now() - said.at < SAY_AGAIN_MS) return;
  said = { text, at: Date.now() };
  write(byId("said"), text);
}

function draw() {
  byId("content").dataset.kind = snapshot.kind;
  show(byId("content"), true);
  head();
  nodes();
  figures();
  latest(snapshot);
  scores(snapshot);
  letters(snapshot);
  model(snapshot);
  transactions(snapshot);
  partitions(snapshot);
  requests(snapshot);
  flow.lay();
}

function follow() {
  const words = { connecting: "connecting", live: "live", lost: "no connection", paused: "paused", locked: "locked" };
  mark(document.body, "link", link.state);
  write(byId("link-text"), words[link.state]);
  write(byId("clock"), snapshot ? time(snapshot.at_ms, snapshot.at_ms) : "");
  if (!snapshot) write(byId("state-text"), words[link.state]);
  show(byId("token-form"), link.state === "locked");
  flow.run(link.state === "live");
  banners();
}

const connection = new Connection(
  (heard) => { snapshot = heard; draw(); follow(); },
  (state, since) => {
    if (state === "locked") {
      show(byId("content"), false);
      write(byId("token-wrong"), connection.tokenGiven ? "That is not the token." : "");
    }
    link = { state, since };
    follow();
    if (state === "locked") byId("token").focus();
  },
);

byId("pause").addEventListener("click", () => {
  const pausing = byId("pause").getAttribute("aria-pressed") === "false";
  byId("pause").setAttribute("aria-pressed", String(pausing));
  pausing ? connection.pause() : connection.start();
});
byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  connection.unlock(byId("token").value);
  byId("token").value = "";
});
byId("partition-details").addEventListener("toggle", () => { if (snapshot) partitions(snapshot); });
setUpDialog();
connection.start();
