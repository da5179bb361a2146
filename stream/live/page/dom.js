/* The few things that this page does to its document. Whatever a stranger wrote gets in through `write` and its like, as text. */

// As stream/shown.py has it: what is not seen, or moves other letters, is spelled out.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

export const byId = (id) => document.getElementById(id);

const spelled = (letter) => {
  const code = letter.codePointAt(0), hex = code.toString(16);
  if (SHORT[letter]) return SHORT[letter];
  return code < 256 ? `\\x${hex.padStart(2, "0")}` : code < 65536 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
};

/** A stranger's value as one line of letters that are seen; `most` letters at most. */
export function seen(value, most = 200) {
  if (value === null || value === undefined) return "–";
  const text = String(value);
  const kept = text.slice(0, most).replace(UNSEEN, spelled);
  return text.length > most ? `${kept}… (${text.length - most} more)` : kept;
}

/** Set an element's text, if it isn't that already. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set an element's text to a name, which may be broken behind its dots, underscores and dashes. */
export function writeName(element, name) {
  if (element.textContent === name) return;
  const parts = name.split(/(?<=[._-])/);
  element.replaceChildren(...parts.flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part])));
}

export function show(element, shown) {
  if (element.hidden === shown) element.hidden = !shown;
}

export function mark(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

/** `make("p.fact.soft", "text", child …)`: texts become text nodes. */
export function make(what, ...inside) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  element.append(...inside);
  return element;
}

export const drawn = (tag, attributes = {}) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

export function attribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/**
 * Make a parent's children those of a list, each kept while its key stays, so that focus, selection and what is
 * opened stay, too. `build(item)` makes a child, `update(child, item)` brings it up to date. Items of the same key are
 * told apart by their order: what a stranger names may be there twice.
 */
export function list(parent, items, keyOf, build, update) {
  const old = new Map(), left = new Set(parent.children);
  for (const child of left) old.has(child.listKey) ? old.get(child.listKey).push(child) : old.set(child.listKey, [child]);
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = old.get(key)?.shift();
    left.delete(child);
    if (!child) {
      child = build(item);
      child.listKey = key;
    }
    update(child, item);
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  for (const child of left) child.remove();
}

/** A description list of [term, text] pairs. */
export function describe(parent, pairs) {
  const known = pairs.filter(([, text]) => text !== null && text !== undefined);
  list(parent, known, ([term]) => term,
    ([term]) => make("div", make("dt", term), make("dd", make("bdi"))),
    (child, [, text]) => write(child.lastChild.firstChild, text));
}

/** Whether a person is at this part of the page: what is being read or aimed at must not move away. */
export const attended = (element) => element.matches(":hover, :focus-within");
