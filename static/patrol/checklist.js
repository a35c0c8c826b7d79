/* The checklist of a visit: good or bad in one tap each, the rest good in one. */

import { button, el, icon, redrawn, tell } from "./page.js";
import { develop } from "./photos.js";
import { say, t } from "./words.js";

export const MOST_PHOTOS = 12;

/** What a patroller may judge from the street; with an inspection code all of it. */
export function itemsFor(checklist, withCode) {
  return (checklist?.items || []).filter((item) => withCode || !item.who || item.who.includes("P"));
}

/** Draws into `box`; `draft.answers` is {code: {result, note, photos}}; `changed()` after each tap. */
export function drawChecklist(box, { checklist, groups, draft, changed }) {
  const byGroup = new Map();
  for (const item of itemsFor(checklist, Boolean(draft.inspection_code))) {
    if (!byGroup.has(item.group)) byGroup.set(item.group, []);
    byGroup.get(item.group).push(item);
  }
  const redraw = () => { drawChecklist(box, { checklist, groups, draft, changed }); changed(); };
  redrawn(box, ...[...byGroup].map(([group, items]) => {
    const open = items.filter((item) => !draft.answers[item.code]).length;
    return el("section.group", {},
      el("div.head", {}, el("h3", {}, say(groups?.[group]) || group), open
        ? button(t("本组都好"), () => { fillGood(items, draft); redraw(); }) : el("span.sub", {}, t("已填"))),
      ...items.map((item) => itemRow(item, draft, redraw, changed)));
  }));
}

export function fillGood(items, draft) {
  for (const item of items) draft.answers[item.code] ||= { result: "good" };
}

function itemRow(item, draft, redraw, changed) {
  const answer = draft.answers[item.code];
  const set = (result) => { draft.answers[item.code] = { ...(answer || {}), result }; redraw(); };
  const tap = (result, shape, word) => el(`button.tap.${result}`, {
    type: "button", "aria-label": `${word}：${say(item)}`, "aria-pressed": String(answer?.result === result), onclick: () => set(result), data: { item: item.code, result } }, icon(shape), " ", word);
  return el("div.item", { data: { code: item.code } },
    el("div.line", {}, el("div.grow", {}, el("span", {}, say(item)), item.first || item.limit ? el("small.sub", {}, say(item.first) || say(item.limit)) : null),
      el("div.taps", {}, tap("good", "check", t("好")), tap("bad", "x", t("差")))),
    answer?.result === "bad" ? badPart(item, answer, draft, redraw, changed) : null);
}

function badPart(item, answer, draft, redraw, changed) {
  const needs = item.photo === "required" && !(answer.photos || []).length;
  return el("div.badpart", {},
    photoRow(draft, answer.photos || [], (hashes) => { answer.photos = hashes; redraw(); }),
    el("p.sub", {}, needs ? t("“差”需要一张照片。") : "", " ", say(item.limit)),
    el("input", { type: "text", maxlength: "500", placeholder: t("说明（可不填）"), "aria-label": t("说明（可不填）"), value: answer.note || "", oninput: (event) => { answer.note = event.target.value; changed(); } }));
}

/** Photos of one matter: small pictures, a camera button and the album. */
export function photoRow(draft, hashes, changed) {
  const add = (kind) => async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    if (draft.photos.length >= MOST_PHOTOS) { tell(t("一次最多 {n} 张照片", { n: MOST_PHOTOS }), "bad"); return; }
    try {
      const photo = await develop(file, kind);
      if (!draft.photos.some((one) => one.sha256 === photo.sha256)) draft.photos.push(photo);
      changed([...new Set([...hashes, photo.sha256])]);
    } catch { tell(t("这张照片打不开，请重拍。"), "bad"); }
  };
  const picture = (hash) => {
    const photo = draft.photos.find((one) => one.sha256 === hash);
    if (!photo) return null;
    const address = URL.createObjectURL(new Blob([photo.bytes], { type: photo.type }));
    return el("span.thumbnail", {}, el("img", { src: address, alt: t("照片"), onload: () => URL.revokeObjectURL(address) }),
      button("", () => { draft.photos = draft.photos.filter((one) => one.sha256 !== hash); changed(hashes.filter((one) => one !== hash)); }, { kind: "remove", name: "x", "aria-label": t("删除照片") }));
  };
  return el("div.photos", {}, ...hashes.map(picture),
    el("label.add", {}, icon("camera"), el("span", {}, t("拍照")), el("input.reader", { type: "file", accept: "image/*", capture: "environment", onchange: add("camera") })),
    el("label.add", {}, icon("photo"), el("span", {}, t("相册")), el("input.reader", { type: "file", accept: "image/*", onchange: add("gallery") })));
}

/** The first item that is not yet fit to be sent, or null. */
export function unfinished(checklist, draft) {
  return itemsFor(checklist, Boolean(draft.inspection_code)).find((item) => {
    const answer = draft.answers[item.code];
    return answer?.result === "bad" && item.photo === "required" && !(answer.photos || []).length;
  }) || null;
}

export function asSent(checklist, draft) {
  const answers = itemsFor(checklist, Boolean(draft.inspection_code)).filter((item) => draft.answers[item.code]).map((item) => {
    const { result, note, photos } = draft.answers[item.code];
    return { item: item.code, result, ...(note && result === "bad" ? { note } : {}), ...(photos?.length && result === "bad" ? { photos } : {}) };
  });
  return answers.length ? { version: checklist.version, answers } : null;
}
