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

/** A line that readers hear and everybody sees for a moment. */
export function tell(text, kind = "ok") {
  const place = document.getElementById("said");
  place.className = `said ${kind}`;
  place.textContent = text;
  place.hidden = false;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { place.hidden = true; }, kind === "bad" ? 9000 : 4000);
}

/** A question with two answers; resolves true or false. Also closes by the keyboard. */
export function confirmBy(question, yes, no = t("返回")) {
  return new Promise((resolve) => {
    const dialog = el("dialog.sheet", { onclose: () => { resolve(dialog.returnValue === "yes"); dialog.remove(); } },
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
