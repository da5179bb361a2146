/* The stream of snapshots: fetched, since an EventSource can send no token. Closed while nobody looks. */

const SILENT_MS = 8000; // the server sends each second
const LONGEST_PAUSE_MS = 8000;
const KEPT = "prediction-stream token";

export class Connection {
  /** `heard(snapshot)`; `changed(state, since)`: "connecting", "live", "lost", "paused", "locked" (a token is asked for). */
  constructor(heard, changed) {
    this.heard = heard;
    this.changed = changed;
    this.pauses = 0;
    this.wanted = true;
    document.addEventListener("visibilitychange", () => this.follow());
  }

  start() { this.wanted = true; this.follow(); }

  pause() { this.wanted = false; this.follow(); this.tell("paused"); }

  unlock(token) { sessionStorage.setItem(KEPT, token); this.start(); }

  get tokenGiven() { return sessionStorage.getItem(KEPT) !== null; }

  tell(state) {
    if (state !== this.state) this.since = Date.now();
    this.state = state;
    this.changed(state, this.since);
  }

  /** Connected exactly when somebody looks. */
  follow() {
    clearTimeout(this.again);
    this.stop?.abort();
    this.stop = null;
    if (this.wanted && !document.hidden) this.run(this.stop = new AbortController());
  }

  async run(stop) {
    if (this.state !== "lost") this.tell("connecting");
    try {
      const token = sessionStorage.getItem(KEPT);
      const answer = await fetch("live/events", {
        signal: stop.signal, cache: "no-store",
        headers: { Accept: "text/event-stream", ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      });
      if (answer.status === 401) return this.tell("locked");
      if (!answer.ok) return this.lose(stop, await refusal(answer));
      this.why = "";
      await this.read(answer.body.pipeThrough(new TextDecoderStream()).getReader(), stop);
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof DOMException || error instanceof SyntaxError)) throw error;
    }
    this.lose(stop, "");
  }

  lose(stop, why) {
    if (this.stop !== stop) return; // another one has taken over, or nobody looks
    stop.abort();
    this.why = why;
    this.tell("lost");
    this.again = setTimeout(() => this.follow(), Math.min(LONGEST_PAUSE_MS, 500 * 2 ** this.pauses++));
  }

  async read(reader, stop) {
    let rest = "", watch;
    const watched = () => { clearTimeout(watch); watch = setTimeout(() => stop.abort(), SILENT_MS); };
    try {
      for (;;) {
        watched();
        const { done, value } = await reader.read();
        if (done) return;
        const events = (rest + value).split(/\r?\n\r?\n/);
        rest = events.pop();
        const last = events.map(dataOf).filter(Boolean).at(-1); // when several have come, the newest counts
        if (!last || this.stop !== stop) continue;
        const snapshot = JSON.parse(last);
        this.pauses = 0;
        this.tell("live");
        queueMicrotask(() => this.heard(snapshot)); // a fault in it is not one of the connection
      }
    } finally {
      clearTimeout(watch);
    }
  }
}

/** Why a stream was refused, such as too many viewers; empty where it is not said. */
async function refusal(answer) {
  try { return String((await answer.json()).error ?? ""); } catch { return `status ${answer.status}`; }
}

const dataOf = (event) => event.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
