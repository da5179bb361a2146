/* The flow: lanes from node to node, and a dot for every so many records. */

import { attribute, byId, drawn, make, write } from "./dom.js";
import { plural } from "./format.js";

const MS_PER_PIXEL = 9, FASTEST_MS = 800, SLOWEST_MS = 2800; // a dot's way along a lane
const MOST_PER_S = 9; // dots that enter a lane; beyond, a dot stands for more records
const TICK_MS = 120;
const POINTS = 20; // of a curve
const STILL_DOTS = 9;

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** The next of 1, 2, 5, 10, 20, 50 … */
function roundUp(n) {
  const ten = 10 ** Math.max(0, Math.floor(Math.log10(n)));
  return [1, 2, 5, 10].map((step) => step * ten).find((step) => step >= n);
}

class Lane {
  // The dots are boxes, not parts of the drawing: those are moved without being painted again.
  constructor(svg, box, kind) {
    this.path = svg.appendChild(drawn("path", { class: `lane ${kind}` }));
    this.dots = box.appendChild(make(`div.dots.${kind}`));
    this.dots.setAttribute("aria-hidden", "true");
    this.free = [];
    this.rate = 0;
    this.unit = 1;
    this.due = 0;
  }

  lay([x0, y0], [x1, y1], vertical) {
    const [mx, my] = [(x0 + x1) / 2, (y0 + y1) / 2];
    const d = vertical ? `M${x0} ${y0}C${x0} ${my} ${x1} ${my} ${x1} ${y1}` : `M${x0} ${y0}C${mx} ${y0} ${mx} ${y1} ${x1} ${y1}`;
    if (this.path.getAttribute("d") === d) return;
    this.path.setAttribute("d", d);
    const length = this.path.getTotalLength();
    this.frames = Array.from({ length: POINTS + 1 }, (_, i) => {
      const { x, y } = this.path.getPointAtLength((length * i) / POINTS);
      return { transform: `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`, opacity: i === 0 || i === POINTS ? 0 : 1 };
    });
    this.travel_ms = Math.min(SLOWEST_MS, Math.max(FASTEST_MS, length * MS_PER_PIXEL));
    this.placed = -1;
  }

  /** A rate per second; how many records a dot stands for. */
  flow(rate) {
    this.rate = rate ?? 0;
    const dots = this.rate / this.unit;
    if (dots > MOST_PER_S || (dots < MOST_PER_S / 6 && this.unit > 1)) this.unit = roundUp(this.rate / MOST_PER_S);
  }

  tick() {
    this.due = Math.min(3, this.due + (this.rate / this.unit) * (TICK_MS / 1000) * (0.5 + Math.random()));
    for (; this.due >= 1; this.due -= 1) this.launch(Math.random() * TICK_MS);
  }

  launch(delay) {
    const dot = this.free.pop() ?? this.dots.appendChild(make("i"));
    const run = dot.animate(this.frames, { duration: this.travel_ms, delay, easing: "linear" });
    run.onfinish = () => this.free.push(dot);
  }

  /** Without motion: dots at rest, the more the faster it flows. */
  rest() {
    const per_s = this.rate / this.unit, n = this.rate > 0 ? Math.max(1, Math.round((STILL_DOTS * Math.min(per_s, MOST_PER_S)) / MOST_PER_S)) : 0;
    if (n === this.placed) return;
    this.placed = n;
    this.dots.replaceChildren(...Array.from({ length: n }, (_, i) => {
      const dot = make("i");
      dot.style.transform = this.frames[Math.round(((i + 1) * POINTS) / (n + 1))].transform;
      dot.style.opacity = 1;
      return dot;
    }));
    this.free = [];
  }
}

export class Flow {
  constructor() {
    this.box = byId("flow");
    const svg = byId("lanes");
    this.lanes = Object.fromEntries(["in", "out", "dead"].map((kind) => [kind, new Lane(svg, this.box, kind)]));
    new ResizeObserver(() => this.lay()).observe(this.box);
    still.addEventListener("change", () => this.restart());
  }

  lay() {
    const frame = this.box.getBoundingClientRect();
    if (!frame.width) return;
    attribute(byId("lanes"), "viewBox", `0 0 ${frame.width} ${frame.height}`);
    const at = (id) => {
      const r = byId(id).getBoundingClientRect();
      return { l: r.left - frame.left, r: r.right - frame.left, t: r.top - frame.top, b: r.bottom - frame.top, x: (r.left + r.right) / 2 - frame.left, y: (r.top + r.bottom) / 2 - frame.top };
    };
    const [source, model, out, dead] = ["node-input", "node-model", "node-out", "node-dead"].map(at);
    const vertical = model.t >= source.b;
    if (vertical) {
      this.lanes.in.lay([source.x, source.b], [model.x, model.t], true);
      this.lanes.out.lay([model.x - 12, model.b], [out.x, out.t], true);
      this.lanes.dead.lay([model.x + 12, model.b], [dead.x, dead.t], true);
    } else {
      this.lanes.in.lay([source.r, source.y], [model.l, model.y], false);
      this.lanes.out.lay([model.r, model.y - 10], [out.l, out.y], false);
      this.lanes.dead.lay([model.r, model.y + 10], [dead.l, dead.y], false);
    }
    this.laid = true;
    if (still.matches && this.running) this.tick();
  }

  update(now) {
    const { in: source, out, dead } = this.lanes;
    source.flow(now.records_per_second);
    out.unit = source.unit;
    out.rate = now.predictions_per_second ?? 0;
    dead.flow(now.dead_letters_per_second);
    return [source.unit, dead.unit];
  }

  /** What a dot and a ring stand for; each kind as [one, many]. */
  legend(alive, dead) {
    write(byId("dot-unit"), plural(this.lanes.in.unit, ...alive));
    write(byId("ring-unit"), plural(this.lanes.dead.unit, ...dead));
  }

  run(wanted) {
    if (wanted === !!this.running) return;
    clearInterval(this.timer);
    this.running = wanted;
    if (wanted) this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  restart() {
    for (const lane of Object.values(this.lanes)) {
      lane.dots.replaceChildren();
      lane.free = [];
      lane.placed = -1;
    }
  }

  tick() {
    if (!this.laid) return;
    for (const lane of Object.values(this.lanes)) still.matches ? lane.rest() : lane.tick();
  }
}
