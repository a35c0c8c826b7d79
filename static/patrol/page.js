/* Building pages: elements, icons, the three state marks, and messages. No HTML from strings. */

import { t } from "./words.js";

/** `el("button.main", {onclick}, "文字", child…)`. Properties and attributes by name. */
export function el(what, given = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name in node && !name.includes("-") && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  const drawing = document.getElementById(`icon-${name}`);
  return drawing ? drawing.content.cloneNode(true) : document.createTextNode("");
}

const MARKS = {
  overdue: ["▲", "late", "逾期"], due: ["◆", "due", "今天应到"], soon: ["◆", "due", "快到期"],
  done: ["●", "ok", "已到"], unknown: ["○", "none", "待确认"],
};

/** State = colour + shape + word, the same everywhere. */
export function mark(state) {
  const [shape, colour, word] = MARKS[state] || MARKS.unknown;
  return el(`span.state.${colour}`, { role: "img", "aria-label": t(word), title: t(word) }, shape);
}

export const wordFor = (state) => t((MARKS[state] || MARKS.unknown)[2]);

export function button(text, onclick, { kind = "soft", name = null, ...given } = {}) {
  return el(`button.${kind}`, { type: "button", onclick, ...given }, name ? icon(name) : null, name ? " " : null, text);
}

/** A line that readers hear and everybody sees for a moment. Empty it stays in the page: what is
    hidden when the words come is not read out. */
export function tell(text, kind = "ok") {
  const place = document.getElementById("said");
  place.className = `said ${kind}`;
  place.textContent = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { place.textContent = ""; }, kind === "bad" ? 9000 : 4000);
}

const sameElement = (old, fresh) => old.nodeType === 1 && old.cloneNode(false).isEqualNode(fresh.cloneNode(false));

/** Make the children of `parent` like `nodes`, touching only what differs: who stands on a line with
    the keyboard or a reader stays there. What stays keeps the listeners that it had. */
export function renew(parent, nodes) {
  nodes.forEach((fresh, at) => {
    const old = parent.childNodes[at];
    if (!old) parent.append(fresh);
    else if (old.isEqualNode(fresh)) return;
    else if (sameElement(old, fresh)) renew(old, [...fresh.childNodes]);
    else if (old.nodeType === 3 && fresh.nodeType === 3) old.data = fresh.data;
    else {
      const held = old.contains(document.activeElement);
      old.replaceWith(fresh);
      if (held) (fresh.matches?.(REACHED) ? fresh : fresh.querySelector?.(REACHED))?.focus({ preventScroll: true });
    }
  });
  while (parent.childNodes.length > nodes.length) parent.lastChild.remove();
}

const REACHED = "a[href], button, input, select, textarea, summary, [tabindex]";

/** Notes where one stands in `box` and what is unfolded; the answer finds it again in a new drawing. */
export function whereabouts(box) {
  const alike = (node) => node && [node.closest("[data-code]")?.dataset.code, node.tagName, node.getAttribute("href"), node.name, node.getAttribute("value"), node.textContent].join(" ");
  const at = document.activeElement, within = () => [...box.querySelectorAll(REACHED)];
  const number = within().indexOf(at), name = alike(at);
  const unfolded = [...box.querySelectorAll("details")].map((one) => one.open);
  return () => {
    box.querySelectorAll("details").forEach((one, which) => { if (unfolded[which]) one.open = true; });
    if (number < 0) return false;
    const all = within(), again = alike(all[number]) === name ? all[number] : all.find((one) => alike(one) === name) || all[number];
    again?.focus({ preventScroll: true });
    return Boolean(again);
  };
}

/** Draws a part of a screen anew; who stood in it still does. */
export function redrawn(box, ...nodes) {
  const findAgain = whereabouts(box);
  box.replaceChildren(...nodes);
  findAgain();
}

/** A question with two answers; resolves true or false. Also closes by the keyboard. */
export function confirmBy(question, yes, no = t("返回")) {
  return new Promise((resolve) => {
    const dialog = el("dialog.sheet", { "aria-label": question, onclose: () => { resolve(dialog.returnValue === "yes"); dialog.remove(); } },
      el("form", { method: "dialog" }, el("p", {}, question),
        el("div.pair", {}, el("button.soft", { value: "no" }, no), el("button.main", { value: "yes" }, yes))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function field(label, input, hint = null) {
  return el("label.field", {}, el("span", {}, label), input, hint ? el("small.sub", {}, hint) : null);
}

export function card(title, ...children) {
  return el("section.card", {}, title ? el("h2", {}, title) : null, ...children);
}
