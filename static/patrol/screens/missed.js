/* Could not be checked, because… : an honest reason is no failure. */

import { day, locate, record, stopById } from "../day.js";
import { StorageFull } from "../outbox.js";
import { button, el, field, tell } from "../page.js";
import { remembered } from "../remember.js";
import { t } from "../words.js";

const REASONS = [["closed", "关着门"], ["demolished", "已拆除或围挡"], ["refused", "店家拒绝"], ["unsafe", "现场不安全"], ["other", "其他"]];

export default async function missed([id], { go, refresh }) {
  const stop = day.shift && stopById(id);
  if (!stop) return { title: t("记原因"), back: "", nodes: [el("section.card", {}, t("这家店不在这一班里。"))] };
  const { name, work, keep, notice } = await remembered("missed", id, { because: null, note: "" }, refresh);
  let fix = day.fix;
  locate({ watchMs: 5000 }).then((found) => { if (found.fix) fix = found.fix; });
  const note = el("textarea", { rows: "2", maxlength: "500", name: "note", oninput: () => { work.note = note.value; keep(); } }, work.note);
  const choices = el("fieldset.choices", {}, el("legend", {}, t("为什么查不了")), ...REASONS.map(([value, word]) => el("label.row", {}, el("input", { type: "radio", name: "because", value, checked: value === work.because, onchange: () => { work.because = value; keep(); } }), el("span", {}, t(word)))));
  const save = async (pressed) => {
    const { because } = work;
    if (!because) return tell(t("请选原因"), "bad");
    if (because === "other" && !note.value.trim()) return tell(t("请写明原因"), "bad");
    pressed.disabled = true;
    try {
      await record("missed", { storefront_id: stop.storefront_id, because, note: note.value.trim(), fix }, [], { draft: name });
      tell(t("已保存：{name}", { name: stop.name || stop.address || "" }));
      go("");
    } catch (error) { pressed.disabled = false; tell(error instanceof StorageFull ? t("手机存储已满：这一条没有保存，填的内容还在屏幕上。请先联网发送，或删掉手机里不用的东西。") : String(error.message || error), "bad"); }
    return undefined;
  };
  return { title: t("查不了，记原因"), sub: `${stop.name || t("空置铺位")} · ${stop.address || stop.house_number}`, back: `visit/${id}`, nodes: [notice, el("section.card", {}, choices, field(t("说明"), note)), el("div.thumb.one", {}, button(t("保存"), (event) => save(event.currentTarget), { kind: "main" }))] };
}
