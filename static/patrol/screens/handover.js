/* What the next shift must know, and what the last one left for us: read before walking. */

import { day, record } from "../day.js";
import { keep } from "../store.js";
import { StorageFull } from "../outbox.js";
import { button, card, el, field, tell } from "../page.js";
import { remembered } from "../remember.js";
import { dayAndTime, t } from "../words.js";

export default async function handover([part], { go, refresh }) {
  if (!day.shift) return { title: t("交接"), back: "", nodes: [card(null, t("先开始班次。"))] };
  const notes = day.shift.handovers || [];
  const unread = notes.filter((one) => !one.read);
  const confirmRead = async (...read) => {
    for (const one of read) {
      await record("handover_read", { handover_id: one.id });
      one.read = true;
      await keep(`shift:${day.person.id}`, day.shift);
    }
    if (part === "read" && !notes.some((other) => !other.read)) go("");
    else refresh();
  };
  const reading = notes.length ? card(t("上一班留言"), ...notes.map((one) => el("article.note", {}, el("p", {}, one.text), el("p.sub", {}, `${one.by || ""} ${one.at ? dayAndTime(one.at) : ""}`), one.read ? el("p.sub.ok", {}, `● ${t("已读")}`) : button(t("我已读"), () => confirmRead(one), { kind: "main" })))) : card(t("上一班留言"), el("p.sub", {}, t("没有留言。")));
  if (part === "read" && unread.length) return { title: t("先读交接"), back: undefined, nodes: unread.length > 1 ? [reading, button(t("以上都已读"), () => confirmRead(...unread), { kind: "main" })] : [reading] };
  const { name, work, keep: keepWork, notice } = await remembered("handover", "", { segment: null, text: "" }, refresh);
  const written = () => { Object.assign(work, { segment: segment.value, text: text.value }); keepWork(); };
  const segment = el("select", { name: "segment", onchange: written }, ...(day.shift.segments || []).map((one) => el("option", { value: one.id, selected: one.id === work.segment }, one.name)));
  const text = el("textarea", { rows: "4", maxlength: "2000", name: "text", oninput: written }, work.text);
  const save = async () => {
    if (!text.value.trim()) return tell(t("请写留言"), "bad");
    try {
      await record("handover", { segment_id: segment.value, text: text.value.trim() }, [], { draft: name });
    } catch (error) {
      return tell(error instanceof StorageFull ? t("手机存储已满：这一条没有保存，填的内容还在屏幕上。请先联网发送，或删掉手机里不用的东西。") : String(error.message || error), "bad");
    }
    tell(t("已保存，联网后下一班可见"));
    go("");
    return undefined;
  };
  return { title: t("交接"), sub: "", back: "", nodes: [reading, notice, card(t("给下一班留言"), field(t("路段"), segment), field(t("内容"), text, t("如：哪家答应整改、哪里要盯、谁来配合")), button(t("保存"), save, { kind: "main" }))] };
}
